package import Foundation

/// What a process says of itself while it runs: a line each, on standard error. Any thread.
///
/// On a terminal a line is for whoever sits there; elsewhere it begins with time and level, or is a JSON object (RFC 8259)
/// where MILLRACE_LOG says so. What a command answers, and what is wrong with its words, is no log.
package struct Log: Sendable {
    package enum Level: String, Sendable, Encodable {
        case info
        /// Something does not work as it should; the process goes on.
        case warning
        /// The process ends because of it.
        case error
    }

    package enum Form: Sendable {
        case terminal
        case text
        case json
    }

    package static let variable = "MILLRACE_LOG"
    /// This process's log: its name and form come from the command line and the environment.
    package static let standard = Log(
        process: (CommandLine.arguments.first ?? "").split(separator: "/").last.map(String.init) ?? "millrace",
        shard: ProcessInfo.processInfo.environment["MILLRACE_SHARD"].flatMap { Int32($0) },
        form: (try? form(in: ProcessInfo.processInfo.environment)) ?? .text)

    private let process: String
    private let shard: Int32?
    private let form: Form

    /// - Parameters:
    ///   - process: the program's name.
    ///   - shard: for one that is a shard's.
    package init(process: String, shard: Int32? = nil, form: Form) {
        self.process = process
        self.shard = shard
        self.form = form
    }

    /// What the environment asks for, else what fits to where standard error goes.
    package static func form(in environment: [String: String]) throws(StartError) -> Form {
        switch environment[variable] ?? "" {
        case "json": return .json
        case "text": return .text
        case "": return isatty(STDERR_FILENO) == 1 ? .terminal : .text
        case let other: throw StartError("\(variable) is text or json, not '\(other)'", .configuration)
        }
    }

    /// - Parameters:
    ///   - shard: the shard that the line is about, where that is not the process itself.
    ///   - source: the number of the source that the line is about.
    package func say(_ message: String, _ level: Level = .info, shard: Int32? = nil, source: Int32? = nil) {
        var bytes = Array((line(message, level, shard: shard, source: source, at: .now) + "\n").utf8)[...]
        // One call a line, so that lines of several threads and processes don't mix; there is nobody to tell of a failure.
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    package func line(_ message: String, _ level: Level, shard: Int32? = nil, source: Int32? = nil, at time: Date)
        -> String
    {
        let moment = time.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
        let told = (self.shard.map { "shard \($0): " } ?? "") + message.withVisibleControls
        switch form {
        case .terminal: return "\(process): \(told)"
        case .text: return "\(moment) \(level.rawValue) \(process): \(told)"
        case .json:
            let entry = Entry(
                time: moment, level: level, process: process, pid: getpid(), shard: shard ?? self.shard, source: source,
                message: message)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return (try? encoder.encode(entry)).map { String(decoding: $0, as: UTF8.self) } ?? told
        }
    }

    private struct Entry: Encodable {
        let time: String
        let level: Level
        let process: String
        let pid: Int32
        let shard: Int32?
        let source: Int32?
        let message: String
    }
}
