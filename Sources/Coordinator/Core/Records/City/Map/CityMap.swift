private import Glibc

/// An invented city: a river and a mill race, three rings, radial roads, streets, and bridges where roads meet water.
///
/// Always the same: the dashboard's map of it is a file of this repository.
package struct CityMap: Sendable {
    let water: [Road]
    /// Rings, motorways and radial roads: those that cross water.
    let mainRoads: [Road]
    let bridges: [Road]
    let streets: [Road]

    package static let shared = CityMap()

    static let outerRadius = 8800.0
    /// The rings, from the middle outwards: their mean radius and what bends them.
    static let rings: [(name: String, kind: RoadKind, lanes: Int, radius: Double, phase: Double)] = [
        ("Inner Ring", .ring, 2, 1150, 20), ("Middle Ring", .ring, 2, 3000, 140), ("Orbital", .motorway, 3, 6500, 250),
    ]
    /// Where the radial roads leave the middle, in degrees: none along the river.
    static let radialDegrees = [22.0, 54, 86, 121, 155, 204, 233, 268, 303, 336]
    /// Those that are motorways beyond the middle ring.
    private static let motorways = [1: "A1 North", 5: "A2 West", 8: "A3 South"]

    private init() {
        water = [Self.river(), Self.millRace()]
        mainRoads = Self.ringRoads() + Self.radials()
        bridges = Self.bridges(mainRoads, water)
        streets = Self.streets(clearOf: water)
    }

    var roads: [Road] { mainRoads + bridges + streets }

    private static func riverNorthing(_ x: Double) -> Double {
        260 + 430 * sin(x / 2100 + 0.4) + 150 * sin(x / 830) + 0.05 * x
    }

    private static func river() -> Road {
        let points = stride(from: -9750.0, through: 9750, by: 250).map { PlanePoint(x: $0, y: riverNorthing($0)) }
        return Road("Mahl", .river, lanes: 0, points)
    }

    /// Leaves the river in the west and comes back in the east, around the old town.
    private static func millRace() -> Road {
        let (west, east, steps) = (-2900.0, 2500.0, 30)
        let points = (0...steps).map { step in
            let share = Double(step) / Double(steps)
            let x = west + (east - west) * share
            return PlanePoint(x: x, y: riverNorthing(x) - 720 * sqrt(sin(.pi * share).magnitude))
        }
        return Road("Mill Race", .canal, lanes: 0, points)
    }

    /// How far from the middle a ring runs in a direction.
    static func radius(ring: Int, _ degrees: Double) -> Double {
        let (mean, phase) = (rings[ring].radius, rings[ring].phase)
        func wave(_ count: Double, _ share: Double) -> Double { share * sin((count * degrees + phase) * .pi / 180) }
        return mean * (1 + wave(2, 0.075) + wave(3, 0.045) + wave(7, 0.012))
    }

    private static func ringRoads() -> [Road] {
        rings.indices.map { index in
            let ring = rings[index]
            let steps = index == 0 ? 48 : index == 1 ? 90 : 140
            var points = (0..<steps).map { step in
                let degrees = Double(step) * 360 / Double(steps)
                return PlanePoint.polar(radius(ring: index, degrees), degrees)
            }
            points.append(points[0])
            return Road(ring.name, ring.kind, lanes: ring.lanes, points)
        }
    }

    /// The direction in which a radial road has come to a distance from the middle: it winds.
    static func degrees(radial: Int, at radius: Double) -> Double {
        let index = (radial + radialDegrees.count) % radialDegrees.count
        return radialDegrees[index] + 5 * sin(radius / 1700 + Double(index) * 1.9) * (radius / outerRadius + 0.25)
    }

    private static func radials() -> [Road] {
        radialDegrees.indices.flatMap { index in
            func line(_ range: ClosedRange<Double>) -> [PlanePoint] {
                let steps = max(2, Int((range.upperBound - range.lowerBound) / 220))
                return (0...steps).map { step in
                    let radius =
                        range.lowerBound + (range.upperBound - range.lowerBound) * Double(step) / Double(steps)
                    return PlanePoint.polar(radius, degrees(radial: index, at: radius))
                }
            }
            let name = StreetNames.radials[index]
            guard let motorway = motorways[index] else { return [Road(name, .main, lanes: 2, line(380...outerRadius))] }
            return [
                Road(name, .main, lanes: 2, line(380...3300)), Road(motorway, .motorway, lanes: 3, line(3300...9400)),
            ]
        }
    }

    private static func bridges(_ roads: [Road], _ water: [Road]) -> [Road] {
        var names = StreetNames.bridges.makeIterator()
        var found: [Road] = []
        for road in roads {
            for water in water {
                // How far a bridge reaches beyond the middle of its water.
                let reach = water.kind == .river ? 110.0 : 55
                for crossing in road.crossings(with: water) {
                    let piece = road.piece(max(0, crossing - reach)...min(road.length, crossing + reach))
                    let name = names.next() ?? "\(road.name) Bridge \(found.count + 1)"
                    found.append(Road(name, .bridge, lanes: road.lanes, piece))
                }
            }
        }
        return found
    }
}
