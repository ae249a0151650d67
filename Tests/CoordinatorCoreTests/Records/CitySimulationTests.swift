import Common
import Foundation
import JSONRecords
import Testing

@testable import CoordinatorCore

@Suite("Simulated readings")
struct CitySimulationTests {
    private struct Reading: Decodable {
        let stream_id: UUID
        let location: String
        let longitude: Double
        let latitude: Double
        let numbers_of_cars: Int
        let label: String
        let type: String
    }

    /// Wednesday, in UTC.
    private static let midnight = time("2026-11-25T00:00:00Z")

    private static func time(_ text: String) -> Timestamp {
        Array(text.utf8).withUnsafeBytes { Timestamp(iso: $0)! }
    }

    /// One reading of each reporter, at one moment.
    private func round(
        _ city: inout CitySimulation, days: Int = 0, hour: Double, seconds: Int64 = 0
    ) throws -> [Reading] {
        let micros = (Int64(days) * 86_400 + Int64(hour * 3600) + seconds) * 1_000_000
        let moment = Timestamp(microseconds: Self.midnight.microseconds + micros)
        return try (0..<city.reporterCount).map { _ in
            var writer = ByteWriter()
            city.write(at: moment, to: &writer)
            return try JSONDecoder().decode(Reading.self, from: Data(writer.bytes))
        }
    }

    private func text(seed: UInt64, count: Int) -> [String] {
        var city = CitySimulation(seed: seed)
        return (0..<count).map { index in
            var writer = ByteWriter()
            city.write(at: Timestamp(microseconds: Self.midnight.microseconds + Int64(index) * 1000), to: &writer)
            return String(decoding: writer.bytes, as: UTF8.self)
        }
    }

    @Test("The same seed and times give the same records, another seed other cameras")
    func repeatable() {
        #expect(text(seed: 7, count: 2000) == text(seed: 7, count: 2000))
        #expect(Set(text(seed: 7, count: 100)).isDisjoint(with: text(seed: 8, count: 100)))
    }

    @Test("Every reading becomes a row of the built-in stream, at any hour of a week")
    func rows() throws {
        var city = CitySimulation(seed: 1)
        var decoder = RecordDecoder(BuiltInStreams.all()[0])
        let key = try #require(RecordKey(BuiltInStreams.all()[0]))
        for hour in 0..<168 {
            let moment = Timestamp(microseconds: Self.midnight.microseconds + Int64(hour) * 3_600_000_000)
            for _ in 0..<50 {
                var writer = ByteWriter()
                let own = city.write(at: moment, to: &writer)
                try decoder.decode(writer.bytes, RecordMetadata(key: nil, timestamp: nil, partition: 0, offset: 0))
                #expect(try key.bytes(of: writer.bytes) == own)
            }
        }
    }

