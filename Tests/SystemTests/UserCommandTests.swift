import Common
import Foundation
import TestSupport
import Testing

@Suite("Users by commands", .serialized, .timeLimit(.minutes(3)))
struct UserCommandTests {
    private static let events = StreamDefinition(
        name: "events", topics: [], mode: .append, columns: [Column("n", .bigint, required: true)],
        publish: ["operator", "sensor"])

    @Test("Users are made, listed, changed and disabled, each with a line in the audit and no password anywhere")
    func life() throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        let early = try fleet.command(["users", "list"])
        #expect(early.code == ExitCode.configuration.rawValue && early.errors.contains("coordinator init-db"))
        try fleet.done("init-db")
        #expect(try fleet.done("users", "list").contains("nobody yet"))
        let password = "a long enough secret"
        func add(_ name: String, _ role: String) throws -> Fleet.Output {
            try fleet.command(["users", "add", name, "--role", role], input: password + "\n")
        }
        #expect(try add("ada", "operator").code == 0)
        #expect(try add("cam-7", "sensor").code == 0)
        let twice = try add("ada", "viewer")
        #expect(twice.code == ExitCode.usage.rawValue && twice.errors.contains("already"))
        #expect(try fleet.command(["users", "set-role", "ada", "--role", "admin"]).code == 0)
        let hash = "SELECT password_hash FROM millrace.users WHERE username = 'ada'"
        let before = try fleet.rows(hash)
        #expect(before[0].hasPrefix("$scrypt$ln="))
        #expect(try fleet.command(["users", "set-password", "ada"], input: password + "\n").code == 0)
        #expect(try fleet.rows(hash) != before)
        #expect(try fleet.command(["users", "disable", "cam-7"]).code == 0)
        let list = try fleet.done("users", "list")
        #expect(list.contains("ada    admin") && list.contains("disabled"))
        #expect(try fleet.done("users", "list", "--json").contains("\"disabled\" : true"))
        #expect(try fleet.command(["users", "enable", "cam-7"]).code == 0)
        #expect(
            try fleet.rows("SELECT action || ' ' || (detail ->> 'user') FROM millrace.audit ORDER BY at")
                == [
                    "user add ada", "user add cam-7", "user set-role ada", "user set-password ada",
                    "user disable cam-7",
                    "user enable cam-7",
                ])
        #expect(try fleet.rows("SELECT count(*) FROM millrace.audit WHERE detail::text LIKE '%secret%'") == ["0"])
    }

    @Test(
        "What can't be is refused with what could",
        arguments: [
            (["add", "ada", "--role", "operater"], "did you mean operator?"), (["add", "ada"], "--role is missing"),
            (["add", "a b", "--role", "viewer"], "a user's name has"),
            (["disable", "nobody"], "there is no user 'nobody'"),
            (["set-password", "nobody"], "there is no user 'nobody'"), (["remove", "ada"], "is not add, list"),
            (["add", "ada", "--role", "public"], "there is no role 'public'"),
            (["list", "--role", "viewer"], "--role goes with"),
            (["add", "ada", "--role", "viewer"], "at least 12 characters"),
        ] as [([String], String)])
    func mistakes(words: [String], said: String) throws {
        let fleet = try Fleet(Self.events, partitions: 1)
        try fleet.done("init-db")
        let output = try fleet.command(["users"] + words, input: "short\n")
        #expect(output.code == ExitCode.usage.rawValue && output.errors.contains(said), "\(output.errors)")
        #expect(!output.errors.contains("short\n"))
    }
}
