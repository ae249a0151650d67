internal import Common

/// What of a camera's records is always the same.
struct CameraText {
    /// Before the number of vehicles.
    let head: [UInt8]
    /// Behind the label.
    let tail: [UInt8]
    /// The Kafka key.
    let key: [UInt8]

    init(_ camera: Camera) {
        var writer = ByteWriter()
        CityReading.writeStart(camera.id, location: camera.location, camera.point, to: &writer)
        head = Array(writer.bytes)
        tail = Array(#"","type":"\#(camera.type)"}"#.utf8)
        key = Array(camera.id.description.utf8)
    }
}
