private import Foundation

/// A token's payload (RFC 7519, section 4), before anything in it counts.
struct ClaimSet {
    private let members: [String: Any]

    init?(_ payload: [UInt8]) {
        guard let members = try? JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any] else { return nil }
        self.members = members
    }

    func text(_ name: String) -> String? { members[name] as? String }

    /// Seconds since 1970, which may have a fraction.
    func time(_ name: String) -> Int64? {
        guard let number = members[name] as? Double, number.magnitude < 1e15 else { return nil }
        return Int64(number)
    }

    func integer(_ name: String) -> Int64? { (members[name] as? NSNumber)?.int64Value }

    func has(_ name: String) -> Bool { members[name] != nil && !(members[name] is NSNull) }

    /// One text, or several.
    func texts(_ name: String) -> [String] {
        if let text = members[name] as? String { return [text] }
        return (members[name] as? [Any])?.compactMap { $0 as? String } ?? []
    }

    /// The texts at the end of a path through objects: `realm_access.roles`.
    func texts(at path: String) -> [String] {
        if has(path) { return texts(path) }
        var place = members
        let names = path.split(separator: ".").map(String.init)
        for name in names.dropLast() {
            guard let next = place[name] as? [String: Any] else { return [] }
            place = next
        }
        guard let last = names.last else { return [] }
        if let text = place[last] as? String { return [text] }
        return (place[last] as? [Any])?.compactMap { $0 as? String } ?? []
    }

    /// The mandatory filters; nil when they can't be read: then the token must not count, rather than see more than it may.
    var filters: [String: [UInt8]]? {
        guard has("where") else { return [:] }
        guard let streams = members["where"] as? [String: Any] else { return nil }
        var filters: [String: [UInt8]] = [:]
        for (stream, filter) in streams {
            guard let filter = filter as? [String: Any], !filter.isEmpty,
                let text = try? JSONSerialization.data(
                    withJSONObject: filter, options: [.sortedKeys, .withoutEscapingSlashes])
            else { return nil }
            filters[stream] = Array(text)
        }
        return filters
    }
}
