import Common
import CoordinatorCore
import Foundation

/// `users`: who may sign in at the edges.
extension Command {
    static let users = Command(
        name: "users", form: "add|list|set-role|set-password|disable|enable [NAME] [--role ROLE] [--json]",
        summary: """
            Says who may sign in at the edges. The password is asked for, or read from standard input, one line. Roles: viewer
            (reads), operator (reads and publishes), admin (everything), and those that streams list.
            """, example: "users add ada --role operator"
    ) { arguments, settings in
        let role = try arguments.option("--role")
        let isJSON = arguments.flag("--json")
        let action = try arguments.next("add, list, set-role, set-password, disable or enable")
        guard ["add", "list", "set-role", "set-password", "disable", "enable"].contains(action) else {
            throw arguments.usage("'\(action)' is not add, list, set-role, set-password, disable or enable")
        }
        let name = action == "list" ? "" : try arguments.next("a user's name")
        try arguments.finish()
        let needsRole = action == "add" || action == "set-role"
        guard needsRole == (role != nil) else {
            throw arguments.usage(needsRole ? "--role is missing" : "--role goes with add and set-role")
        }
        guard !isJSON || action == "list" else { throw arguments.usage("--json goes with list") }
        var users = try UserAccounts(try settings.configuration(.postgres))
        switch action {
        case "list":
            let all = try users.list()
            if isJSON { try printJSON(all) } else { print(UserList.text(all), terminator: "") }
        case "add":
            try users.require(role: role!)
            try users.add(name, role: role!, password: try PasswordPrompt.read(for: name), by: Settings.user)
        case "set-role": try users.setRole(of: name, to: role!, by: Settings.user)
        case "set-password":
            try users.requireUser(name)
            try users.setPassword(of: name, to: try PasswordPrompt.read(for: name), by: Settings.user)
        default: try users.setDisabled(name, action == "disable", by: Settings.user)
        }
        return .success
    }
}

/// Users, for people.
private enum UserList {
    static func text(_ users: [UserAccounts.User]) -> String {
        guard !users.isEmpty else { return "nobody yet; see: coordinator users --help\n" }
        let name = max(4, users.map(\.name.count).max()!)
        let role = max(4, users.map(\.role.count).max()!)
        func line(_ first: String, _ second: String, _ rest: String) -> String {
            first.padding(toLength: name + 2, withPad: " ", startingAt: 0)
                + second.padding(toLength: role + 2, withPad: " ", startingAt: 0) + rest + "\n"
        }
        return line("NAME", "ROLE", "SINCE")
            + users.map { line($0.name, $0.role, $0.createdAt + ($0.disabled ? "  disabled" : "")) }.joined()
    }
}
