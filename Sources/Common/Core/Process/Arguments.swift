/// The words behind a command, taken by name; what is left is positional. `--name value` and `--name=value`.
package struct Arguments {
    private var words: [String]
    /// The program, and what it was asked to do: `coordinator start`.
    package let command: String

    package init(_ words: [String], command: String) {
        self.words = words
        self.command = command
    }

    package mutating func flag(_ name: String) -> Bool {
        guard let index = words.firstIndex(of: name) else { return false }
        words.remove(at: index)
        return true
    }

    package mutating func option(_ name: String) throws(StartError) -> String? {
        if let index = words.firstIndex(where: { $0.hasPrefix(name + "=") }) {
            return String(words.remove(at: index).dropFirst(name.count + 1))
        }
        guard let index = words.firstIndex(of: name) else { return nil }
        guard index + 1 < words.count else { throw usage("\(name) needs a value") }
        words.remove(at: index)
        return words.remove(at: index)
    }

    package mutating func number<Number: FixedWidthInteger>(_ name: String) throws(StartError) -> Number? {
        guard let text = try option(name) else { return nil }
        guard let number = Number(text) else { throw usage("\(name) needs a whole number, not '\(text)'") }
        return number
    }

    /// The next positional word. After the options.
    package mutating func next(_ what: String) throws(StartError) -> String {
        guard let word = try nextIfAny() else { throw usage("\(what) is missing") }
        return word
    }

    package mutating func nextIfAny() throws(StartError) -> String? {
        guard let word = words.first else { return nil }
        guard !word.hasPrefix("--") else { throw usage("there is no option \(word)") }
        words.removeFirst()
        return word
    }

    /// All that is left, options too: for another program.
    package mutating func takeAll() -> [String] {
        defer { words.removeAll() }
        return words
    }

    package func finish() throws(StartError) {
        guard let word = words.first else { return }
        throw usage(word.hasPrefix("--") ? "there is no option \(word)" : "'\(word)' is one word too many")
    }

    package func usage(_ what: String) -> StartError {
        StartError("\(what); see: \(command) --help", .usage)
    }
}
