// swift-tools-version: 6.2
import PackageDescription

/// One set of rules for all code of the project; `make lint` builds with the same.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "polybot",
    products: [
        .executable(name: "feedd", targets: ["feedd"]),
        .executable(name: "scannerd", targets: ["scannerd"]),
        .executable(name: "stratd", targets: ["stratd"]),
        .executable(name: "simvenue", targets: ["simvenue"]),
        .executable(name: "polybot", targets: ["polybot"]),
        // For the packages in Benchmarks and Fuzz.
        .library(name: "Compression", targets: ["Compression"]),
        .library(name: "Shared", targets: ["Shared"]),
        .library(name: "Signing", targets: ["Signing"]),
        .library(name: "DaemonKit", targets: ["DaemonKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        .target(name: "CLinux", path: "Sources/CLibraries/CLinux"),
        .target(
            name: "CCurl", path: "Sources/CLibraries/CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(
            name: "COpenSSL", path: "Sources/CLibraries/COpenSSL", linkerSettings: [.linkedLibrary("crypto")]),
        .target(
            name: "CSecp256k1", path: "Sources/CLibraries/CSecp256k1", linkerSettings: [.linkedLibrary("secp256k1")]),
        .target(
            name: "CSystemd", path: "Sources/CLibraries/CSystemd", linkerSettings: [.linkedLibrary("systemd")]),
        .target(
            name: "CDeflate", path: "Sources/CLibraries/CDeflate", linkerSettings: [.linkedLibrary("deflate")]),
        .target(name: "CZlib", path: "Sources/CLibraries/CZlib", linkerSettings: [.linkedLibrary("z")]),

        .target(name: "Shared", dependencies: ["COpenSSL"], swiftSettings: strict),
        .target(name: "Compression", dependencies: ["CDeflate", "CZlib"], swiftSettings: strict),
        .target(name: "Signing", dependencies: ["Shared", "COpenSSL", "CSecp256k1"], swiftSettings: strict),
        .target(
            name: "DaemonKit",
            dependencies: [
                "Shared", "Compression", "CLinux", "CCurl", "COpenSSL", "CSystemd", heap, logging,
                .product(name: "TOMLKit", package: "TOMLKit"),
            ], swiftSettings: strict),
        .executableTarget(name: "feedd", dependencies: ["Shared", "DaemonKit", logging], swiftSettings: strict),
        .executableTarget(name: "scannerd", dependencies: ["Shared", "DaemonKit", logging], swiftSettings: strict),
        .executableTarget(
            name: "stratd", dependencies: ["Shared", "Signing", "DaemonKit", logging], swiftSettings: strict),
        .executableTarget(
            name: "simvenue",
            dependencies: [
                "Shared", "Compression", "Signing", heap,
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOWebSocket", package: "swift-nio"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "polybot",
            dependencies: [
                "Shared", "DaemonKit", "CLinux", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),

        .testTarget(name: "SharedTests", dependencies: ["Shared"], exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(name: "CompressionTests", dependencies: ["Compression", "Shared"], swiftSettings: strict),
        .testTarget(name: "SigningTests", dependencies: ["Signing", "Shared"], swiftSettings: strict),
        .executableTarget(
            name: "daemonprobe", dependencies: ["DaemonKit", logging], path: "Tests/daemonprobe", swiftSettings: strict),
        .testTarget(
            name: "DaemonKitTests",
            dependencies: ["DaemonKit", "daemonprobe", "Shared", "Compression", "CLinux", logging],
            exclude: ["Peers"], swiftSettings: strict),
        .testTarget(
            name: "feeddTests", dependencies: ["feedd", "Shared", "Compression", "DaemonKit"], swiftSettings: strict),
        .testTarget(
            name: "scannerdTests", dependencies: ["scannerd", "simvenue", "Shared", "DaemonKit"], exclude: ["Peers"],
            swiftSettings: strict),
        .testTarget(
            name: "stratdTests", dependencies: ["stratd", "Shared", "Signing", "DaemonKit"], swiftSettings: strict),
        .testTarget(
            name: "simvenueTests", dependencies: ["simvenue", "Shared", "Compression", "Signing"],
            swiftSettings: strict),
        .testTarget(
            name: "polybotTests",
            dependencies: [
                "polybot", "Shared", "DaemonKit", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests", dependencies: ["Shared", "Compression", "DaemonKit", "Signing"], exclude: ["Peers"],
            swiftSettings: strict),
        .testTarget(
            name: "SystemdTests", exclude: ["systemd-lab", "subscriber.py"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
