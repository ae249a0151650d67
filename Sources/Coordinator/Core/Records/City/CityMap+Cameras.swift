internal import Common
private import Glibc

/// Where cameras stand: along roads, at crossings, on bridges.
extension CityMap {
    /// Metres from the middle of the road to a camera of one direction, so that both can be told apart on a map.
    private static let verge = 12.0

    /// - Parameter seed: of their ids; where they stand is the map's.
    func cameras(seed: UInt64) -> [Camera] {
        var cameras: [Camera] = []
        func add(
            _ road: Road, _ number: Int, at metres: Double, _ isForward: Bool, lanes: Int? = nil, location: String
        ) {
            let place = road.place(at: metres)
            let side = place.heading + (isForward ? -Double.pi / 2 : .pi / 2)
            let point = PlanePoint(
                x: place.point.x + Self.verge * cos(side), y: place.point.y + Self.verge * sin(side))
            let index = UInt64(cameras.count)
            cameras.append(
                Camera(
                    id: Self.id(seed, index), number: index, road: UInt64(number), kind: road.kind,
                    direction: Self.direction(road, isForward), lanes: lanes ?? road.lanes, location: location,
                    point: point, type: Self.type(road.kind, index)))
        }
        for (number, road) in mainRoads.enumerated() {
            let spacing = road.kind == .motorway ? 1250.0 : 720
            for (index, metres) in stride(from: spacing / 2, to: road.length, by: spacing).enumerated() {
                let isForward = index % 2 == 0
                let way = Self.way(road, isForward)
                add(
                    road, number, at: metres, isForward,
                    location: "\(road.name) km \((metres / 100).rounded() / 10), \(way)")
            }
        }
        for (number, road) in mainRoads.enumerated() where road.isClosed {
            for other in mainRoads where !other.isClosed {
                for metres in road.crossings(with: other) {
                    add(road, number, at: metres, true, location: "\(road.name) / \(other.name)")
                }
            }
        }
        for (number, bridge) in bridges.enumerated() {
            for isForward in [true, false] {
                // Not a radial road's direction: a bridge joins both sides of the river.
                add(
                    bridge, mainRoads.count + number, at: bridge.length / 2, isForward,
                    location: "\(bridge.name), \(Self.compass(bridge, isForward))")
            }
        }
        for (number, street) in streets.enumerated() where number % 9 < 4 {
            add(
                street, mainRoads.count + bridges.count + number, at: street.length * 0.45, true, lanes: 2,
                location: street.name)
        }
        return cameras
    }

    /// Radial roads begin in the middle.
    private static func direction(_ road: Road, _ isForward: Bool) -> TrafficDirection {
        guard !road.isClosed, road.kind == .main || road.kind == .motorway else { return .across }
        return isForward ? .outbound : .inbound
    }

    private static func way(_ road: Road, _ isForward: Bool) -> String {
        guard !road.isClosed else { return isForward ? "anticlockwise" : "clockwise" }
        return isForward ? "outbound" : "inbound"
    }

    private static func compass(_ road: Road, _ isForward: Bool) -> String {
        let heading = road.place(at: road.length / 2).heading + (isForward ? 0 : .pi)
        let quarter = Int((heading / (.pi / 2)).rounded())
        return ["eastbound", "northbound", "westbound", "southbound"][(quarter % 4 + 4) % 4]
    }

    private static func type(_ kind: RoadKind, _ number: UInt64) -> String {
        let share = RepeatableRandom.noise(0, number, 7)
        return switch kind {
        case .motorway: share < 0.6 ? "radar" : "camera"
        case .street: share < 0.5 ? "loop" : "camera"
        default: share < 0.75 ? "camera" : share < 0.9 ? "radar" : "loop"
        }
    }

    static func id(_ seed: UInt64, _ number: UInt64) -> UUIDValue {
        var random = RepeatableRandom(seed: seed &* 0x2545_F491_4F6C_DD1D &+ number)
        return .random(using: &random)
    }
}
