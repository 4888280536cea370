// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Tamperscope",
    products: [
        .library(name: "ONNXLoader", targets: ["ONNXLoader"]),
        .library(name: "Runtime", targets: ["Runtime"]),
        .library(name: "Pipeline", targets: ["Pipeline"]),
        .executable(name: "convert", targets: ["convert"]),
        .executable(name: "pipeline", targets: ["PipelineCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // The file: libprotobuf and libonnx behind a C interface, then plain Swift values.
        .target(
            name: "CONNX",
            cxxSettings: [.define("ONNX_ML"), .define("ONNX_NAMESPACE", to: "onnx")],
            linkerSettings: [.linkedLibrary("onnx_proto"), .linkedLibrary("protobuf")]
        ),
        .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
        .target(name: "ONNXLoader", dependencies: ["CONNX", "CZip"]),

        // Computing a graph.
        .target(name: "CKernels"),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .target(
            name: "CImageCodecs",
            linkerSettings: [
                .linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("tiff"), .linkedLibrary("webp"),
                .linkedLibrary("webpdemux"), .linkedLibrary("z"),
            ]
        ),
        .target(name: "ImageCodecs"),
        .target(
            name: "Runtime",
            dependencies: ["ONNXLoader", "CKernels", "CImageCodecs", "ImageCodecs", "COpenBLAS", "CRE2"]
        ),

        // Photographs and the method.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(
            name: "Pipeline",
            dependencies: ["Runtime", "ONNXLoader", "CKernels", "CImageCodecs", "ImageCodecs", "COpenSSL"]
        ),

        // Commands.
        .executableTarget(
            name: "convert",
            dependencies: [
                "Pipeline", "Runtime", "ONNXLoader", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "PipelineCLI",
            dependencies: [
                "Pipeline", "Runtime", "ONNXLoader", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .testTarget(
            name: "ONNXLoaderTests", dependencies: ["TestSupport", "ONNXLoader"], resources: [.copy("Models")]),
        .testTarget(name: "RuntimeTests", dependencies: ["TestSupport", "Runtime", "ONNXLoader"]),
        .testTarget(
            name: "ConformanceTests", dependencies: ["Runtime", "ONNXLoader"], exclude: ["known-failures.txt"]),
        .testTarget(name: "PipelineTests", dependencies: ["TestSupport", "Pipeline", "Runtime", "ONNXLoader"]),
        .testTarget(name: "CommandTests", dependencies: ["ONNXLoader", "convert", "PipelineCLI"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