    @Test("A few hundred cameras report from their places in turn, and buses move along their roads")
    func places() throws {
        var city = CitySimulation(seed: 1)
        let first = try round(&city, hour: 8)
        let second = try round(&city, hour: 8, seconds: 10)
        #expect((300...600).contains(first.count))
        #expect(Set(first.map(\.stream_id)).count == first.count && first.map(\.stream_id) == second.map(\.stream_id))
        #expect(Set(first.map(\.type)) == ["camera", "radar", "loop", "bus"])
        for (before, after) in zip(first, second) {
            let east = (after.longitude - before.longitude) * 67_770
            let north = (after.latitude - before.latitude) * 111_320
            let metres = (east * east + north * north).squareRoot()
            // 6 to 11 m/s, less where one has turned round.
            if before.type == "bus" { #expect((0.1...111).contains(metres)) } else { #expect(metres == 0) }
        }
    }

    @Test("Rush hours are busier than noon, noon than night, and workdays than Sundays")
    func rushHours() throws {
        var city = CitySimulation(seed: 1)
        func cars(_ day: Int, _ hour: Double) throws -> Int {
            try round(&city, days: day, hour: hour).reduce(0) { $0 + $1.numbers_of_cars }
        }
        let (night, morning, noon, evening) = (try cars(0, 3), try cars(0, 8), try cars(0, 12), try cars(0, 17))
        #expect(night * 3 < noon && noon < morning && noon < evening)
        #expect(try cars(4, 8) * 2 < morning)
    }

    @Test("In the morning traffic flows inwards, in the evening outwards, by the city's own clocks")
    func directions() throws {
        func share(_ hour: Double, utcOffset: Int) throws -> Double {
            var city = CitySimulation(seed: 1, utcOffset: utcOffset)
            let readings = try round(&city, hour: hour)
            func cars(_ way: String) -> Int {
                readings.filter { $0.location.hasSuffix(way) }.reduce(0) { $0 + $1.numbers_of_cars }
            }
            return Double(cars("inbound")) / Double(cars("outbound"))
        }
        #expect(try share(8, utcOffset: 0) > 1.2)
        #expect(try share(17, utcOffset: 0) < 0.9)
        #expect(try share(1, utcOffset: 7 * 3600) > 1.2)
    }

    @Test("Labels follow from what a road can carry: jams in rush hours, none at night")
    func labels() throws {
        var city = CitySimulation(seed: 1)
        let (night, morning) = (try round(&city, hour: 3), try round(&city, hour: 8))
        func share(_ label: String, _ readings: [Reading]) -> Double {
            Double(readings.count { $0.label == label }) / Double(readings.count)
        }
        #expect(share("free", night) > 0.97 && share("jam", night) == 0)
        #expect(["free", "moderate", "heavy", "jam"].allSatisfy { share($0, morning) > 0.03 })
        let order = ["free", "moderate", "heavy", "jam"]
        var most: [UUID: (count: Int, label: Int)] = [:]
        for hour in 0..<24 {
            for reading in try round(&city, hour: Double(hour)) where reading.type != "bus" {
                let label = try #require(order.firstIndex(of: reading.label))
                if let before = most[reading.stream_id] {
                    #expect(reading.numbers_of_cars < before.count ? label <= before.label : true)
                    #expect(reading.numbers_of_cars > before.count ? label >= before.label : true)
                }
                most[reading.stream_id] = (reading.numbers_of_cars, label)
            }
        }
    }

    @Test("Vehicles come one by one: as many more or fewer as chance has it", arguments: [0.5, 4, 29, 31, 90])
    func poisson(mean: Double) {
        var random = RepeatableRandom(seed: 3)
        let counts = (0..<20_000).map { _ in Double(random.poisson(mean)) }
        let average = counts.reduce(0, +) / 20_000
        let variance = counts.reduce(0) { $0 + ($1 - average) * ($1 - average) } / 20_000
        #expect((average / mean - 1).magnitude < 0.03 && (variance / mean - 1).magnitude < 0.06)
    }

    @Test("With faults some cameras are silent for a while, and some records are dead letters of several reasons")
    func faults() throws {
        var decoder = RecordDecoder(BuiltInStreams.all()[0])
        func run(_ hasFaults: Bool) -> (bad: [RecordRejection.Code: Int], ids: Set<String>) {
            var city = CitySimulation(seed: 1, hasFaults: hasFaults)
            var bad: [RecordRejection.Code: Int] = [:]
            var ids: Set<String> = []
            for _ in 0..<40_000 {
                var writer = ByteWriter()
                city.write(at: Self.midnight, to: &writer)
                do throws(RecordRejection) {
                    try decoder.decode(
                        writer.bytes, RecordMetadata(key: nil, timestamp: nil, partition: 0, offset: 0))
                    if case .uuid(let id) = decoder.values[1] { ids.insert("\(id)") }
                } catch {
                    bad[error.code, default: 0] += 1
                }
            }
            return (bad, ids)
        }
        let (good, faulty) = (run(false), run(true))
        #expect(good.bad.isEmpty && faulty.bad.keys.count >= 3)
        #expect((5...80).contains(faulty.bad.values.reduce(0, +)))
        #expect(faulty.ids.isStrictSubset(of: good.ids) && faulty.ids.count * 10 > good.ids.count * 9)
    }
}
