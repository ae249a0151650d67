import Common
import CoordinatorCore
import Foundation
import Kafka
import TestSupport
import Testing

@Suite("Producing", .serialized, .timeLimit(.minutes(5)))
struct ProduceTests {
    private let kafka: TestKafka

    init() throws {
        kafka = try TestKafka.shared.get()
    }

    private func events(_ topic: String) -> StreamDefinition {
        StreamDefinition(
            name: "events", topics: [topic], mode: .append, key: ["k"],
            columns: [Column("k", .text, required: true), Column("n", .bigint)])
    }

    private func builtIn(_ topics: [String]) -> [StreamDefinition] {
        zip(BuiltInStreams.all(), topics).map { stream, topic in
            var stream = stream
            stream.topics = [topic]
            return stream
        }
    }

    private func command(_ words: String..., topic: String, kafka: TestKafka? = nil) throws -> ProduceCommand {
        try ProduceCommand(words, [events(topic)], kafka: (kafka ?? self.kafka).configuration)
    }

    private func records(_ topic: String, partitions: Int32, kafka: TestKafka? = nil) throws -> [[KeptRecord]] {
        let kafka = kafka ?? self.kafka
        return try kafka.read(topic, to: kafka.ends(topic, partitions: partitions))
    }

    /// Waits until the one partition of a topic holds so many records.
    private func wait(for count: Int64, in topic: String, _ command: ProduceCommand) throws {
        let deadline = Date.now + 60
        while try kafka.ends(topic, partitions: 1)[0] < count {
            try #require(Date.now < deadline, "\(command.output)\(command.errors)")
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    @Test("A made-up city sends as many records as it is told to, each reporter into one partition under its key")
    func simulated() throws {
        let topics = try (0..<2).map { _ in try kafka.makeTopic(partitions: 4) }
        let command = try ProduceCommand(
            ["--count", "3000", "--json"], builtIn(topics), kafka: kafka.configuration)
        #expect(try command.run() == 0, "\(command.errors)")
        let summary = try command.summary()
        #expect(summary.records == 3000 && summary.acknowledged == 3000 && summary.failed == 0)
        var found = 0
        for (topic, field) in zip(topics, ["stream_id", "sku"]) {
            var partitions: [String: Set<Int>] = [:]
            for (partition, records) in try records(topic, partitions: 4).enumerated() {
                found += records.count
                for record in records {
                    let key = try #require(record.key)
                    partitions[key, default: []].insert(partition)
                    #expect(record.value?.contains("\"\(field)\":\"\(key)\"") == true)
                }
            }
            #expect(partitions.values.allSatisfy { $0.count == 1 })
            #expect(Set(partitions.values.flatMap { $0 }).count == 4)
        }
        #expect(found == 3000)
    }

    @Test("A table with other names than the stream's is mapped; its keys are those of the stream")
    func table() throws {
        let topic = try kafka.makeTopic()
        let command = try command("--file", "t.csv", "--map", "k=Name", "--map", "n=How many", topic: topic)
        try command.write(
            "\u{FEFF}Name,Note,How many\r\n\"a, \"\"b\"\"\",x,1\r\n\"two\r\nlines\",,2\r\nc,,\r\n", to: "t.csv")
        #expect(try command.run() == 0, "\(command.errors)")
        #expect(command.output.hasPrefix("3 records acknowledged") && command.output.split(separator: "\n").count == 1)
        #expect(command.errors.isEmpty)
        let found = try records(topic, partitions: 1)[0]
        #expect(found.map(\.key) == ["a, \"b\"", "two\r\nlines", "c"])
        #expect(
            found.map(\.value) == [
                #"{"k":"a, \"b\"","n":1}"#, #"{"k":"two\r\nlines","n":2}"#, #"{"k":"c","n":null}"#,
            ])
    }

    @Test("What comes through standard input is sent as it comes, not when it ends")
    func standardInput() throws {
        let topic = try kafka.makeTopic()
        let command = try command("events", "--file", "-", "--json", topic: topic)
        try command.start()
        try command.send("{\"k\":\"a\", \"n\":1}\n{\"k\":\"b\"")
        try wait(for: 1, in: topic, command)
        try command.send("}\n{\"k\":\"c\"}")
        try wait(for: 2, in: topic, command)
        try command.closeInput()
        #expect(try command.wait() == 0 && command.summary().acknowledged == 3)
        #expect(
            try records(topic, partitions: 1)[0].map(\.value) == [
                "{\"k\":\"a\", \"n\":1}", "{\"k\":\"b\"}", "{\"k\":\"c\"}",
            ])
    }

