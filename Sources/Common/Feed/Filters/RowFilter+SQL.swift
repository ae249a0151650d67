package import Common
private import Foundation
private import Postgres

extension RowFilter {
    /// The same condition for Postgres, over the columns of `t`; `true` for a filter without conditions.
    package func sql(_ columns: [Column]) -> String {
        func name(_ index: Int) -> String { "t.\(Connection.identifier(columns[index].name))" }
        var conditions: [String] = []
        for choice in choices {
            let type = columns[choice.column].type.rawValue
            let literals = choice.values.filter { $0 != Self.null }.sorted { $0.lexicographicallyPrecedes($1) }.map {
                "\(Self.literal($0))::\(type)"
            }
            var parts = literals.isEmpty ? [] : ["\(name(choice.column)) IN (\(literals.joined(separator: ", ")))"]
            if choice.values.contains(Self.null) { parts.append("\(name(choice.column)) IS NULL") }
            conditions.append("(\(parts.joined(separator: " OR ")))")
        }
        for interval in intervals {
            let type = columns[interval.column].type.rawValue
            // To Postgres NaN is greater than all numbers; here it is within no bounds.
            if columns[interval.column].type == .double { conditions.append("\(name(interval.column)) <> 'NaN'") }
            if let lower = interval.lower {
                conditions.append(
                    "\(name(interval.column)) \(lower.isInclusive ? ">=" : ">") \(Self.literal(lower.value))::\(type)")
            }
            if let upper = interval.upper {
                conditions.append(
                    "\(name(interval.column)) \(upper.isInclusive ? "<=" : "<") \(Self.literal(upper.value))::\(type)")
            }
        }
        for box in boxes {
            let (longitude, latitude, bounds) = (name(box.columns.longitude), name(box.columns.latitude), box.bounds)
            conditions.append("\(latitude) BETWEEN \(bounds.south) AND \(bounds.north)")
            conditions.append(
                bounds.west <= bounds.east
                    ? "\(longitude) BETWEEN \(bounds.west) AND \(bounds.east)"
                    : "(\(longitude) BETWEEN \(bounds.west) AND 180 OR \(longitude) BETWEEN -180 AND \(bounds.east))")
        }
        return conditions.isEmpty ? "true" : conditions.joined(separator: " AND ")
    }

    private static let null = Array("null".utf8)

    private static func literal(_ value: FilterValue) -> String {
        switch value {
        case .integer(let value): "'\(value)'"
        case .double(let value): "'\(value)'"
        case .text(let json): literal(json)
        }
    }

    /// Of a value's canonical JSON: a text without its quotes, or what stands there.
    private static func literal(_ json: [UInt8]) -> String {
        let text =
            (try? JSONDecoder().decode(String.self, from: Data(json))) ?? String(decoding: json, as: UTF8.self)
        return Connection.literal(text)
    }
}
