/// Which services a command works on.
package struct ServiceNeeds: OptionSet, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    package static let kafka = ServiceNeeds(rawValue: 1)
    package static let postgres = ServiceNeeds(rawValue: 2)
    package static let both: ServiceNeeds = [.kafka, .postgres]
}
