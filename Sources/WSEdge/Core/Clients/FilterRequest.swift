import Common
import Feed
import Foundation

/// The filter that a client asks for: `where`, `bbox`.
struct FilterRequest: Decodable {
    /// A JSON value that is no object or array.
    enum Scalar: Codable, Hashable {
        case null
        case boolean(Bool)
        case integer(Int64)
        case double(Double)
        case text(String)

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .null
            } else if let boolean = try? value.decode(Bool.self) {
                self = .boolean(boolean)
            } else if let integer = try? value.decode(Int64.self) {
                self = .integer(integer)
            } else if let double = try? value.decode(Double.self) {
                self = .double(double)
            } else {
                self = .text(try value.decode(String.self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .null: try container.encodeNil()
            case .boolean(let value): try container.encode(value)
            case .integer(let value): try container.encode(value)
            case .double(let value): try container.encode(value)
            case .text(let value): try container.encode(value)
            }
        }
    }

    enum Condition: Decodable {
        case choice([Scalar])
        case interval([String: Scalar])

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let scalar = try? value.decode(Scalar.self) {
                self = .choice([scalar])
            } else if let scalars = try? value.decode([Scalar].self) {
                self = .choice(scalars)
            } else {
                self = .interval(try value.decode([String: Scalar].self))
            }
        }
    }

    var conditions: [String: Condition]
    var box: [Double]?

    private enum CodingKeys: String, CodingKey {
        case conditions = "where"
        case box = "bbox"
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        conditions = try values.decodeIfPresent([String: Condition].self, forKey: .conditions) ?? [:]
        box = try values.decodeIfPresent([Double].self, forKey: .box)
    }

    init(conditions: [String: Condition], box: [Double]?) {
        self.conditions = conditions
        self.box = box
    }

    /// Values of all choices: they are read on the thread that serves everybody.
    private static let valueLimit = 1000

    func filter(_ stream: StreamDefinition) throws(RequestError) -> RowFilter {
        var filter = RowFilter()
        var valueCount = 0
        for (name, condition) in conditions.sorted(by: { $0.key < $1.key }) {
            guard let index = stream.columns.firstIndex(where: { $0.name == name }) else {
                throw Self.unknown(name, stream)
            }
            let column = stream.columns[index]
            switch condition {
            case .choice(let values):
                valueCount += values.count
                guard !values.isEmpty, valueCount <= Self.valueLimit else {
                    throw Self.wrong("'where' lists 1 to \(Self.valueLimit) values, of all columns together")
                }
                var texts: Set<[UInt8]> = []
                var reader = FilterValueReader(column)
                for value in values { texts.insert(try reader.canonical(value)) }
                filter.choices.append(.init(column: index, values: texts))
            case .interval(let bounds): filter.intervals.append(try Self.interval(bounds, index, column))
            }
        }
        if let box { filter.boxes = [try Self.box(box, stream)] }
        return filter
    }

    private static func interval(
        _ bounds: [String: Scalar], _ index: Int, _ column: Column
    ) throws(RequestError) -> RowFilter.Interval {
        guard [.integer, .bigint, .double, .timestamp].contains(column.type) else {
            throw wrong("'where.\(column.name)': only numbers and times have bounds")
        }
        var interval = RowFilter.Interval(column: index, lower: nil, upper: nil)
        var reader = FilterValueReader(column)
        for (word, value) in bounds {
            guard let bound = FilterValue(canonical: try reader.canonical(value), column.type) else {
                throw wrong("'where.\(column.name).\(word)' can't be null")
            }
            switch word {
            case "gte": interval.lower = .init(bound, isInclusive: true)
            case "gt": interval.lower = .init(bound, isInclusive: false)
            case "lte": interval.upper = .init(bound, isInclusive: true)
            case "lt": interval.upper = .init(bound, isInclusive: false)
            default: throw wrong("'where.\(column.name)' takes gte, gt, lte and lt, not '\(word.prefix(100))'")
            }
        }
        guard !bounds.isEmpty, !(bounds["gte"] != nil && bounds["gt"] != nil),
            !(bounds["lte"] != nil && bounds["lt"] != nil)
        else { throw wrong("'where.\(column.name)' needs one bound, or one of each side") }
        return interval
    }

    private static func box(_ corners: [Double], _ stream: StreamDefinition) throws(RequestError) -> RowFilter.Box {
        guard let pair = stream.positionColumns else {
            throw wrong("\(stream.name) has no columns of a position: double columns longitude and latitude")
        }
        guard corners.count == 4,
            let bounds = BoundingBox(west: corners[0], south: corners[1], east: corners[2], north: corners[3])
        else { throw wrong("'bbox' is [west, south, east, north] in degrees") }
        return .init(bounds, pair)
    }

    private static func unknown(_ name: String, _ stream: StreamDefinition) -> RequestError {
        let name = String(name.prefix(100))
        let near = NearNames.of(name, among: stream.columns.map(\.name))
        let which =
            near.isEmpty
            ? "there are: \(stream.columns.map(\.name).joined(separator: ", "))"
            : "did you mean: \(near.joined(separator: ", "))"
        return wrong("\(stream.name) has no column '\(name)'; \(which)")
    }

    static func wrong(_ message: String) -> RequestError { RequestError(code: "bad_request", message: message) }
}

extension StreamDefinition {
    /// The columns of a row's position, known by their names.
    var positionColumns: RowFilter.Pair? {
        func index(_ names: [String]) -> Int? {
            columns.firstIndex { names.contains($0.name.lowercased()) && $0.type == .double }
        }
        guard let longitude = index(["longitude", "lon", "lng"]), let latitude = index(["latitude", "lat"]) else {
            return nil
        }
        return .init(longitude: longitude, latitude: latitude)
    }
}
