private import Glibc

/// A place of the invented city, in metres east and north of its middle.
struct PlanePoint: Hashable {
    var x: Double
    var y: Double

    /// Where on the globe the middle lies.
    private static let middle = (longitude: 13.4, latitude: 52.5)
    private static let metresPerDegree = 111_320.0
    private static let metresPerLongitude = metresPerDegree * cos(middle.latitude * Double.pi / 180)

    var longitude: Double { Self.middle.longitude + x / Self.metresPerLongitude }
    var latitude: Double { Self.middle.latitude + y / Self.metresPerDegree }

    /// Metres from the middle.
    var radius: Double { (x * x + y * y).squareRoot() }

    func distance(to other: PlanePoint) -> Double {
        ((other.x - x) * (other.x - x) + (other.y - y) * (other.y - y)).squareRoot()
    }

    /// `share` of the way to another.
    func toward(_ other: PlanePoint, _ share: Double) -> PlanePoint {
        PlanePoint(x: x + (other.x - x) * share, y: y + (other.y - y) * share)
    }

    /// In degrees, counted from east against the clock.
    static func polar(_ radius: Double, _ degrees: Double) -> PlanePoint {
        PlanePoint(x: radius * cos(degrees * Double.pi / 180), y: radius * sin(degrees * Double.pi / 180))
    }

    /// Where the lines from `a` to `b` and from `c` to `d` meet, as the share of the first; nil where they don't.
    static func crossing(_ a: PlanePoint, _ b: PlanePoint, _ c: PlanePoint, _ d: PlanePoint) -> Double? {
        let (rx, ry, sx, sy) = (b.x - a.x, b.y - a.y, d.x - c.x, d.y - c.y)
        let determinant = rx * sy - ry * sx
        guard determinant.magnitude > 1e-9 else { return nil }
        let first = ((c.x - a.x) * sy - (c.y - a.y) * sx) / determinant
        let second = ((c.x - a.x) * ry - (c.y - a.y) * rx) / determinant
        return (0..<1).contains(first) && (0..<1).contains(second) ? first : nil
    }
}
