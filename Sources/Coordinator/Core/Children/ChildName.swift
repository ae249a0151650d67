/// A child that is to run as long as the fleet does. Workers are `FleetState`'s.
package enum ChildName: Hashable, Sendable {
    /// Of `start --demo`.
    case producer
    /// By where it listens.
    case edge(String)
    case kafka
    case postgres

    /// Who goes first when the fleet stops.
    package enum Rank: Int, Comparable, Sendable {
        case producers, edges, services

        package static func < (left: Rank, right: Rank) -> Bool { left.rawValue < right.rawValue }
    }

    package var rank: Rank {
        switch self {
        case .producer: .producers
        case .edge: .edges
        case .kafka, .postgres: .services
        }
    }
}

extension ChildName: CustomStringConvertible {
    package var description: String {
        switch self {
        case .producer: "the demo's producer"
        case .edge(let address): "edge \(address)"
        case .kafka: "the fleet's Kafka"
        case .postgres: "the fleet's Postgres"
        }
    }
}
