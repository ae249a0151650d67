import CoordinatorCore

/// The words behind a command, taken by name; what is left is positional. `--name value` and `--name=value`.
struct Arguments {
    private var words: [String]
    let command: String

    init(_ words: [String], command: String) {
        self.words = words
        self.command = command
    }

    mutating func flag(_ name: String) -> Bool {
        guard let index = words.firstIndex(of: name) else { return false }
        words.remove(at: index)
        return true
    }

    mutating func option(_ name: String) throws(StartError) -> String? {
        if let index = words.firstIndex(where: { $0.hasPrefix(name + "=") }) {
            return String(words.remove(at: index).dropFirst(name.count + 1))
        }
        guard let index = words.firstIndex(of: name) else { return nil }
        guard index + 1 < words.count else { throw usage("\(name) needs a value") }
        words.remove(at: index)
        return words.remove(at: index)
    }

    mutating func number<Number: FixedWidthInteger>(_ name: String) throws(StartError) -> Number? {
        guard let text = try option(name) else { return nil }
        guard let number = Number(text) else { throw usage("\(name) needs a whole number, not '\(text)'") }
        return number
    }

    /// The next positional word. After the options.
    mutating func next(_ what: String) throws(StartError) -> String {
        guard let word = try nextIfAny() else { throw usage("\(what) is missing") }
        return word
    }

    mutating func nextIfAny() throws(StartError) -> String? {
        guard let word = words.first else { return nil }
        guard !word.hasPrefix("--") else { throw usage("there is no option \(word)") }
        words.removeFirst()
        return word
    }

    func finish() throws(StartError) {
        guard let word = words.first else { return }
        throw usage(word.hasPrefix("--") ? "there is no option \(word)" : "'\(word)' is one word too many")
    }

    func usage(_ what: String) -> StartError {
        StartError("\(what); see: coordinator \(command) --help", .usage)
    }
}
