// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "Tamperscope", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .executableTarget(
            name: "graphs",
            dependencies: [
                .product(name: "Runtime", package: "Tamperscope"), .product(name: "ONNXLoader", package: "Tamperscope"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        // Debian's OpenBLAS once more: a package cannot use another one's system libraries.
        .systemLibrary(name: "BLASForComparison", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .executableTarget(
            name: "kernels",
            dependencies: [
                "BLASForComparison",
                .product(name: "Runtime", package: "Tamperscope"), .product(name: "ONNXLoader", package: "Tamperscope"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
