import Common
import Foundation
import Testing

@Suite("Log lines")
struct LogTests {
    private let time = Date(timeIntervalSince1970: 1_764_108_000.25)

    @Test("A terminal gets the message, a file also time and level, and each is one line")
    func text() {
        let message = "Postgres: away\nfor long"
        #expect(
            Log(process: "coordinator", form: .terminal).line(message, .warning, shard: 2, at: time)
                == "coordinator: Postgres: away␊for long")
        #expect(
            Log(process: "shard-worker", shard: 3, form: .text).line(message, .error, at: time)
                == "2025-11-25T22:00:00.250Z error shard-worker: shard 3: Postgres: away␊for long")
    }

    @Test("As JSON a line has its fields; those that say nothing are left out")
    func json() throws {
        func fields(_ line: String) throws -> [String: String] {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(object).mapValues { "\($0)" }
        }
        let log = Log(process: "coordinator", form: .json)
        let line = log.line("\"a\"\n/\u{1B}", .warning, shard: 2, source: 7, at: time)
        #expect(!line.contains("\n"))
        #expect(
            try fields(line) == [
                "time": "2025-11-25T22:00:00.250Z", "level": "warning", "process": "coordinator", "pid": "\(getpid())",
                "shard": "2", "source": "7", "message": "\"a\"\n/\u{1B}",
            ])
        #expect(
            Set(try fields(log.line("started", .info, at: time)).keys) == [
                "time", "level", "process", "pid", "message",
            ])
        // A worker's own shard is in each of its lines.
        let worker = Log(process: "shard-worker", shard: 3, form: .json)
        #expect(try fields(worker.line("ended", .error, at: time))["shard"] == "3")
    }

    @Test("The variable takes two words, and any other is told")
    func form() throws {
        #expect(try Log.form(in: [Log.variable: "json"]) == .json)
        #expect(try Log.form(in: [Log.variable: "text"]) == .text)
        #expect {
            _ = try Log.form(in: [Log.variable: "yaml"])
        } throws: { "\($0)".contains("text or json, not 'yaml'") }
    }
}
