import Common
import CoordinatorCore
import Foundation
import Testing

@Suite("Configuration")
struct ConfigurationTests {
    private static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test("The example is the built-in streams, with retention")
    func example() throws {
        let text = try String(contentsOf: Self.checkout.appending(path: "deploy/Config.json"), encoding: .utf8)
        let configuration = try sources(text).configuration(workerExecutable: "w")
        var expected = BuiltInStreams.all()
        expected[0].retain = RetentionPeriod("30d")
        #expect(configuration.streams == expected)
        #expect(configuration.shards == 4 && configuration.kafka["bootstrap.servers"] == "kafka:9092")
    }

    @Test("A flag comes before the environment, that before the environment file, that before Config.json")
    func precedence() throws {
        let file = #"{"shards":1,"kafka":{"bootstrap.servers":"file:1"},"postgres":{"host":"file","port":"1"}}"#
        let envFile = "# a comment\nMILLRACE_SHARDS=2\nKAFKA_BOOTSTRAP_SERVERS='env file:2'\nPGHOST=\"env file\"\n"
        let environment = ["MILLRACE_SHARDS": "3", "KAFKA_BOOTSTRAP_SERVERS": ""]
        func shards(_ sources: ConfigurationSources) throws -> Int32 {
            try sources.configuration(workerExecutable: "w").shards
        }
        #expect(try shards(sources(file)) == 1)
        #expect(try shards(sources(file, envFile: envFile)) == 2)
        #expect(try shards(sources(file, envFile: envFile, environment: environment)) == 3)
        #expect(try shards(sources(file, envFile: envFile, shards: 4, environment: environment)) == 4)
        let whole = try sources(file, envFile: envFile).configuration(workerExecutable: "w")
        #expect(whole.kafka["bootstrap.servers"] == "env file:2")
        #expect(whole.postgres == ["host": "env file", "port": "1"])
    }