    @Test("A broken line ends a run with what came before it sent, or is skipped when it is to keep going")
    func brokenLines() throws {
        let text = "{\"k\":\"a\"}\n{\"k\":\n{\"k\":\"b\"}\n[]\n"
        for keepsGoing in [false, true] {
            let topic = try kafka.makeTopic()
            let command =
                keepsGoing
                ? try command("--file", "f", "--json", "--keep-going", topic: topic)
                : try command("--file", "f", "--json", topic: topic)
            try command.write(text, to: "f")
            #expect(try command.run() == (keepsGoing ? 0 : ExitCode.invalidInput.rawValue), "\(command.errors)")
            let summary = try command.summary()
            #expect(summary.acknowledged == (keepsGoing ? 2 : 1) && summary.skipped == (keepsGoing ? 2 : 0))
            #expect(keepsGoing ? summary.error == nil : summary.error?.hasPrefix("line 2: ") == true, "\(summary)")
            #expect(command.errors.contains("line 4: ") == keepsGoing)
            #expect(try records(topic, partitions: 1)[0].map(\.key) == (keepsGoing ? ["a", "b"] : ["a"]))
        }
    }

    @Test("A record that Kafka would not take for its size is a bad line")
    func tooLarge() throws {
        let topic = try kafka.makeTopic()
        let command = try command("--file", "f", "--json", "--keep-going", topic: topic)
        let large = String(repeating: "x", count: 999_970)
        try command.write("{\"k\":\"a\"}\n{\"k\":\"\(large)\"}\n{\"k\":\"b\"}\n", to: "f")
        #expect(try command.run() == 0, "\(command.errors)")
        #expect(try command.summary().skipped == 1 && command.errors.contains("line 2: has"), "\(command.errors)")
        #expect(try records(topic, partitions: 1)[0].map(\.key) == ["a", "b"])
    }

    @Test("A signal ends a run without an end, with everything acknowledged", arguments: [SIGINT, SIGTERM])
    func stopped(signal: Int32) throws {
        let topic = try kafka.makeTopic()
        let command = try ProduceCommand(
            ["traffic_data", "--rate", "500", "--json"], builtIn([topic]), kafka: kafka.configuration)
        try command.start()
        try wait(for: 100, in: topic, command)
        command.signal(signal)
        #expect(try command.wait() == 0, "\(command.errors)")
        let summary = try command.summary()
        #expect(try summary.records >= 100 && summary.acknowledged == records(topic, partitions: 1)[0].count)
        #expect(summary.acknowledged == summary.records && summary.error == nil)
    }

    @Test("Where Kafka does not answer from the start, that is said in a line, and nothing else happens")
    func unreachable() throws {
        let port = try ClosedPort()
        let command = try ProduceCommand(
            ["--count", "1"], builtIn(["a", "b"]), kafka: ["bootstrap.servers": port.address])
        #expect(try command.run() == ExitCode.unavailable.rawValue)
        #expect(command.output.isEmpty && command.errors.split(separator: "\n").count == 1, "\(command.errors)")
        #expect(command.errors.contains("Kafka at \(port.address) does not answer"))
    }

    @Test("When Kafka goes away, a run ends once a record's time is over, and says how many were not acknowledged")
    func outage() throws {
        let broker = try TestKafka()
        let topic = try broker.makeTopic()
        let configuration = broker.configuration.merging(["delivery.timeout.ms": "10000"]) { $1 }
        let command = try ProduceCommand(
            ["traffic_data", "--rate", "500", "--json"], builtIn([topic]), kafka: configuration)
        try command.start()
        let deadline = Date.now + 60
        while try broker.ends(topic, partitions: 1)[0] < 100 {
            try #require(Date.now < deadline, "\(command.errors)")
            Thread.sleep(forTimeInterval: 0.02)
        }
        try broker.crash()
        #expect(try command.wait() == ExitCode.unavailable.rawValue, "\(command.errors)")
        let summary = try command.summary()
        #expect(summary.failed > 0 && summary.acknowledged + summary.failed == summary.records, "\(summary)")
        #expect(summary.error?.isEmpty == false)
        try broker.revive()
        // What was acknowledged is there; of the rest some may be.
        let kept = try broker.ends(topic, partitions: 1)[0]
        #expect((summary.acknowledged...summary.records).contains(Int(kept)), "\(kept) of \(summary)")
    }

    @Test(
        "What is asked for wrongly is told in a line, and nothing is sent",
        arguments: [
            (["nothing"], ExitCode.usage), ([], .usage), (["events"], .usage), (["--rate", "0"], .usage),
            (["--count", "many"], .usage), (["--file", "missing.csv"], .usage), (["--map", "k=a"], .usage),
            (["--file", "f", "--map", "zz=a"], .usage), (["--file", "f", "--map", "k"], .usage),
            (["--file", "f", "--format", "xml"], .usage), (["--file", "f", "--seed", "3"], .usage),
            (["--file", "f", "--fast"], .usage), (["--file", "f"], .configuration),
        ])
    func mistakes(words: [String], code: ExitCode) throws {
        let command = try ProduceCommand(words, [events("no-such-topic")], kafka: kafka.configuration)
        try command.write("{\"k\":\"a\"}\n", to: "f")
        #expect(try command.run() == code.rawValue, "\(command.errors)")
        #expect(command.output.isEmpty && command.errors.split(separator: "\n").count == 1, "\(command.errors)")
    }
}
