/// Which way traffic flows that a camera sees.
enum TrafficDirection: Int, CaseIterable {
    case inbound
    case outbound
    /// Around the middle, or both ways of a street: at all times about the same.
    case across
}
