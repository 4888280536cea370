import ONNXLoader
import Testing

@testable import Runtime

/// Operators of `ai.onnx.ml`. Expected values by hand.
@Suite struct MachineLearningTests {
    @Test(arguments: [
        Case(
            "LabelEncoder", domain: "ai.onnx.ml", opset: 2,
            ["keys_strings": .strings([Array("a".utf8), Array("b".utf8)]), "values_int64s": .ints([7, 8])],
            inputs: [.strings(["b", "c", "a"], [3])], outputs: [.int64([8, -1, 7])]),
        Case(
            "LabelEncoder", domain: "ai.onnx.ml", opset: 2,
            ["keys_floats": .floats([.nan, 0]), "values_floats": .floats([1, 2]), "default_float": .float(9)],
            inputs: [.flat([.nan, -0.0, 5], [3])], outputs: [[1, 2, 9]], note: "NaN is a key"),
        Case(
            "Binarizer", domain: "ai.onnx.ml", opset: 1, ["threshold": .float(1)], inputs: [[1, 2]], outputs: [[0, 1]]),
        Case(
            "ArrayFeatureExtractor", domain: "ai.onnx.ml", opset: 1,
            inputs: [[[1, 2, 3], [4, 5, 6]], .int64([2, 0])],
            outputs: [[[3, 1], [6, 4]]]),
        Case(
            "Scaler", domain: "ai.onnx.ml", opset: 1, ["offset": .floats([1]), "scale": .floats([2, 3])],
            inputs: [.int64([[1, 2], [3, 4]])], outputs: [[[0, 3], [4, 9]]]),
        Case(
            "Normalizer", domain: "ai.onnx.ml", opset: 1, ["norm": .string(Array("L2".utf8))],
            inputs: [[[3, -4], [0, 0]]], outputs: [[[0.6, -0.8], [0, 0]]]),
        Case(
            "Imputer", domain: "ai.onnx.ml", opset: 1,
            ["replaced_value_float": .float(.nan), "imputed_value_floats": .floats([5, 6])],
            inputs: [.flat([.nan, 1, 2, .nan], [2, 2])], outputs: [[[5, 1], [2, 6]]]),
        Case(
            "OneHotEncoder", domain: "ai.onnx.ml", opset: 1, ["cats_int64s": .ints([4, 2])], inputs: [.int64([2, 3])],
            outputs: [[[0, 1], [0, 0]]]),
        Case(
            "FeatureVectorizer", domain: "ai.onnx.ml", opset: 1, ["inputdimensions": .ints([1, 2])],
            inputs: [[[1], [4]], [[2, 3], [5, 6]]], outputs: [[[1, 2, 3], [4, 5, 6]]]),
        Case(
            "LinearRegressor", domain: "ai.onnx.ml", opset: 1,
            ["coefficients": .floats([1, 2, 3, 4]), "intercepts": .floats([10, 20]), "targets": .int(2)],
            inputs: [[[1, 1]]], outputs: [[[13, 27]]]),
        Case(
            "LinearClassifier", domain: "ai.onnx.ml", opset: 1,
            ["coefficients": .floats([1, -1]), "classlabels_ints": .ints([4, 6])], inputs: [[[2, 1], [1, 3]]],
            outputs: [.int64([6, 4]), [[-1, 1], [2, -2]]]),
        Case(
            "TreeEnsemble", domain: "ai.onnx.ml", opset: 5, MachineLearningTests.tree,
            inputs: [.flat([1, 3, .nan], [3, 1])],
            outputs: [[[10, 0], [0, 20], [10, 0]]], note: "a missing value follows the true branch"),
        Case(
            "TreeEnsembleRegressor", domain: "ai.onnx.ml", opset: 3,
            trees([
                "n_targets": .int(2), "aggregate_function": .string(Array("AVERAGE".utf8)),
                "target_treeids": .ints([0, 0, 0, 0, 1]), "target_nodeids": .ints([1, 3, 3, 4, 0]),
                "target_ids": .ints([0, 0, 1, 1, 0]), "target_weights": .floats([1, 2, 3, 4, 10]),
                "base_values": .floats([0.5, 0.25]),
            ]), inputs: [[[5, 3], [5, 1]]], outputs: [[[6.5, 1.75], [5.5, 2.25]]], note: "ONNX Runtime"),
        Case(
            "TreeEnsembleClassifier", domain: "ai.onnx.ml", opset: 3,
            trees([
                "classlabels_int64s": .ints([5, 6, 7]), "class_treeids": .ints([0, 0, 0, 0, 1]),
                "class_nodeids": .ints([1, 3, 3, 4, 0]), "class_ids": .ints([0, 1, 2, 2, 0]),
                "class_weights": .floats([1, 2, 3, 4, 0.5]),
            ]), inputs: [[[0, 0], [5, 3], [5, 1]]],
            outputs: [.int64([5, 7, 7]), [[1.5, 0, 0], [0.5, 2, 3], [0.5, 0, 4]]], note: "ONNX Runtime"),
        Case(
            "TreeEnsembleClassifier", domain: "ai.onnx.ml", opset: 3,
            trees(binary.merging(["class_weights": .floats([0.1, 0.3, 0.7, 0.2])]) { $1 }),
            inputs: [[[0, 0], [5, 1]]], outputs: [.int64([5, 6]), [[0.7, 0.3], [0.1, 0.9]]],
            note: "ONNX Runtime, two classes of which one is voted for"),
        Case(
            "TreeEnsembleClassifier", domain: "ai.onnx.ml", opset: 3,
            trees(
                binary.merging(
                    ["class_weights": .floats([-1, 3, 0.7, 0.2]), "post_transform": .string(Array("LOGISTIC".utf8))]
                ) { $1 }),
            inputs: [[[0, 0], [5, 3]]],
            outputs: [
                .int64([5, 6]),
                [
                    [0.689_974_486_827_850_3, 0.310_025_513_172_149_66],
                    [0.039_165_735_244_750_98, 0.960_834_264_755_249],
                ],
            ], note: "ONNX Runtime, margins"),
    ])
    func features(_ example: Case) throws { try example.check() }

