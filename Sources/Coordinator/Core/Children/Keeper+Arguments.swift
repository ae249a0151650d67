package import Common

/// On the command line: `coordinator keep [--user NAME] [--signal TERM|INT|QUIT] [--limit SECONDS] [--grace
/// SECONDS] [--lock FILE] -- PROGRAM ARGS…`.
extension Keeper {
    package init(arguments words: [String]) throws(StartError) {
        let end = words.firstIndex(of: "--") ?? words.endIndex
        var arguments = Arguments(Array(words[..<end]), command: "coordinator keep")
        self.init(Array(words[end...].dropFirst()))
        user = try arguments.option("--user")
        if let name = try arguments.option("--signal") {
            guard let known = KeeperSignal(rawValue: name) else {
                throw StartError("--signal is '\(name)'; it must be TERM, INT or QUIT", .usage)
            }
            signal = known
        }
        if let seconds: Int64 = try arguments.number("--limit") { limit = .seconds(seconds) }
        if let seconds: Int64 = try arguments.number("--grace") { grace = .seconds(seconds) }
        lock = try arguments.option("--lock")
        try arguments.finish()
        guard !program.isEmpty else {
            throw StartError("the program is missing: coordinator keep … -- PROGRAM", .usage)
        }
    }

    /// What `init(arguments:)` reads.
    package var arguments: [String] {
        var words = ["--signal", signal.rawValue, "--limit", String(limit.components.seconds)]
        if grace > .zero { words += ["--grace", String(grace.components.seconds)] }
        if let user { words += ["--user", user] }
        if let lock { words += ["--lock", lock] }
        return words + ["--"] + program
    }
}
