import Common
import Foundation
import TestSupport
import Testing

@Suite("coordinator tail", .serialized, .timeLimit(.minutes(3)))
struct TailTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)])

    private func produce(_ fleet: Fleet, _ range: Range<Int>) throws {
        for partition in 0..<fleet.partitions {
            let values = range.map { #"{"n":\#($0 * 10 + Int(partition))}"# }
            try fleet.kafka.produce(values, to: fleet.topic, partition: partition)
        }
    }

    private func numbers(_ text: String) -> [Int] {
        text.split(separator: "\n").compactMap { Int($0.filter(\.isNumber)) }
    }

    @Test("Rows come once each and in the order of their source, from the beginning on, over the death of a worker")
    func fromTheBeginning() throws {
        let fleet = try Fleet(Self.events, partitions: 2)
        try fleet.launch(shards: 2)
        try produce(fleet, 0..<1000)
        try fleet.waitForRecords(2000)
        let output = Pipe()
        let tail = try fleet.commandProcess(["tail", "events", "--from", "earliest", "--count", "4000"])
        tail.standardOutput = output
        try tail.run()
        let victim = try #require(fleet.workerPIDs().first)
        kill(victim, SIGKILL)
        try produce(fleet, 1000..<2000)
        let printed = numbers(
            String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self))
        tail.waitUntilExit()
        #expect(tail.terminationStatus == 0)
        for partition in 0..<2 {
            #expect(printed.filter { $0 % 10 == partition } == (0..<2000).map { $0 * 10 + partition })
        }
    }

    @Test("So many rows back, and then what is committed meanwhile")
    func someBack() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.launch(shards: 1)
        try produce(fleet, 0..<100)
        try fleet.waitForRecords(100)
        let output = Pipe()
        let tail = try fleet.commandProcess(["tail", "events", "--from", "5", "--count", "10"])
        tail.standardOutput = output
        try tail.run()
        var text = ""
        while numbers(text).count < 5 {
            text += String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        }
        try produce(fleet, 100..<105)
        text += String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(numbers(text) == (95..<105).map { $0 * 10 })
        #expect(try fleet.command("tail", "nothing").code == ExitCode.usage.rawValue)
        #expect(try fleet.command("tail", "events", "--from", "yesterday").code == ExitCode.usage.rawValue)
    }
}
