extension Registry {
    /// The `ai.onnx.ml` domain. One line an operator.
    static let machineLearning: [String: Entry] = [
        "ArrayFeatureExtractor": Entry(ArrayFeatureExtractor.self),
        "Binarizer": Entry(Binarizer.self),
        "FeatureVectorizer": Entry(FeatureVectorizer.self),
        "Imputer": Entry(Imputer.self),
        "LabelEncoder": Entry(LabelEncoder.self, since: 2),
        "LinearClassifier": Entry(LinearClassifier.self),
        "LinearRegressor": Entry(LinearRegressor.self),
        "Normalizer": Entry(Normalizer.self),
        "OneHotEncoder": Entry(OneHotEncoder.self),
        "Scaler": Entry(Scaler.self),
        "TreeEnsemble": Entry(TreeEnsemble.self, since: 5),
        "TreeEnsembleClassifier": Entry(TreeEnsembleClassifier.self),
        "TreeEnsembleRegressor": Entry(TreeEnsembleRegressor.self),
    ]
}
