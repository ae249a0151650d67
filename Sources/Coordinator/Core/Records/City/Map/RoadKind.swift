/// What runs through the city: roads by what they can carry, and water.
enum RoadKind: String, CaseIterable {
    case motorway
    case ring
    case main
    case street
    case bridge
    case river
    case canal

    /// Vehicles that a lane lets pass in a minute when it flows.
    var lanePerMinute: Double {
        switch self {
        case .motorway: 31
        case .ring: 20
        case .main, .bridge: 15
        case .street: 7
        case .river, .canal: 0
        }
    }

    /// Shares of the capacity from which traffic is moderate, heavy, jammed. Where traffic lights stop it, sooner.
    var thresholds: (moderate: Double, heavy: Double, jam: Double) {
        switch self {
        case .motorway: (0.45, 0.72, 0.93)
        case .ring: (0.40, 0.66, 0.88)
        case .main, .bridge, .river, .canal: (0.38, 0.62, 0.84)
        case .street: (0.35, 0.60, 0.85)
        }
    }

    /// How much of the city's way to work uses roads like this one.
    var demand: Double {
        switch self {
        case .motorway: 0.95
        case .ring, .bridge: 1
        case .main: 0.92
        case .street: 0.66
        case .river, .canal: 0
        }
    }
}
