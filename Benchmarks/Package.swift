// swift-tools-version: 6.2
import PackageDescription

/// Measuring programs, apart from the product: `swift build` of the project does not know them. Settings as there.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "polybot-benchmarks",
    dependencies: [
        .package(name: "polybot", path: ".."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "hopserver",
            dependencies: [
                .product(name: "Shared", package: "polybot"), .product(name: "DaemonKit", package: "polybot"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        // With stratd's own sources, which are no library.
        .executableTarget(
            name: "orders",
            dependencies: [
                .product(name: "Shared", package: "polybot"), .product(name: "Signing", package: "polybot"),
                .product(name: "DaemonKit", package: "polybot"), .product(name: "Logging", package: "swift-log"),
            ], exclude: ["stratd/Stratd.swift"], swiftSettings: strict),
        .executableTarget(
            name: "micro", dependencies: [.product(name: "Shared", package: "polybot")], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
