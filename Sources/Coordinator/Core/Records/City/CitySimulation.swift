package import Common

/// Readings of the city's cameras and buses, one after another: the same for the same seed and times.
package struct CitySimulation {
    /// Who reports, in the order in which it goes round.
    private enum Reporter {
        case camera(Int)
        case bus(Int)
    }

    private let seed: UInt64
    private let utcOffset: Int64
    private let hasFaults: Bool
    private let cameras: [Camera]
    private let buses: [Bus]
    private let texts: [CameraText]
    private let busKeys: [[UInt8]]
    private let order: [Reporter]
    private var turn = 0
    private var random: RepeatableRandom
    /// The levels of the minute that `levelMinute` says.
    private var levels = [0.0, 0, 0]
    private var levelMinute = Int64.min

    /// - Parameters:
    ///   - utcOffset: seconds by which the city's clocks are ahead of UTC.
    ///   - hasFaults: some cameras are silent for a while, and rarely one sends what is no reading.
    package init(seed: UInt64, utcOffset: Int = 0, hasFaults: Bool = false) {
        self.seed = seed
        self.utcOffset = Int64(utcOffset)
        self.hasFaults = hasFaults
        cameras = CityMap.shared.cameras(seed: seed)
        buses = CityMap.shared.buses(seed: seed)
        texts = cameras.map { CameraText($0) }
        busKeys = buses.map { Array($0.id.description.utf8) }
        var random = RepeatableRandom(seed: seed)
        order = (cameras.indices.map { .camera($0) } + buses.indices.map { .bus($0) }).shuffled(using: &random)
        self.random = random
    }

    /// How many report: each once in so many records.
    package var reporterCount: Int { order.count }

    /// Writes the next reading, as JSON. Returns its Kafka key, the reporter's id.
    @discardableResult
    package mutating func write(at time: Timestamp, to writer: inout ByteWriter) -> [UInt8] {
        let micros = time.microseconds + Timestamp.postgresEpochSeconds * 1_000_000
        let second = micros / 1_000_000
        refreshLevels(second + utcOffset)
        let start = writer.count
        var key: [UInt8] = []
        // A round at most: not all of them are silent.
        for _ in order.indices {
            turn = turn + 1 < order.count ? turn + 1 : 0
            switch order[turn] {
            case .camera(let index):
                if hasFaults, CameraFault.isSilent(seed, cameras[index].number, at: second) { continue }
                write(cameras[index], texts[index], at: time, second, to: &writer)
                key = texts[index].key
            case .bus(let index):
                write(buses[index], at: time, micros, to: &writer)
                key = busKeys[index]
            }
            break
        }
        guard hasFaults else { return key }
        if let bad = CameraFault.badRecord(Array(writer.bytes(start..<writer.count)), &random) {
            writer.truncate(to: start)
            bad.withUnsafeBytes { writer.append($0) }
        }
        return key
    }

    private mutating func refreshLevels(_ second: Int64) {
        let minute = second / 60
        guard minute != levelMinute else { return }
        levels = TrafficDirection.allCases.map { TrafficCurve.level(at: minute * 60, $0) }
        levelMinute = minute
    }

    private mutating func write(
        _ camera: Camera, _ text: CameraText, at time: Timestamp, _ second: Int64, to writer: inout ByteWriter
    ) {
        let mean =
            camera.capacity * camera.kind.demand * levels[camera.direction.rawValue]
            * (0.62 + 0.53 * RepeatableRandom.noise(seed, camera.number, -1)) * swell(camera.number, second)
            * (isIncident(camera.road, second) ? 1.6 : 1)
        let count = min(random.poisson(mean), Int(camera.capacity * 1.25))
        let label = CityReading.label(count, capacity: camera.capacity, camera.kind)
        CityReading.write(time, text.head, count, label, text.tail, to: &writer)
    }

    /// A bus sees what is in front of it, and little of it.
    private mutating func write(_ bus: Bus, at time: Timestamp, _ micros: Int64, to writer: inout ByteWriter) {
        let view = 8.0
        let level = levels[TrafficDirection.across.rawValue] * swell(bus.number, micros / 1_000_000)
        let count = min(random.poisson(view * level), 12)
        var head = ByteWriter()
        let point = bus.point(at: Double(micros) / 1e6)
        CityReading.writeStart(bus.id, location: bus.line.name, point, to: &head)
        let label = CityReading.label(Int(level * 100), capacity: 100, bus.line.kind)
        CityReading.write(time, Array(head.bytes), count, label, Array(#"","type":"bus"}"#.utf8), to: &writer)
    }

    /// How much more or less than usual there is at a place: drifts over minutes.
    private func swell(_ number: UInt64, _ second: Int64) -> Double {
        let (slot, rest) = second.quotientAndRemainder(dividingBy: 240)
        let before = RepeatableRandom.noise(seed, number, slot)
        let after = RepeatableRandom.noise(seed, number, slot + 1)
        return 0.78 + 0.44 * (before + (after - before) * Double(rest) / 240)
    }

    /// Something blocks a road, for a quarter of an hour.
    private func isIncident(_ road: UInt64, _ second: Int64) -> Bool {
        RepeatableRandom.noise(seed ^ 0x1C, road, second / 900) < 0.02
    }
}
