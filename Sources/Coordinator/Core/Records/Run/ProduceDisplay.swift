private import Glibc

/// What a run shows while it goes on: a line that is redrawn where a person sees it, else only what is wrong. On standard
/// error, so that standard output has the result alone.
struct ProduceDisplay {
    /// Lines that are no records of which each is told; the others are only counted.
    private static let toldLineLimit = 10

    private let isTerminal: Bool
    private var isDrawn = false
    private var toldLines = 0
    private var hasToldSilence = false

    /// - Parameter isQuiet: show no line, on a terminal either.
    init(isQuiet: Bool) {
        isTerminal = !isQuiet && isatty(STDERR_FILENO) == 1
    }

    mutating func draw(_ line: String) {
        guard isTerminal else { return }
        // Back to the line's beginning, then clear what was longer.
        write("\r\(line)\u{1B}[K")
        isDrawn = true
    }

    /// Nothing more is drawn.
    mutating func clear() {
        if isDrawn { write("\r\u{1B}[K") }
        isDrawn = false
    }

    mutating func tell(_ text: String) {
        clear()
        write("coordinator: \(text)\n")
    }

    mutating func tell(skipped line: BadLine) {
        toldLines += 1
        guard toldLines <= Self.toldLineLimit else { return }
        tell("line \(line.line): \(line.reason); skipped\(toldLines == Self.toldLineLimit ? ", as are more" : "")")
    }

    /// Once in a run; a terminal sees it in the line.
    mutating func tell(silence: Duration, deliveryTimeout: String) {
        guard !isTerminal, !hasToldSilence else { return }
        hasToldSilence = true
        tell(
            "Kafka has not answered for \(Int64(silence / .seconds(1))) s; "
                + "a record is given up after \(deliveryTimeout) ms (delivery.timeout.ms)")
    }

    private func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        // What nobody can be shown is no reason to stop.
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
