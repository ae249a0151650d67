internal import Common

/// A bus with a camera: goes to and fro on its road, or around and around on a ring.
struct Bus {
    let id: UUIDValue
    let number: UInt64
    let line: Road
    /// Metres a second.
    let speed: Double
    /// Metres that it was ahead in 1970.
    let start: Double

    /// Where it is at a time, in seconds since 1970.
    func point(at seconds: Double) -> PlanePoint {
        let way = (start + seconds * speed).truncatingRemainder(
            dividingBy: line.isClosed ? line.length : 2 * line.length)
        return line.place(at: way <= line.length ? way : 2 * line.length - way).point
    }
}

extension CityMap {
    /// Three on each road that is neither a motorway nor a street.
    func buses(seed: UInt64) -> [Bus] {
        var random = RepeatableRandom(seed: seed ^ 0xB5)
        let lines = mainRoads.filter { $0.kind != .motorway }
        return (0..<(lines.count * 3)).map { index in
            let line = lines[index % lines.count]
            // Far from the numbers of cameras.
            let number = UInt64(1_000_000 + index)
            return Bus(
                id: Self.id(seed, number), number: number, line: line, speed: random.number(in: 6...11),
                start: random.unit() * 2 * line.length)
        }
    }
}
