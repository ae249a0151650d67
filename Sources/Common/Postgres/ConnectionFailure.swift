/// Why there is no connection, read from libpq's words: for a login that fails it has no other place for the SQLSTATE.
struct ConnectionFailure {
    /// Empty where no server has answered: it is away.
    let sqlState: String
    let message: String

    /// What libpq itself finds wrong before or behind a server's answer: no time mends it.
    private static let mistakes = [
        "no password supplied", "for connection option", "invalid port number", "definition of service",
        "server does not support SSL", "certificate", "could not read root", "requires a valid",
        "authentication method requirement",
    ]
    /// Class 28 means a login that will never do.
    private static let mistakeState = "28000"

    /// - Parameter words: at its greatest verbosity: `… failed: FATAL:  28P01: password authentication failed…`, and where
    ///   in the server's source (Postgres documentation, 53.7).
    init(_ words: String) {
        var state = ""
        var lines: [String] = []
        for line in words.split(whereSeparator: \.isNewline) where !line.hasPrefix("LOCATION:") {
            let parts = line.split(separator: ":  ", maxSplits: 1)
            guard parts.count == 2, let code = Self.code(parts[1]) else {
                lines.append(String(line))
                continue
            }
            // Of several hosts one that only is away may be back.
            if state.isEmpty || !code.hasPrefix("28") { state = code }
            lines.append(parts[0] + ":  " + parts[1].dropFirst(code.count + 2))
        }
        message = lines.joined(separator: "\n")
        let text = message
        let isMistake =
            Self.mistakes.contains { text.contains($0) } || (text.contains("invalid ") && text.contains(" value: "))
        sqlState = state.isEmpty && isMistake ? Self.mistakeState : state
    }

    /// Of `28P01: password …`.
    private static func code(_ text: Substring) -> String? {
        let code = text.prefix(5)
        guard code.utf8.count == 5, text.dropFirst(5).hasPrefix(": "),
            code.allSatisfy({ $0.isASCII && ($0.isNumber || $0.isUppercase) })
        else { return nil }
        return String(code)
    }
}
