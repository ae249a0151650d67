import Common
import CoordinatorCore
import Foundation

/// Records for a fleet: made up, or from a file.
extension Command {
    static let produce = Command(
        name: "produce",
        form: """
            [STREAM] [--streams A,B] [--rate N] [--count N] [--json]
                     made up:  [--seed N] [--faults]
                     a file:   --file F|- [--format ndjson|csv] [--map COLUMN=FIELD,...] [--keep-going]
                     the city: --write-roads FILE
            """,
        summary: "Writes records into a stream's topic: readings of a made-up city, or lines of a file",
        example: "produce --rate 1000"
    ) { arguments, settings in
        if let path = try arguments.option("--write-roads") {
            try arguments.finish()
            return try writeRoads(path)
        }
        let options = try ProduceOptions(&arguments)
        let (summary, code) = try ProduceRun.perform(try settings.configuration(.kafka), options)
        if options.isJSON {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(summary), as: UTF8.self))
        } else {
            print(summary.line)
        }
        return code
    }

    private static func writeRoads(_ path: String) throws -> ExitCode {
        do {
            try Data(CityMap.shared.geoJSON).write(to: URL(filePath: path))
        } catch {
            throw StartError("\(path): \(error.localizedDescription)", .unavailable)
        }
        return .success
    }
}

extension ProduceOptions {
    init(_ arguments: inout Arguments) throws {
        self.init()
        rate = try arguments.number("--rate")
        count = try arguments.number("--count")
        file = try arguments.option("--file")
        while let text = try arguments.option("--map") {
            for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { throw arguments.usage("--map needs COLUMN=FIELD, not '\(pair)'") }
                map[String(parts[0])] = String(parts[1])
            }
        }
        if let text = try arguments.option("--format") {
            guard let format = Format(rawValue: text) else {
                throw arguments.usage("--format is '\(text)'; it must be ndjson or csv")
            }
            self.format = format
        }
        let seed: UInt64? = try arguments.number("--seed")
        self.seed = seed ?? self.seed
        hasFaults = arguments.flag("--faults")
        keepsGoing = arguments.flag("--keep-going")
        isJSON = arguments.flag("--json")
        utcOffset = TimeZone.current.secondsFromGMT()
        if let list = try arguments.option("--streams") { streams = list.split(separator: ",").map(String.init) }
        if let name = try arguments.nextIfAny() { streams.append(name) }
        try arguments.finish()
        if let rate, rate < 1 { throw arguments.usage("--rate must be 1 or more") }
        if let count, count < 1 { throw arguments.usage("--count must be 1 or more") }
        if file == nil, format != nil || !map.isEmpty || keepsGoing {
            throw arguments.usage("--format, --map and --keep-going are for --file")
        }
        if file != nil, seed != nil || hasFaults {
            throw arguments.usage("--seed and --faults are for records that are made up, not for --file")
        }
    }
}
