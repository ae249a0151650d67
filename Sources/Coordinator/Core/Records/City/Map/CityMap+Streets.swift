private import Glibc

/// Streets: a slanted grid in the old town, outside of it arcs between the radial roads and what joins them.
extension CityMap {
    /// Of the map itself: the same for everybody, whatever is simulated on it.
    private static let seed: UInt64 = 1521
    /// Metres that a street keeps from the middle of a water.
    private static let bank = 90.0
    private static let shortest = 260.0

    static func streets(clearOf water: [Road]) -> [Road] {
        var random = RepeatableRandom(seed: seed)
        let lines = oldTown(&random) + districts(&random)
        var names = StreetNames()
        return lines.flatMap { line in pieces(line, clearOf: water) }.map { piece in
            Road(names.street(), .street, lanes: 1, piece)
        }
    }

    private static func oldTown(_ random: inout RepeatableRandom) -> [[PlanePoint]] {
        var lines: [[PlanePoint]] = []
        for (slant, spacing) in [(17.0, 250.0), (101.0, 290.0)] {
            for place in stride(from: -1000.0, through: 1000, by: spacing) {
                let (offset, bend) = (place + random.number(in: -30...30), random.number(in: -70...70))
                let points = stride(from: -1300.0, through: 1300, by: 130).map { along in
                    let across = offset + bend * sin(along / 900)
                    let (east, north) = (cos(slant * .pi / 180), sin(slant * .pi / 180))
                    return PlanePoint(x: along * east - across * north, y: along * north + across * east)
                }
                lines.append(points.filter { lies($0, inside: 0, by: 40) })
            }
        }
        return lines
    }

    private static func lies(_ point: PlanePoint, inside ring: Int, by metres: Double) -> Bool {
        point.radius < radius(ring: ring, atan2(point.y, point.x) * 180 / .pi) - metres
    }

    private static func districts(_ random: inout RepeatableRandom) -> [[PlanePoint]] {
        var lines: [[PlanePoint]] = []
        let arcs = [1480.0, 1800, 2150, 2520, 3450, 3950, 4500, 5150, 5800]
        for radial in radialDegrees.indices {
            func degrees(_ share: Double, _ radius: Double) -> Double {
                let from = Self.degrees(radial: radial, at: radius)
                var to = Self.degrees(radial: radial + 1, at: radius)
                if to < from { to += 360 }
                return from + (to - from) * share
            }
            for radius in arcs where random.unit() > 0.12 {
                let (wave, phase) = (random.number(in: 20...90), random.number(in: 0...6.28))
                let steps = max(4, Int(radius / 450))
                lines.append(
                    (0...steps).map { step in
                        let share = Double(step) / Double(steps)
                        // At both ends it meets the radial road.
                        let bend = wave * sin(phase + share * 5) * sin(.pi * share)
                        return .polar(radius + bend, degrees(share, radius))
                    })
            }
            for (inner, outer, count) in [(1300.0, 2700.0, 3), (3250, 4600, 4), (4500, 6100, 4)] {
                for number in 1...count where random.unit() > 0.2 {
                    let middle = Double(number) / Double(count + 1) + random.number(in: -0.06...0.06)
                    let drift = random.number(in: -0.08...0.08)
                    lines.append(
                        stride(from: 0, through: 1, by: 0.125).map { share in
                            let radius = inner + (outer - inner) * share
                            return .polar(radius, degrees(middle + drift * sin(share * 3), radius))
                        })
                }
            }
        }
        return lines.map { line in line.filter { lies($0, inside: rings.count - 1, by: 150) } }
    }

    /// What is left of a line where there is no water, without what is too short.
    private static func pieces(_ line: [PlanePoint], clearOf water: [Road]) -> [[PlanePoint]] {
        func isClear(_ point: PlanePoint) -> Bool {
            !water.contains { water in
                zip(water.points, water.points.dropFirst()).contains { from, to in
                    distance(point, from, to) < bank
                }
            }
        }
        var pieces: [[PlanePoint]] = [[]]
        for (index, point) in line.enumerated() {
            let crosses =
                index > 0
                && water.contains { water in
                    zip(water.points, water.points.dropFirst()).contains { from, to in
                        PlanePoint.crossing(line[index - 1], point, from, to) != nil
                    }
                }
            if !isClear(point) || crosses { pieces.append([]) }
            if isClear(point) { pieces[pieces.count - 1].append(point) }
        }
        return pieces.filter { piece in
            zip(piece, piece.dropFirst()).reduce(0) { $0 + $1.0.distance(to: $1.1) } >= shortest
        }
    }

    private static func distance(_ point: PlanePoint, _ from: PlanePoint, _ to: PlanePoint) -> Double {
        let (x, y) = (to.x - from.x, to.y - from.y)
        let share = ((point.x - from.x) * x + (point.y - from.y) * y) / (x * x + y * y)
        return point.distance(to: from.toward(to, min(max(share, 0), 1)))
    }
}