    private static let binary: [String: Attribute] = [
        "classlabels_int64s": .ints([5, 6]), "class_treeids": .ints([0, 0, 0, 1]),
        "class_nodeids": .ints([1, 3, 4, 0]), "class_ids": .ints([0, 0, 0, 0]),
    ]

    /// With `x₀ ≤ 1`, leaf 1; else with `x₁ > 2` leaf 3, else leaf 4; and a tree that is a leaf.
    private static func trees(_ attributes: [String: Attribute]) -> [String: Attribute] {
        attributes.merging([
            "nodes_treeids": .ints([0, 0, 0, 0, 0, 1]), "nodes_nodeids": .ints([0, 1, 2, 3, 4, 0]),
            "nodes_featureids": .ints([0, 0, 1, 0, 0, 0]), "nodes_values": .floats([1, 0, 2, 0, 0, 0]),
            "nodes_truenodeids": .ints([1, 0, 3, 0, 0, 0]), "nodes_falsenodeids": .ints([2, 0, 4, 0, 0, 0]),
            "nodes_modes": .strings(
                ["BRANCH_LEQ", "LEAF", "BRANCH_GT", "LEAF", "LEAF", "LEAF"].map { Array($0.utf8) }),
        ]) { $1 }
    }

    /// `x ≤ 2` gives 10 to target 0, else 20 to target 1.
    private static let tree: [String: Attribute] = {
        func tensor<Element: TensorElement>(_ values: [Element]) -> Attribute? {
            (try? ConstantTensor(Tensor(values, shape: [values.count]))).map { .tensor($0) }
        }
        return [
            "n_targets": .int(2), "tree_roots": .ints([0]), "nodes_featureids": .ints([0]),
            "nodes_modes": tensor([UInt8(0)]), "nodes_splits": tensor([Float(2)]),
            "nodes_truenodeids": .ints([0]), "nodes_falsenodeids": .ints([1]), "nodes_trueleafs": .ints([1]),
            "nodes_falseleafs": .ints([1]), "nodes_missing_value_tracks_true": .ints([1]),
            "leaf_weights": tensor([Float(10), 20]), "leaf_targetids": .ints([0, 1]),
        ].compactMapValues { $0 }
    }()
}
