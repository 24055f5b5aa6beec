// swift-tools-version: 6.2
import PackageDescription

/// One program that libFuzzer feeds, apart from the product: `swift build` of the project does not know it. Built by `run`
/// beside this file, which adds the sanitizers and lets it see what the libraries keep to themselves. Settings as there.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "polybot-fuzz",
    dependencies: [.package(name: "polybot", path: "..")],
    targets: [
        .executableTarget(
            name: "fuzz",
            dependencies: [
                .product(name: "Shared", package: "polybot"), .product(name: "DaemonKit", package: "polybot"),
                .product(name: "Compression", package: "polybot"),
            ], swiftSettings: strict)
    ],
    swiftLanguageModes: [.v6]
)
