package import Common

/// A coordinator of the group, as it has described itself last.
package struct Member: Sendable, Equatable {
    package var name: String
    package var ownsSchema: Bool
    /// Seconds since, by Postgres's clock.
    package var silence: Double
    /// The version of the schema that its program is of.
    package var version: Int
    /// Nil: of a program that describes itself in another way.
    package var report: MemberReport?

    /// One that has said nothing for so long is not counted on.
    static let silenceLimit = 10.0

    package var isHeard: Bool { silence < Self.silenceLimit }

    /// One that has just come, or come to an emptied table, has nothing to tell yet: what it told before holds until then.
    func after(_ former: Member?) -> Member {
        guard report == MemberReport(), let told = former?.report else { return self }
        var member = self
        member.report = told
        return member
    }

    package init(name: String, ownsSchema: Bool, silence: Double, version: Int, report: MemberReport?) {
        self.name = name
        self.ownsSchema = ownsSchema
        self.silence = silence
        self.version = version
        self.report = report
    }
}
