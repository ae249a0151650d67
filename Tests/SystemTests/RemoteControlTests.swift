import Common
import Foundation
import TestSupport
import Testing

@Suite("The control channel over tcp", .serialized, .timeLimit(.minutes(5)))
struct RemoteControlTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    private func remote(_ fleet: Fleet) throws -> StatusReport.RemoteControl {
        try #require(try fleet.waitForStatus("an answer") { $0.remoteControl != nil }.remoteControl)
    }

    /// Connects and writes bytes that are no greeting of ours.
    private func throwGarbage(at port: UInt16, _ generator: inout SeededGenerator) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return }
        let bytes = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    @Test("Whoever has a key sees the status and can steer nothing; strangers and garbage disturb nobody")
    func keys() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        fleet.controlAddress = "tcp://127.0.0.1:*"
        let key = fleet.folder + "/friend.keys"
        try fleet.done("start", "--shards", "1", "--detach")
        defer { _ = try? fleet.command("stop") }
        let endpoint = try remote(fleet).endpoint
        try fleet.done("keys", "add", "friend").write(toFile: key, atomically: false, encoding: .utf8)
        #expect(try fleet.done("keys", "list").hasPrefix("friend  "))
        // The coordinator sees a new key at its next tick.
        func look(_ file: String) throws -> Fleet.Output {
            try fleet.command("status", "--json", "--remote", endpoint, "--key", file)
        }
        try fleet.wait("the friend's look at the status") { try look(key).code == ExitCode.success.rawValue }

        // A key of another fleet's list is a stranger's here, though it knows this server's key.
        let other = try Fleet(Self.events, partitions: 1)
        let lines = try other.done("keys", "add", "stranger").split(separator: "\n")
        let own = try String(contentsOfFile: key, encoding: .utf8).split(separator: "\n")
        let stranger = fleet.folder + "/stranger.keys"
        try "\(lines[0])\n\(own[1])\n".write(toFile: stranger, atomically: false, encoding: .utf8)
        let refused = try look(stranger)
        #expect(refused.code == ExitCode.unavailable.rawValue && refused.text == "")
        #expect(try remote(fleet).refused >= 1)

        let port = try #require(UInt16(endpoint.split(separator: ":").last!))
        var generator = SeededGenerator(seed: 1)
        let pids = fleet.workerPIDs()
        for _ in 0..<300 { throwGarbage(at: port, &generator) }
        try fleet.kafka.produce((0..<1000).map { #"{"n":\#($0)}"# }, to: fleet.topic)
        try fleet.waitForRecords(1000)
        #expect(try look(key).code == ExitCode.success.rawValue)
        #expect(fleet.workerPIDs() == pids)
        #expect(try fleet.status()?.healthy == true)

        try fleet.done("keys", "remove", "friend")
        try fleet.wait("the friend to be a stranger") { try look(key).code == ExitCode.unavailable.rawValue }
    }
}