    @Test("A secret is read from the file that its _FILE variable names, without its line's end")
    func secretFile() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "mr-\(UUID().uuidString.prefix(8))").path
        try "s3cret\n".write(toFile: path, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let environment = ["PGPASSWORD_FILE": path, "KAFKA_SASL_PASSWORD_FILE": path, "KAFKA_BOOTSTRAP_SERVERS": "k:1"]
        let configuration = try sources(environment: environment).configuration(workerExecutable: "w")
        #expect(configuration.postgres["password"] == "s3cret" && configuration.kafka["sasl.password"] == "s3cret")
    }

    @Test("A line of the environment file that is wrong is told by its number, not by its text")
    func wrongLine() throws {
        do {
            _ = try sources(envFile: "A=1\ns3cret\n")
            Issue.record("it was taken")
        } catch let error as StartError {
            #expect(error.description.contains("line 2") && !error.description.contains("s3cret"))
        }
    }

    @Test(
        "A period is a positive number and a unit",
        arguments: [
            ("90s", 90), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("0d", nil), ("d", nil), ("-1d", nil),
            ("5", nil), ("5w", nil),
        ])
    func period(text: String, seconds: Int64?) {
        #expect(RetentionPeriod(text)?.seconds == seconds)
    }

    @Test("An environment file is read as shells and containers read it")
    func environmentFile() throws {
        let text = """
            \u{FEFF}# a comment\r
            export MILLRACE_SHARDS=3\r
            PGHOST=db  # the nearest\r
            PGUSER='a # b'   # not a comment within quotes
            PGPASSWORD=se#cret="x"
            PGDATABASE=

            KAFKA_BOOTSTRAP_SERVERS="k:1"
            """
        let configuration = try sources(envFile: text).configuration(workerExecutable: "w")
        #expect(configuration.shards == 3 && configuration.kafka["bootstrap.servers"] == "k:1")
        #expect(configuration.postgres == ["host": "db", "user": "a # b", "password": "se#cret=\"x\""])
        #expect(throws: StartError.self) { try sources(envFile: "A=1\nsecret words\n") }
    }

    private func problem(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "none"
    }

    @Test("Keys of Config.json that nothing takes are refused with their place")
    func unknownKeys() {
        let text = #"""
            {"shard":1,"kafka":{"bootstrap.servers":"k"},"streams":[{"name":"a","mode":"append","colums":[],
            "columns":[{"name":"n","type":"bigint","requierd":true,"min":null}]}]}
            """#
        let told = problem { _ = try sources(text) }
        #expect(told.hasSuffix("there is no .shard, .streams[0].columns[0].requierd, .streams[0].colums"))
    }

    @Test("Variables with our prefixes that nothing takes are refused; those that Kubernetes makes are not")
    func unknownVariables() {
        #expect(
            problem { _ = try sources(environment: ["MILLRACE_SHARD_COUNT": "3"]) }.contains("MILLRACE_SHARD_COUNT"))
        #expect(problem { _ = try sources(envFile: "KAFKA_BOOTSTRAP=k") }.contains("KAFKA_BOOTSTRAP"))
        let links = ["KAFKA_PORT": "tcp://10.0.0.1:9092", "KAFKA_SERVICE_HOST": "x", "KAFKA_PORT_9092_TCP": "x"]
        #expect(problem { _ = try sources(environment: links) } == "none")
        #expect(
            problem { _ = try sources(environment: ["KAFKA_SASL_PASSWORD_FILE": "/x", "KAFKA_HOME": "/y"]) } == "none")
    }

    @Test(
        "Properties on which the promises rest are refused with the reason",
        arguments: [
            "auto.offset.reset", "enable.partition.eof", "enable.auto.commit", "enable.auto.offset.store",
            "isolation.level",
        ])
    func productProperties(name: String) throws {
        let text = #"{"kafka":{"bootstrap.servers":"k","\#(name)":"earliest"}}"#
        let told = problem { _ = try sources(text).configuration(workerExecutable: "w") }
        #expect(told.hasPrefix("kafka property '\(name)' can't be set: "))
    }

    @Test(
        "Postgres is configured by whatever says where it is, not by who logs in or how",
        arguments: [
            (["PGHOST": "h"], false), (["PGHOSTADDR": "127.0.0.1"], false), (["PGPORT": "5433"], false),
            (["PGSERVICE": "s"], false), (["PGDATABASE": "d"], false), (["PGUSER": "u", "PGPASSWORD": "p"], true),
            (["PGSSLMODE": "require"], true), ([:], true),
        ])
    func configuredPostgres(environment: [String: String], isMissing: Bool) throws {
        var configuration = try sources(environment: environment).configuration(workerExecutable: "w")
        #expect(configuration.lacksPostgres == isMissing && configuration.lacksKafka)
        configuration.embedWhatIsMissing(kafka: .automatic)
        #expect(configuration.embedded.postgres == isMissing && configuration.embedded.kafka == .automatic)
    }

    @Test("A configured Kafka is never embedded, whatever kind was wished for")
    func configuredKafka() throws {
        let file = #"{"kafka":{"bootstrap.servers":"k:1"},"postgres":{"dbname":"d"}}"#
        var configuration = try sources(file).configuration(workerExecutable: "w")
        configuration.embedWhatIsMissing(kafka: .mock)
        #expect(configuration.embedded == EmbeddedPlan())
    }

    @Test("Which edges a coordinator runs: flags before the environment, before Config.json")
    func edges() throws {
        let file = #"{"edges":1,"edge_host":"0.0.0.0","edge_port":9000}"#
        func plan(_ environment: [String: String]) throws -> EdgePlan {
            try sources(file, environment: environment).configuration(workerExecutable: "w").edges
        }
        let fromFile = try plan([:])
        #expect(fromFile.count == 1 && fromFile.host == "0.0.0.0" && fromFile.firstPort == 9000)
        let fromEnvironment = try plan(["MILLRACE_EDGES": "3", "MILLRACE_EDGE_HOST": "::1", "MILLRACE_EDGE_PORT": "0"])
        #expect(fromEnvironment.count == 3 && fromEnvironment.host == "::1" && fromEnvironment.firstPort == 0)
        for wrong in [["MILLRACE_EDGE_PORT": "65536"], ["MILLRACE_EDGES": "101"]] {
            #expect(throws: StartError.self) { try plan(wrong) }
        }
    }
}
