/// Field numbers of the messages in onnx.proto.
enum Fields {
    enum Model {
        static let irVersion: Int32 = 1
        static let producerName: Int32 = 2
        static let producerVersion: Int32 = 3
        static let domain: Int32 = 4
        static let version: Int32 = 5
        static let documentation: Int32 = 6
        static let graph: Int32 = 7
        static let opsetImport: Int32 = 8
        static let metadata: Int32 = 14
        static let trainingInfo: Int32 = 20
        static let functions: Int32 = 25
    }

    enum OperatorSet {
        static let domain: Int32 = 1
        static let version: Int32 = 2
    }

    /// StringStringEntryProto.
    enum Entry {
        static let key: Int32 = 1
        static let value: Int32 = 2
    }

    enum Graph {
        static let node: Int32 = 1
        static let name: Int32 = 2
        static let initializer: Int32 = 5
        static let documentation: Int32 = 10
        static let input: Int32 = 11
        static let output: Int32 = 12
        static let valueInfo: Int32 = 13
        static let sparseInitializer: Int32 = 15
    }

    enum Node {
        static let input: Int32 = 1
        static let output: Int32 = 2
        static let name: Int32 = 3
        static let operatorType: Int32 = 4
        static let attribute: Int32 = 5
        static let documentation: Int32 = 6
        static let domain: Int32 = 7
        static let overload: Int32 = 8
        static let metadata: Int32 = 9
    }

    enum Attribute {
        static let name: Int32 = 1
        static let float: Int32 = 2
        static let int: Int32 = 3
        static let string: Int32 = 4
        static let tensor: Int32 = 5
        static let graph: Int32 = 6
        static let floats: Int32 = 7
        static let ints: Int32 = 8
        static let strings: Int32 = 9
        static let tensors: Int32 = 10
        static let graphs: Int32 = 11
        static let type: Int32 = 20
        static let typeProto: Int32 = 14
        static let typeProtos: Int32 = 15
        static let reference: Int32 = 21
        static let sparseTensor: Int32 = 22
        static let sparseTensors: Int32 = 23
    }

    enum Function {
        static let name: Int32 = 1
        static let input: Int32 = 4
        static let output: Int32 = 5
        static let attribute: Int32 = 6
        static let node: Int32 = 7
        static let documentation: Int32 = 8
        static let opsetImport: Int32 = 9
        static let domain: Int32 = 10
        static let attributeProto: Int32 = 11
        static let overload: Int32 = 13
    }

    enum Tensor {
        static let dimensions: Int32 = 1
        static let elementType: Int32 = 2
        static let segment: Int32 = 3
        static let floatData: Int32 = 4
        static let int32Data: Int32 = 5
        static let stringData: Int32 = 6
        static let int64Data: Int32 = 7
        static let name: Int32 = 8
        static let rawData: Int32 = 9
        static let doubleData: Int32 = 10
        static let uint64Data: Int32 = 11
        static let documentation: Int32 = 12
        static let externalData: Int32 = 13
        static let dataLocation: Int32 = 14
    }

    enum SparseTensor {
        static let values: Int32 = 1
        static let indices: Int32 = 2
        static let dimensions: Int32 = 3
    }

    enum ValueInfo {
        static let name: Int32 = 1
        static let type: Int32 = 2
        static let documentation: Int32 = 3
    }

    enum TypeProto {
        static let tensor: Int32 = 1
        static let sequence: Int32 = 4
        static let map: Int32 = 5
        static let sparseTensor: Int32 = 8
        static let optional: Int32 = 9
        /// Of a tensor, sparse tensor, sequence and optional; the key type of a map.
        static let element: Int32 = 1
        /// Of a tensor and sparse tensor.
        static let shape: Int32 = 2
        /// Of a map.
        static let value: Int32 = 2
    }

    enum Shape {
        static let dimension: Int32 = 1
        /// Of a dimension.
        static let value: Int32 = 1
        static let parameter: Int32 = 2
    }
}
