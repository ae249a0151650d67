/// A box on the map, in degrees, its borders included. Where west is greater than east it crosses the antimeridian (RFC 7946,
/// section 5.2).
package struct BoundingBox: Hashable, Sendable {
    package let west: Double
    package let south: Double
    package let east: Double
    package let north: Double

    /// Nil for what is no box: west and east within ±180, south and north within ±90, south not above north.
    package init?(west: Double, south: Double, east: Double, north: Double) {
        guard (-180...180).contains(west), (-180...180).contains(east), (-90...90).contains(south),
            (-90...90).contains(north), south <= north
        else { return nil }
        (self.west, self.south, self.east, self.north) = (west, south, east, north)
    }

    /// One that does not cross the antimeridian, or the two sides of one that does.
    package var parts: [BoundingBox] {
        guard west > east else { return [self] }
        return [
            BoundingBox(west: west, south: south, east: 180, north: north)!,
            BoundingBox(west: -180, south: south, east: east, north: north)!,
        ]
    }

    package func contains(longitude: Double, latitude: Double) -> Bool {
        guard latitude >= south, latitude <= north, (-180...180).contains(longitude) else { return false }
        return west <= east
            ? longitude >= west && longitude <= east : longitude >= west || longitude <= east
    }
}
