internal import Common

/// The text of a reading: a record of the built-in stream `traffic_data`.
enum CityReading {
    /// From the camera's id up to the number of vehicles.
    static func writeStart(_ id: UUIDValue, location: String, _ point: PlanePoint, to writer: inout ByteWriter) {
        writer.append("\",\"stream_id\":\"")
        id.write(to: &writer)
        writer.append("\",\"location\":")
        CanonicalJSON.write(string: location, to: &writer)
        writer.append(",\"longitude\":")
        writer.append(fixed: point.longitude, digits: 6)
        writer.append(",\"latitude\":")
        writer.append(fixed: point.latitude, digits: 6)
        writer.append(",\"numbers_of_cars\":")
    }

    static func write(
        _ time: Timestamp, _ start: [UInt8], _ count: Int, _ label: String, _ end: [UInt8],
        to writer: inout ByteWriter
    ) {
        writer.append("{\"timestamp\":\"")
        time.write(to: &writer)
        start.withUnsafeBytes { writer.append($0) }
        writer.append(decimal: Int64(count))
        writer.append(",\"label\":\"")
        writer.append(label)
        end.withUnsafeBytes { writer.append($0) }
    }

    /// In a word, by how much of what the road can carry is on it.
    static func label(_ count: Int, capacity: Double, _ kind: RoadKind) -> String {
        let (share, limits) = (Double(count) / capacity, kind.thresholds)
        return share >= limits.jam
            ? "jam" : share >= limits.heavy ? "heavy" : share >= limits.moderate ? "moderate" : "free"
    }
}
