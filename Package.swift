// swift-tools-version: 6.2
// The rooms of Kiln and who may import whom; ARCHITECTURE.md is the map.
import PackageDescription

/// Settings every room shares: warnings are errors, imports are explicit.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // `@_lifetime`: spans out of the rooms that own memory.
    .enableExperimentalFeature("Lifetimes"),
]

/// `make tsan` builds with locks that the thread sanitizer understands.
let sanitized: [SwiftSetting] =
    Context.environment["KILN_THREAD_SANITIZER"] == nil ? [] : [.define("KILN_THREAD_SANITIZER")]

let package = Package(
    name: "kiln",
    products: [
        .executable(name: "kiln", targets: ["kiln"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // r0
        .systemLibrary(name: "CXXHash"),
        .systemLibrary(name: "CIntrinsics"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        // r1
        .target(
            name: "Primitives", dependencies: ["CXXHash", "CIntrinsics"], swiftSettings: strict),
        // r2
        .target(
            name: "MemcacheProtocol", dependencies: ["Primitives", "CIntrinsics"],
            swiftSettings: strict),
        .target(
            name: "Storage", dependencies: ["Primitives", "CIntrinsics"], swiftSettings: strict),
        .target(name: "HotKeys", dependencies: ["Primitives"], swiftSettings: strict),
        .target(name: "Placement", dependencies: ["Primitives"], swiftSettings: strict),
        .target(name: "SWIM", dependencies: ["Primitives"], swiftSettings: strict),
        .target(name: "Raft", dependencies: ["Primitives"], swiftSettings: strict),
        // r3
        .target(
            name: "DataPlane", dependencies: ["Primitives", "MemcacheProtocol", "Storage"],
            swiftSettings: strict),
        .target(
            name: "ControlPlane", dependencies: ["Primitives", "Placement", "SWIM", "Raft"],
            swiftSettings: strict),
        // r4
        .target(
            name: "CacheNode",
            dependencies: [
                "Primitives", "MemcacheProtocol", "Storage", "HotKeys", "Placement", "SWIM", "Raft",
                "DataPlane", "ControlPlane",
                "CLinux", "COpenSSL",
                "CIntrinsics", .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict + sanitized),
        .target(
            name: "LoadGenerator",
            dependencies: [
                "Primitives", "Placement", "CLinux", "CIntrinsics",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ], swiftSettings: strict),
        // r5
        .target(
            name: "Console", dependencies: ["LoadGenerator", "Primitives"], swiftSettings: strict),
        // r6
        .executableTarget(
            name: "kiln",
            dependencies: [
                "CacheNode", "LoadGenerator", "Console", "Placement",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        // Benchmarks
        .executableTarget(
            name: "kiln-micro",
            dependencies: [
                "Primitives", "MemcacheProtocol", "Storage", "HotKeys", "Placement", "DataPlane",
            ],
            path: "Benchmarks/Micro",
            swiftSettings: strict),
        // Tests
        .testTarget(name: "PrimitivesTests", dependencies: ["Primitives"], swiftSettings: strict),
        .testTarget(
            name: "MemcacheProtocolTests", dependencies: ["MemcacheProtocol", "Primitives"],
            swiftSettings: strict),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "Primitives"], swiftSettings: strict),
        .testTarget(
            name: "DataPlaneTests",
            dependencies: ["DataPlane", "MemcacheProtocol", "Storage", "Primitives"],
            swiftSettings: strict),
        .testTarget(
            name: "HotKeysTests", dependencies: ["HotKeys", "Primitives"], swiftSettings: strict),
        .testTarget(
            name: "PlacementTests", dependencies: ["Placement", "Primitives"],
            exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(
            name: "SWIMTests", dependencies: ["SWIM", "TestScripts", "Primitives"],
            exclude: ["Scenarios"],
            swiftSettings: strict),
        .testTarget(
            name: "RaftTests", dependencies: ["Raft", "TestScripts", "Primitives"],
            exclude: ["Scenarios"],
            swiftSettings: strict),
        .testTarget(
            name: "ControlPlaneTests",
            dependencies: ["ControlPlane", "Placement", "SWIM", "Raft", "Primitives"],
            swiftSettings: strict),
        .testTarget(
            name: "CacheNodeTests",
            dependencies: ["CacheNode", "HotKeys", "Placement", "Raft", "Primitives"],
            swiftSettings: strict),
        .testTarget(
            name: "LoadGeneratorTests",
            dependencies: ["LoadGenerator", "Placement", "Primitives"], swiftSettings: strict),
        .testTarget(
            name: "ConsoleTests", dependencies: ["Console", "LoadGenerator"],
            swiftSettings: strict),
        // Scripts that one pure value plays.
        .target(name: "TestScripts", path: "Tests/TestScripts", swiftSettings: strict),
        // Clusters of the pure protocols on a virtual network, clock and disk.
        .target(
            name: "ClusterSimulator",
            dependencies: [
                "Primitives", "MemcacheProtocol", "Storage", "Placement", "SWIM", "Raft",
                "DataPlane", "ControlPlane",
            ],
            path: "Tests/ClusterSimulator", swiftSettings: strict),
        .executableTarget(
            name: "kiln-simulate", dependencies: ["ClusterSimulator"],
            path: "Tests/Simulate", swiftSettings: strict),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["ClusterSimulator", "SWIM", "Raft", "Primitives"],
            swiftSettings: strict),
        .testTarget(
            name: "KilnCommandTests",
            dependencies: [
                "kiln", "CacheNode",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        // It starts the built executable: hence the dependency.
        .testTarget(name: "NodeTests", dependencies: ["kiln"], swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
