internal import Common

/// How values are laid out in a JSON object: names with dots are objects in objects.
struct DocumentLayout {
    private final class Node {
        /// The name as a key, escaped, with its colon.
        let key: [UInt8]
        let name: String
        /// Which value stands here; nil for an object.
        var value: Int?
        var members: [Node] = []

        init(_ name: String) {
            self.name = name
            var writer = ByteWriter(capacity: 64)
            CanonicalJSON.write(string: name, to: &writer)
            writer.append(UInt8(ascii: ":"))
            key = Array(writer.bytes)
        }
    }

    private let root = Node("")

    /// Nil when a path leads through another one's value, or is there twice.
    init?(paths: [String]) {
        for (index, path) in paths.enumerated() {
            var node = root
            for name in ColumnOrigin.names(of: path) {
                guard node.value == nil else { return nil }
                if let member = node.members.first(where: { $0.name == name }) {
                    node = member
                } else {
                    let member = Node(name)
                    node.members.append(member)
                    node = member
                }
            }
            guard node.value == nil, node.members.isEmpty else { return nil }
            node.value = index
        }
    }

    /// - Parameter value: writes the value of a path, by its place.
    func write(to writer: inout ByteWriter, _ value: (Int, inout ByteWriter) throws -> Void) rethrows {
        try Self.write(root, to: &writer, value)
    }

    private static func write(
        _ node: Node, to writer: inout ByteWriter, _ value: (Int, inout ByteWriter) throws -> Void
    ) rethrows {
        if let index = node.value { return try value(index, &writer) }
        writer.append(UInt8(ascii: "{"))
        for (index, member) in node.members.enumerated() {
            if index > 0 { writer.append(UInt8(ascii: ",")) }
            member.key.withUnsafeBytes { writer.append($0) }
            try write(member, to: &writer, value)
        }
        writer.append(UInt8(ascii: "}"))
    }
}
