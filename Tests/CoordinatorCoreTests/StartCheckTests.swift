import Common
import CoordinatorCore
import Foundation
import Postgres
import Schema
import TestSupport
import Testing

/// What `check` says of a Kafka and a Postgres that would keep a fleet from working.
@Suite("Checking a start", .serialized, .timeLimit(.minutes(10)))
struct StartCheckTests {
    private func configuration(
        _ topic: String, kafka: [String: String]? = nil, postgres: [String: String]? = nil, mode: StreamMode = .append
    ) throws -> CoordinatorConfiguration {
        let stream = StreamDefinition(
            name: "events", topics: [topic], mode: mode, key: mode == .append ? [] : ["n"],
            columns: [Column("n", .bigint, required: true)])
        return CoordinatorConfiguration(
            shards: 1, streams: [stream], kafka: try kafka ?? TestKafka.shared.get().configuration,
            postgres: try postgres ?? TestPostgres.shared.get().makeDatabase(), runtimeFolder: "/tmp/none",
            workerExecutable: "none")
    }

    private func expect(
        _ configuration: CoordinatorConfiguration, _ code: ExitCode, _ texts: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let problem = StartCheck(configuration).problem
        #expect(problem?.exitCode == code, "\(problem?.description ?? "none")", sourceLocation: sourceLocation)
        for text in texts {
            #expect(
                problem?.description.contains(text) == true, "\(problem?.description ?? "none")",
                sourceLocation: sourceLocation)
        }
    }

    @Test(
        "An advertised address that can't be reached, a refused login, TLS against plaintext, a right that is missing")
    func kafka() throws {
        let (login, far, tls) = (try FreePort.random(), try FreePort.random(), try FreePort.random())
        let certificate = try shell("mktemp /tmp/millrace-tls-XXXXXX")
        defer { try? FileManager.default.removeItem(atPath: certificate) }
        try shell(
            """
            openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout - -out - 2>/dev/null >\(certificate)
            """)
        let kafka = try TestKafka { port, controller in
            """
            listeners=PLAINTEXT://127.0.0.1:\(port),CONTROLLER://127.0.0.1:\(controller),SASL_PLAINTEXT://127.0.0.1:\(login),FAR://127.0.0.1:\(far),SSL://127.0.0.1:\(tls)
            advertised.listeners=PLAINTEXT://127.0.0.1:\(port),SASL_PLAINTEXT://127.0.0.1:\(login),FAR://nowhere.invalid:\(far),SSL://127.0.0.1:\(tls)
            listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,FAR:PLAINTEXT,SSL:SSL
            ssl.keystore.type=PEM
            ssl.keystore.location=\(certificate)
            sasl.enabled.mechanisms=PLAIN
            listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_fleet="right";
            authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
            super.users=User:ANONYMOUS

            """
        }
        let topic = try kafka.makeTopic(partitions: 3)
        expect(
            try configuration(topic, kafka: ["bootstrap.servers": "127.0.0.1:\(far)"]), .unavailable,
            "broker 1 says that it is at nowhere.invalid:", "advertised.listeners")
        expect(
            try configuration(topic, kafka: kafka.configuration.merging(["security.protocol": "ssl"]) { $1 }),
            .unavailable, "does not answer", "KAFKA_SECURITY_PROTOCOL", "SSL")
        let encrypted = ["bootstrap.servers": "127.0.0.1:\(tls)"]
        expect(
            try configuration(topic, kafka: encrypted), .unavailable, "does not answer", "KAFKA_SECURITY_PROTOCOL",
            "SSL")
        expect(
            try configuration(topic, kafka: encrypted.merging(["security.protocol": "ssl"]) { $1 }), .unavailable,
            "certificate")

        var properties = [
            "bootstrap.servers": "127.0.0.1:\(login)", "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN",
            "sasl.username": "fleet", "sasl.password": "wrong-s3cret",
        ]
        let refused = try configuration(topic, kafka: properties)
        expect(refused, .configuration, "refuses the login")
        #expect(StartCheck(refused).problem?.description.contains("s3cret") == false)

        properties["sasl.password"] = "right"
        let allowed = try configuration(topic, kafka: properties)
        expect(
            allowed, .configuration, "may not read it, or there is none",
            "--add --allow-principal User:fleet --operation Read --topic \(topic)")
        try kafka.allow("fleet", "Read", topic: topic)
        let lines = StartCheck(allowed).lines
        #expect(lines.contains("stream events: topic \(topic), 3 partitions"), "\(lines)")
        #expect(lines.contains { $0.contains("may not write") && $0.hasSuffix("--operation Write --topic \(topic)") })
        #expect(StartCheck(allowed).problem == nil)
    }

    @Test("Everything that is wrong is told at once, Kafka's and Postgres's")
    func all() throws {
        let server = try TestPostgres.shared.get()
        let postgres = try server.makeDatabase()
        var owner = try Connection.open(parameters: postgres)
        let role = "r_\(UUID().uuidString.prefix(8).lowercased())"
        try owner.execute("CREATE ROLE \(role) LOGIN; CREATE TABLE events (n text)")
        let missing = "none-\(UUID().uuidString)"
        expect(
            try configuration(missing, postgres: postgres), .configuration,
            "topic '\(missing)' of stream 'events' does not exist",
            "column 'n' is text, not bigint")
        expect(
            try configuration(missing, postgres: postgres.merging(["user": role]) { $1 }), .configuration,
            "does not exist", "GRANT CREATE ON DATABASE", "GRANT SELECT, INSERT ON \"public\".\"events\" TO \(role)")
        expect(
            try configuration(missing, kafka: ["bootstrap.servers": "127.0.0.1:1"], postgres: ["host": "/nowhere"]),
            .unavailable, "Kafka at 127.0.0.1:1 does not answer", "Postgres: connect")
    }

    @Test("A role that may not create is told nothing where all is there")
    func leastPrivilege() throws {
        let postgres = try TestPostgres.shared.get().makeDatabase()
        let topic = try TestKafka.shared.get().makeTopic()
        var owner = try Connection.open(parameters: postgres)
        let role = "r_\(UUID().uuidString.prefix(8).lowercased())"
        let configuration = try configuration(topic, postgres: postgres.merging(["user": role]) { $1 }, mode: .upsert)
        try owner.execute(Migrations(schema: MillraceSchema(), streams: configuration.streams).sql)
        try owner.execute(
            """
            REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE \(role) LOGIN; GRANT USAGE ON SCHEMA millrace TO \(role);
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA millrace TO \(role);
            GRANT SELECT, INSERT, UPDATE ON public.events TO \(role);
            """)
        let problem = StartCheck(configuration).problem
        #expect(problem == nil, "\(problem?.description ?? "")")
        var registry = try SourceRegistry(configuration)
        #expect(try registry.prepare() == 0)
    }

    @Test("What keeps a registry from its tables is said again by each try, on the same connection")
    func tries() throws {
        let postgres = try TestPostgres.shared.get().makeDatabase()
        var owner = try Connection.open(parameters: postgres)
        try owner.execute("CREATE TABLE events (n text)")
        var registry = try SourceRegistry(try configuration(try TestKafka.shared.get().makeTopic(), postgres: postgres))
        func reason(_ body: (inout SourceRegistry) throws -> Void) -> String {
            do { try body(&registry) } catch { return "\(error)" }
            return ""
        }
        let first = reason { _ = try $0.prepare() }
        #expect(first.contains("column 'n' is text, not bigint"), "\(first)")
        for _ in 0..<3 {
            let again = reason { try $0.reconnect() }
            #expect(again == first)
        }
    }

    @Test(
        "PgBouncer that gives each transaction another session is refused; with a session each it will do",
        .enabled(if: TestPooler.isInstalled))
    func pooler() throws {
        let postgres = try TestPostgres.shared.get().makeDatabase()
        let topic = try TestKafka.shared.get().makeTopic()
        let transactions = try TestPooler(before: postgres, mode: "transaction")
        let shared = try configuration(topic, postgres: transactions.parameters(postgres))
        expect(shared, .configuration, "a pooler gives each transaction another session", "pool_mode = session")
        #expect(throws: StartError.self) {
            var registry = try SourceRegistry(shared)
            _ = try registry.prepare()
        }
        let sessions = try TestPooler(before: postgres, mode: "session")
        let own = try configuration(topic, postgres: sessions.parameters(postgres))
        let problem = StartCheck(own).problem
        #expect(problem == nil, "\(problem?.description ?? "")")
    }
}
