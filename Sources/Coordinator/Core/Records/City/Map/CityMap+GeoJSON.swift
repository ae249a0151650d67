private import Common

/// The map as a FeatureCollection of lines (RFC 7946): what the dashboard draws.
extension CityMap {
    package var geoJSON: [UInt8] {
        var writer = ByteWriter(capacity: 160_000)
        writer.append("{\"type\":\"FeatureCollection\",\"features\":[")
        // Water lies below streets, these below main roads, bridges on top: in the order in which they are drawn.
        for (index, road) in (water + streets + mainRoads + bridges).enumerated() {
            writer.append(index == 0 ? "\n" : ",\n")
            writer.append("{\"type\":\"Feature\",\"properties\":{\"name\":")
            CanonicalJSON.write(string: road.name, to: &writer)
            writer.append(
                ",\"kind\":\"\(road.kind.rawValue)\"},\"geometry\":{\"type\":\"LineString\",\"coordinates\":[")
            for (index, point) in road.points.enumerated() {
                writer.append(index == 0 ? "[" : ",[")
                writer.append(fixed: point.longitude, digits: 5)
                writer.append(UInt8(ascii: ","))
                writer.append(fixed: point.latitude, digits: 5)
                writer.append(UInt8(ascii: "]"))
            }
            writer.append("]}}")
        }
        writer.append("\n]}\n")
        return Array(writer.bytes)
    }
}
