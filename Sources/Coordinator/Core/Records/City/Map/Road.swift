private import Glibc

/// A road or a water, as the line of its middle.
struct Road {
    let name: String
    let kind: RoadKind
    /// In each direction.
    let lanes: Int
    let points: [PlanePoint]
    /// Metres from the first point to each.
    let distances: [Double]
    /// A ring: the last point is the first.
    let isClosed: Bool

    init(_ name: String, _ kind: RoadKind, lanes: Int, _ points: [PlanePoint]) {
        precondition(points.count > 1)
        self.name = name
        self.kind = kind
        self.lanes = lanes
        self.points = points
        var distances = [0.0]
        for (from, to) in zip(points, points.dropFirst()) { distances.append(distances.last! + from.distance(to: to)) }
        self.distances = distances
        isClosed = points.first == points.last
    }

    var length: Double { distances.last! }

    /// The place so many metres from its beginning, and which way it goes there, in radians against the clock from
    /// east. What lies beyond an end is that end.
    func place(at distance: Double) -> (point: PlanePoint, heading: Double) {
        let metres = min(max(distance, 0), length)
        // The last point that is not behind it; a road has at least two.
        var (low, high) = (0, points.count - 2)
        while low < high {
            let middle = (low + high + 1) / 2
            if distances[middle] <= metres { low = middle } else { high = middle - 1 }
        }
        let (from, to) = (points[low], points[low + 1])
        let share = (metres - distances[low]) / max(distances[low + 1] - distances[low], 1e-9)
        return (from.toward(to, share), atan2(to.y - from.y, to.x - from.x))
    }

    /// The line between two distances.
    func piece(_ range: ClosedRange<Double>) -> [PlanePoint] {
        let inner = zip(points, distances).filter { range.lowerBound < $0.1 && $0.1 < range.upperBound }
        return [place(at: range.lowerBound).point] + inner.map(\.0) + [place(at: range.upperBound).point]
    }

    /// Distances at which it crosses another.
    func crossings(with other: Road) -> [Double] {
        var found: [Double] = []
        for index in 0..<(points.count - 1) {
            for (from, to) in zip(other.points, other.points.dropFirst()) {
                guard let share = PlanePoint.crossing(points[index], points[index + 1], from, to) else { continue }
                found.append(distances[index] + share * (distances[index + 1] - distances[index]))
            }
        }
        return found.sorted()
    }
}
