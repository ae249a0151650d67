// swift-tools-version: 6.0
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "millrace",
    products: [
        .executable(name: "coordinator", targets: ["coordinator"]),
        .executable(name: "shard-worker", targets: ["shard-worker"]),
        .executable(name: "ws-edge", targets: ["ws-edge"]),
    ],
    targets: [
        // C libraries: one module each, imported by one wrapper each.
        .systemLibrary(name: "CRdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CLibpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CXXHash", providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CJose", providers: [.apt(["libjose-dev"])]),
        .systemLibrary(name: "CLinux"),
        .target(
            name: "CWebSockets", cSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: [.linkedLibrary("websockets"), .linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "CSimdjson", cxxSettings: [.unsafeFlags(["-O3"])], linkerSettings: [.linkedLibrary("simdjson")]),

        // What the processes share.
        .target(
            name: "Common", dependencies: ["CXXHash", "CLinux"], path: "Sources/Common/Core", swiftSettings: strict),
        .target(
            name: "Accounts", dependencies: ["Common", "CCrypto", "CJose"], path: "Sources/Common/Accounts",
            swiftSettings: strict),
        .target(
            name: "JSONRecords", dependencies: ["Common", "CSimdjson"], path: "Sources/Common/JSONRecords",
            swiftSettings: strict),
        .target(
            name: "Kafka", dependencies: ["CRdkafka", "CLinux"], path: "Sources/Common/Kafka", swiftSettings: strict),
        .target(
            name: "Postgres", dependencies: ["Common", "CLibpq"], path: "Sources/Common/Postgres",
            swiftSettings: strict),
        .target(
            name: "Schema", dependencies: ["Common", "Postgres"], path: "Sources/Common/Schema", swiftSettings: strict),
        .target(name: "ZeroMQ", dependencies: ["CZeroMQ"], path: "Sources/Common/ZeroMQ", swiftSettings: strict),

        .target(
            name: "WebServer", dependencies: ["Common", "CLinux", "CWebSockets"], path: "Sources/Common/WebServer",
            swiftSettings: strict),
        .target(
            name: "Feed", dependencies: ["Common", "Postgres", "Schema", "ZeroMQ"], path: "Sources/Common/Feed",
            swiftSettings: strict),

        // The processes.
        .target(
            name: "ShardWorkerCore",
            dependencies: ["Common", "JSONRecords", "Kafka", "Postgres", "Schema", "ZeroMQ", "CLinux"],
            path: "Sources/ShardWorker/Core", swiftSettings: strict),
        .executableTarget(
            name: "shard-worker", dependencies: ["Common", "ShardWorkerCore"], path: "Sources/ShardWorker/Main",
            swiftSettings: strict),
        .target(
            name: "CoordinatorCore",
            dependencies: [
                "Accounts", "Common", "Feed", "JSONRecords", "Kafka", "Postgres", "Schema", "WebServer", "ZeroMQ",
                "CLinux",
            ],
            path: "Sources/Coordinator/Core", swiftSettings: strict),
        .executableTarget(
            name: "coordinator", dependencies: ["Accounts", "Common", "CoordinatorCore", "ZeroMQ"],
            path: "Sources/Coordinator/Main", swiftSettings: strict),
        .target(
            name: "WSEdgeCore",
            dependencies: [
                "Accounts", "Common", "Feed", "JSONRecords", "Kafka", "Postgres", "Schema", "WebServer", "ZeroMQ",
                "CLinux",
            ],
            path: "Sources/WSEdge/Core", swiftSettings: strict),
        .executableTarget(
            name: "ws-edge", dependencies: ["Common", "WSEdgeCore"], path: "Sources/WSEdge", exclude: ["Core"],
            sources: ["Main"], resources: [.copy("Site")], swiftSettings: strict),

        // Tests.
        .target(
            name: "TestSupport",
            dependencies: ["CCrypto", "CJose", "CRdkafka", "Common", "CoordinatorCore", "Kafka", "Postgres", "ZeroMQ"],
            path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(name: "CommonTests", dependencies: ["Common", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "AccountsTests", dependencies: ["Accounts", "Common", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "JSONRecordsTests", dependencies: ["Common", "JSONRecords", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "PostgresTests", dependencies: ["Common", "Postgres", "TestSupport", "coordinator"],
            swiftSettings: strict),
        .testTarget(name: "KafkaTests", dependencies: ["Kafka", "TestSupport", "coordinator"], swiftSettings: strict),
        .testTarget(
            name: "WebServerTests", dependencies: ["Common", "WebServer", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "ZeroMQTests", dependencies: ["ZeroMQ", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "ShardWorkerCoreTests",
            dependencies: [
                "Common", "JSONRecords", "Kafka", "Postgres", "Schema", "ShardWorkerCore", "TestSupport", "coordinator",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "CoordinatorCoreTests",
            dependencies: [
                "Accounts", "Common", "CoordinatorCore", "JSONRecords", "Kafka", "Postgres", "Schema", "TestSupport",
                "ZeroMQ",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FeedTests", dependencies: ["Common", "Feed", "Postgres", "Schema", "TestSupport", "ZeroMQ"],
            swiftSettings: strict),
        .testTarget(
            name: "WSEdgeCoreTests", dependencies: ["Common", "Feed", "TestSupport", "WebServer", "WSEdgeCore"],
            swiftSettings: strict),
        .executableTarget(
            name: "fleet-under-test", dependencies: ["Common", "CoordinatorCore", "TestSupport"],
            path: "Tests/FleetUnderTest",
            swiftSettings: strict),
        .testTarget(
            name: "SystemTests",
            dependencies: [
                "Accounts", "Common", "CoordinatorCore", "Kafka", "Postgres", "ZeroMQ", "TestSupport", "shard-worker",
                "coordinator",
                "ws-edge", "fleet-under-test",
            ], swiftSettings: strict),
        .target(
            name: "BenchmarkSupport", dependencies: ["Common"], path: "Benchmarks/Support",
            swiftSettings: strict),
        .executableTarget(
            name: "hot-path",
            dependencies: [
                "BenchmarkSupport", "Common", "Feed", "JSONRecords", "Schema", "ShardWorkerCore", "WSEdgeCore",
            ],
            path: "Benchmarks/HotPath", exclude: ["instructions"], swiftSettings: strict),
        .executableTarget(
            name: "bench",
            dependencies: [
                "BenchmarkSupport", "Common", "CoordinatorCore", "JSONRecords", "Kafka", "Postgres", "Schema",
                "ShardWorkerCore", "TestSupport", "ZeroMQ", "c-loop", "coordinator", "distance", "fleet-under-test",
                "load", "shard-worker", "ws-edge",
            ],
            path: "Benchmarks/Bench", swiftSettings: strict),
        .executableTarget(
            name: "load", path: "Benchmarks/Load", cSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: [.linkedLibrary("rdkafka")]),
        .executableTarget(name: "distance", path: "Benchmarks/Distance", cSettings: [.unsafeFlags(["-O2"])]),
        .executableTarget(
            name: "c-loop", path: "Benchmarks/CLoop", cSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: [.linkedLibrary("pq"), .linkedLibrary("rdkafka")]),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "Common", "Kafka", "Postgres", "Schema", "ZeroMQ", "TestSupport", "shard-worker", "coordinator",
            ],
            swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)
