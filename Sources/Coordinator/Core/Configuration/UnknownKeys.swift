import Foundation

/// Keys of a JSON text that nothing takes, by their place: `.streams[0].columns[2].requierd`. What was read and is written
/// again has every key that was taken.
enum UnknownKeys {
    static func find(in data: Data, taken: some Encodable) -> [String] {
        guard let given = try? JSONSerialization.jsonObject(with: data),
            let written = try? JSONSerialization.jsonObject(with: JSONEncoder().encode(taken))
        else { return [] }
        return compare(given, written, at: "").sorted()
    }

    private static func compare(_ given: Any, _ written: Any, at place: String) -> [String] {
        if let given = given as? [Any], let written = written as? [Any] {
            return zip(given, written).enumerated().flatMap { compare($1.0, $1.1, at: "\(place)[\($0)]") }
        }
        guard let given = given as? [String: Any], let written = written as? [String: Any] else { return [] }
        return given.flatMap { key, value -> [String] in
            // Null is as good as absent.
            if value is NSNull { return [] }
            guard let other = written[key] else { return ["\(place).\(key)"] }
            return compare(value, other, at: "\(place).\(key)")
        }
    }
}
