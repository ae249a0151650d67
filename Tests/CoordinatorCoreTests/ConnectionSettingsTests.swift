import Common
import CoordinatorCore
import Foundation
import Testing

/// Where Kafka and Postgres are: what each form of saying it means, and who gets to see it.
@Suite("Connection settings")
struct ConnectionSettingsTests {
    private func postgres(_ text: String = "{}", _ environment: [String: String] = [:], envFile: String? = nil) throws
        -> [String: String]
    {
        try sources(text, envFile: envFile, environment: environment).configuration(workerExecutable: "w").postgres
    }

    private static let url = "postgresql://me:p%40ss@db.example:5433/traffic?sslmode=require"
    private static let parts = [
        "host": "db.example", "port": "5433", "dbname": "traffic", "user": "me", "password": "p@ss",
        "sslmode": "require",
    ]

    @Test("A URL or libpq's own text says the same in DATABASE_URL, in PGDATABASE, in .env and in Config.json")
    func forms() throws {
        #expect(try postgres("{}", ["DATABASE_URL": Self.url]) == Self.parts)
        #expect(try postgres("{}", ["PGDATABASE": Self.url]) == Self.parts)
        #expect(try postgres("{}", envFile: "export DATABASE_URL='\(Self.url)'\n") == Self.parts)
        #expect(try postgres(#"{"postgres":{"dbname":"\#(Self.url)"}}"#) == Self.parts)
        let text = "host=db.example port=5433 dbname=traffic user=me password=p@ss sslmode=require"
        #expect(try postgres("{}", ["PGDATABASE": text]) == Self.parts)
        #expect(try postgres("{}", ["PGDATABASE": "traffic"]) == ["dbname": "traffic"])
    }

    @Test("What the URL leaves out comes from the variables beside it; what it says comes before them")
    func mixed() throws {
        let environment = ["DATABASE_URL": "postgres://db/traffic", "PGHOST": "other", "PGPASSWORD": "s3cret"]
        #expect(try postgres("{}", environment) == ["host": "db", "dbname": "traffic", "password": "s3cret"])
        #expect(try postgres(#"{"postgres":{"host":"file","user":"u"}}"#, environment)["user"] == "u")
    }

    @Test("All that libpq reads from the environment counts in .env too")
    func environmentFile() throws {
        let text = "PGHOST=h\nPGCONNECT_TIMEOUT=3\nPGOPTIONS='-c work_mem=8MB'\nPGTARGETSESSIONATTRS=read-write\n"
        #expect(
            try postgres("{}", envFile: text) == [
                "host": "h", "connect_timeout": "3", "options": "-c work_mem=8MB", "target_session_attrs": "read-write",
            ])
    }

    @Test(
        "A text that is no connection string is refused without a word of it",
        arguments: [
            "postgresql://me:s3cret@[::1/x", "postgresql://me:s3cret@db/x?s3cret=1", "mysql://me:s3cret@db/x",
            "host=db password=s3cret words", "s3cret",
        ])
    func wrong(text: String) {
        do {
            _ = try sources(environment: ["DATABASE_URL": text]).configuration(workerExecutable: "w")
            Issue.record("it was taken")
        } catch {
            #expect((error as? StartError)?.exitCode == .configuration)
            #expect("\(error)".hasPrefix("DATABASE_URL is not a connection") && !"\(error)".contains("s3cret"))
        }
    }

    @Test("A child's environment has nothing by which Kafka or Postgres is reached")
    func children() {
        let given = [
            "PATH": "/bin", "DATABASE_URL": Self.url, "PGHOST": "h", "PGPASSWORD": "s", "PGPASSWORD_FILE": "/f",
            "KAFKA_BOOTSTRAP_SERVERS": "k", "KAFKA_SASL_USERNAME": "u",
            "KAFKA_SASL_PASSWORD": "s",
            "KAFKA_HEAP_OPTS": "-Xmx1g", "NOTIFY_SOCKET": "/n", "SWIFT_BACKTRACE": "enable=no",
        ]
        #expect(
            ChildCommand.environment(of: given) == [
                "PATH": "/bin", "KAFKA_HEAP_OPTS": "-Xmx1g", "SWIFT_BACKTRACE": "enable=no",
            ])
    }
}
