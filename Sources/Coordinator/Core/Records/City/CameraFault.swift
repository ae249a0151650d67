/// What a broken camera does, when faults are asked for.
enum CameraFault {
    /// One in so many records of all.
    private static let badRecordRarity: UInt64 = 2000
    /// A camera that fails is silent for so many seconds.
    private static let silence: Int64 = 600
    private static let silentShare = 0.02

    /// Whether a camera is silent: for a while, and each at times of its own.
    static func isSilent(_ seed: UInt64, _ camera: UInt64, at second: Int64) -> Bool {
        let shifted = second + Int64(camera % UInt64(silence))
        return RepeatableRandom.noise(seed ^ 0xFA, camera, shifted / silence) < silentShare
    }

    /// What it sends in place of a record; nil nearly always. Each is rejected for another reason.
    static func badRecord(_ record: [UInt8], _ random: inout RepeatableRandom) -> [UInt8]? {
        guard random.next() % badRecordRarity == 0 else { return nil }
        switch random.next() % 4 {
        case 0: return Array(record.prefix(record.count / 2))
        case 1: return Array(#"{"error":"sensor restarted","numbers_of_cars":-1}"#.utf8)
        case 2:
            return Array(
                String(decoding: record, as: UTF8.self).replacing("\"latitude\":", with: "\"latitude\":9").utf8)
        default: return Array("ERR 17 NO SIGNAL".utf8)
        }
    }
}
