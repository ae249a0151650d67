import Common
import CoordinatorCore
import Foundation
import Testing

/// What is wrong in a configuration is told by its place, with what is right, and without secrets.
@Suite("Mistakes in a configuration")
struct ConfigurationMistakeTests {
    private func problem(_ text: String = "{}", environment: [String: String] = [:]) -> String {
        do {
            _ = try sources(text, environment: environment).configuration(workerExecutable: "w")
            return "none"
        } catch {
            #expect((error as? StartError)?.exitCode == .configuration)
            return "\(error)"
        }
    }

    @Test(
        "A syntax error has its line and column",
        arguments: [
            ("{\n \"shards\": 1,\n \"kafka\": {x}\n}", "line 3, column 12: 'x' is not expected here"),
            (
                "{\n \"shards\": 1\n \"edges\": 2}",
                "line 3, column 2: '\"' is not expected here: is a comma missing before it?"
            ),
            ("{\"shards\": 1, // four\n}", "line 1, column 15: JSON has no comments"),
            ("{\"ä\": 'x'}", "line 1, column 7: JSON has double quotes only"),
            ("{\"shards\": 1,\n", "line 2, column 1: the text ends before the JSON does"),
            ("", "line 1, column 1: the text ends before the JSON does"),
        ])
    func syntax(text: String, told: String) {
        #expect(problem(text).hasSuffix("Config.json: \(told)"), "\(problem(text))")
    }

    @Test(
        "A word that is none of a few is answered with those",
        arguments: [
            (#""mode":"appnd""#, ".streams[0].mode: there is no 'appnd'; it must be 'append', 'upsert' or 'increment'"),
            (
                #""mode":"append","columns":[{"name":"n","type":"int"}]"#,
                ".streams[0].columns[0].type: there is no 'int'; it must be 'text', 'uuid', 'boolean', 'integer', 'bigint', "
                    + "'double precision' or 'timestamptz'"
            ),
            (
                #""mode":"append","columns":[{"name":"n","type":"timestamptz","unit":"sec"}]"#,
                ".streams[0].columns[0].unit: there is no 'sec'; it must be 'days', 's', 'ms', 'us' or 'ns'"
            ),
            (
                #""mode":"append","change_records":"maxwell","columns":[]"#,
                ".streams[0].change_records: there is no 'maxwell'; it must be 'debezium'"
            ),
        ])
    func choices(part: String, told: String) {
        #expect(problem(#"{"streams":[{"name":"a",\#(part)}]}"#).hasSuffix(told))
    }

    @Test("Where a new topic begins is one of two, in the file and in the environment")
    func offsetReset() {
        let told = "it must be 'earliest' or 'latest'"
        #expect(problem(#"{"offset_reset":"newest"}"#).contains(".offset_reset: there is no 'newest'; \(told)"))
        #expect(problem(environment: ["KAFKA_OFFSET_RESET": "newest"]).contains(told))
    }

    @Test("Numbers and booleans are values of properties, as the library of each takes them; null is none")
    func values() throws {
        let text = #"""
            {"kafka":{"bootstrap.servers":"k","socket.timeout.ms":7000,"socket.keepalive.enable":true,"sasl.username":null},
            "postgres":{"host":"h","port":5433,"keepalives":false,"connect_timeout":"3"}}
            """#
        let configuration = try sources(text).configuration(workerExecutable: "w")
        #expect(
            configuration.kafka == [
                "bootstrap.servers": "k", "socket.timeout.ms": "7000", "socket.keepalive.enable": "true",
            ])
        #expect(
            configuration.postgres == ["host": "h", "port": "5433", "keepalives": "0", "connect_timeout": "3"])
        #expect(problem(#"{"kafka":{"bootstrap.servers":["a","b"]}}"#).contains("a property is a text, a number"))
    }

    @Test("A property that librdkafka doesn't know or take is a mistake of the configuration, and its value isn't told")
    func properties() {
        #expect(
            problem(#"{"kafka":{"bootstrap.servers":"k","sasl.pasword":"s3cret"}}"#)
                == "kafka property 'sasl.pasword': librdkafka knows none of that name")
        #expect(
            problem(#"{"kafka":{"bootstrap.servers":"k","security.protocol":"s3cret"}}"#)
                == "kafka property 'security.protocol': librdkafka does not take its value")
        #expect(
            problem(#"{"postgres":{"hosst":"s3cret"}}"#) == "postgres parameter 'hosst': libpq knows none of that name")
        #expect(problem(#"{"postgres":{"client_encoding":"LATIN1"}}"#).contains("can't be set: it is UTF8"))
    }

    @Test("Properties that don't go together are a mistake of the configuration, not a worker's end again and again")
    func combinations() throws {
        let text = #"{"kafka":{"bootstrap.servers":"127.0.0.1:1","acks":1},"postgres":{"host":"h"}}"#
        let configuration = try sources(text).configuration(workerExecutable: "w")
        do throws(StartError) {
            try configuration.checkKafkaProperties()
            Issue.record("it was taken")
        } catch {
            #expect(error.exitCode == .configuration && error.description.contains("acks"))
        }
    }

    @Test("Variables of libpq that there are not are refused; those of its server and of others are not")
    func variables() {
        #expect(problem(environment: ["PGPASS": "x"]).contains("PGPASS;"))
        #expect(problem(environment: ["PGPASWORD_FILE": "/x"]).contains("PGPASWORD_FILE"))
        #expect(problem(environment: ["PGDATA": "x", "PG_VERSION": "17", "PGADMIN_PORT": "1"]) == "none")
    }

    @Test(
        "What would be ignored, or never do, is refused",
        arguments: [
            (#"{"batch_rows":0}"#, [:], "batch_rows must be 1 to 1000000, not 0"),
            (#"{"breaker_records":-1}"#, [:], "breaker_records must be 1 to 1000000, not -1"),
            (#"{"streams":[]}"#, [:], "streams: there are none"),
            (#"{"schema":"pg_mine"}"#, [:], "none of Postgres's own"),
            ("{}", ["MILLRACE_SCHEMA": String(repeating: "a", count: 64)], "1 to 63 bytes"),
            (
                #"{"streams":[{"name":"a","mode":"append","columns":[{"name":"n","type":"text"}]}]}"#,
                ["TRAFFIC_TOPIC": "t"], "TRAFFIC_TOPIC is of the built-in streams"
            ),
            (
                #"{"schema":"ops","streams":[{"name":"a","table":"ops.source","mode":"append","columns":[{"name":"n","type":"text"}]}]}"#,
                [:], "the schema 'ops' is Millrace's own"
            ),
            ("{}", ["TRAFFIC_TOPIC": "stocks"], "'stocks' already belongs to stream"),
            ("{}", ["MILLRACE_WAIT": "maybe"], "it must be true or false"),
        ] as [(String, [String: String], String)])
    func refused(text: String, environment: [String: String], told: String) {
        #expect(problem(text, environment: environment).contains(told), "\(problem(text, environment: environment))")
    }
}
