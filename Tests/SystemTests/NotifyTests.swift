import Common
import Foundation
import TestSupport
import Testing

@Suite("Under a service manager", .serialized, .timeLimit(.minutes(5)))
struct NotifyTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    @Test(
        "The manager is told of the start, of health, of life again and again, and of the stop; workers tell nothing",
        arguments: [false, true])
    func notified(isAbstract: Bool) throws {
        let socket = try NotifySocket(isAbstract: isAbstract)
        let fleet = try Fleet(Self.events, partitions: 1)
        let output = try fleet.command(
            ["start", "--shards", "1", "--detach"],
            environment: ["NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "400000"])
        #expect(output.code == 0, "\(output.errors)")
        defer { _ = try? fleet.command("stop") }
        let first = try #require(socket.receive())
        #expect(first.hasPrefix("READY=1\nSTATUS=not healthy: shard 0 is starting"), "\(first)")
        let untilHealthy = socket.receive { $0.hasPrefix("STATUS=healthy, generation ") }
        #expect(untilHealthy.last?.hasSuffix(" 1 shards, 1 sources") == true, "\(untilHealthy)")
        for _ in 0..<3 { #expect(socket.receive { $0 == "WATCHDOG=1" }.last == "WATCHDOG=1") }
        let worker = try #require(fleet.workerPIDs().first)
        let environment = try Data(contentsOf: URL(filePath: "/proc/\(worker)/environ"))
        for name in ["NOTIFY_SOCKET=", "WATCHDOG_USEC="] { #expect(environment.range(of: Data(name.utf8)) == nil) }
        try fleet.done("stop")
        let rest = socket.receive { $0 == "STOPPING=1" }
        #expect(rest.last == "STOPPING=1" && !rest.contains { $0.hasPrefix("READY") }, "\(rest)")
    }

    @Test("An edge tells of its start, of workers that it hears, of life, and of its end")
    func edge() throws {
        let socket = try NotifySocket(isAbstract: true)
        let fleet = try Fleet(Self.events, partitions: 1)
        let edge = try EdgeUnderTest(
            fleet, name: "notified", environment: ["NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "2000000"])
        #expect(socket.receive() == "READY=1\nSTATUS=no worker is heard yet")
        try fleet.launch(shards: 1)
        let untilHeard = socket.receive { $0 == "STATUS=0 clients, workers are heard" }
        #expect(untilHeard.last?.hasSuffix("workers are heard") == true, "\(untilHeard)")
        #expect(socket.receive { $0 == "WATCHDOG=1" }.last == "WATCHDOG=1")
        #expect(edge.drain() == ExitCode.success.rawValue)
        #expect(socket.receive { $0 == "STOPPING=1" }.last == "STOPPING=1")
    }
}
