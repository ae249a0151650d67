import Common
import CoordinatorCore
import Foundation

/// `tail`: rows as they are committed.
extension Command {
    static let tail = Command(
        name: "tail", form: "STREAM [--from now|earliest|N] [--count N]",
        summary: "Prints an append stream's rows as they are committed, a JSON object a line; N: so many rows back",
        example: "tail traffic_data --from 10"
    ) { arguments, settings in
        let from = try arguments.option("--from") ?? "now"
        let count: Int? = try arguments.number("--count")
        let stream = try arguments.next("a stream")
        try arguments.finish()
        let origin: Tail.Origin
        switch from {
        case "now": origin = .now
        case "earliest": origin = .earliest
        default:
            guard let rows = Int(from), (1...Tail.rowLimit).contains(rows) else {
                throw arguments.usage("--from is '\(from)'; it must be now, earliest, or 1 to \(Tail.rowLimit) rows")
            }
            origin = .rows(rows)
        }
        let tail = Tail(stream, from: origin, of: try settings.client())
        let newline = Data([0x0A])
        var printed = 0
        try tail.run { row in
            guard printed < count ?? .max else { return }
            printed += 1
            // Each by itself: whoever reads a pipe has it at once.
            FileHandle.standardOutput.write(Data(row) + newline)
        } until: {
            printed >= count ?? .max
        }
        return .success
    }
}
