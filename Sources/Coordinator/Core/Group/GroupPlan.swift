/// That a coordinator shares its fleet's partitions with others, on other hosts.
package struct GroupPlan: Sendable, Equatable {
    /// Kafka's consumer group.
    package var name: String
    /// This coordinator's own name in it: of its host, unless it is given.
    package var member: String

    /// Kafka takes it in a group's id and a member's name, and nothing has to be quoted.
    static func isName(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    package init(name: String, member: String) {
        self.name = name
        self.member = member
    }
}
