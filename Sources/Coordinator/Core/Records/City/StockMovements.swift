package import Common

/// Movements of spare parts for cameras: used one by one, bought in lots. Records of the built-in stream `stocks`.
///
/// What has been taken never exceeds what has been brought, as far as these movements go.
package struct StockMovements {
    private struct Part {
        let sku: String
        let name: String
        /// Pieces that are bought at a time.
        let lot: Int64
        var onHand: Int64 = 0
    }

    private var parts: [Part] = [
        Part(sku: "CAM-HD-01", name: "Camera HD, pole mount", lot: 12),
        Part(sku: "CAM-HD-02", name: "Camera HD, dome", lot: 12),
        Part(sku: "CAM-IR-01", name: "Camera infrared", lot: 8), Part(sku: "LENS-08", name: "Lens 8 mm", lot: 30),
        Part(sku: "LENS-16", name: "Lens 16 mm", lot: 30), Part(sku: "LENS-50", name: "Lens 50 mm", lot: 20),
        Part(sku: "HOUSING-S", name: "Housing, small", lot: 25),
        Part(sku: "HOUSING-L", name: "Housing, large", lot: 15),
        Part(sku: "WIPER-01", name: "Wiper blade", lot: 60), Part(sku: "HEATER-01", name: "Housing heater", lot: 20),
        Part(sku: "POE-30", name: "Power injector 30 W", lot: 40),
        Part(sku: "POE-60", name: "Power injector 60 W", lot: 25),
        Part(sku: "CABLE-10", name: "Outdoor cable 10 m", lot: 80),
        Part(sku: "CABLE-25", name: "Outdoor cable 25 m", lot: 60),
        Part(sku: "RADAR-24", name: "Radar head 24 GHz", lot: 10),
        Part(sku: "RADAR-77", name: "Radar head 77 GHz", lot: 6),
        Part(sku: "LOOP-6", name: "Induction loop 6 m", lot: 30),
        Part(sku: "LOOP-DET", name: "Loop detector card", lot: 20),
        Part(sku: "MODEM-5G", name: "Modem 5G", lot: 18), Part(sku: "ANT-5G", name: "Antenna 5G", lot: 24),
        Part(sku: "BATT-12", name: "Battery 12 V", lot: 36), Part(sku: "SOLAR-80", name: "Solar panel 80 W", lot: 10),
        Part(sku: "FUSE-T2", name: "Fuse T2A", lot: 200), Part(sku: "BRACKET-U", name: "Bracket, universal", lot: 50),
    ]
    private var random: RepeatableRandom
    private var opened = 0

    package init(seed: UInt64) {
        random = RepeatableRandom(seed: seed ^ 0x57_0C)
    }

    package var partCount: Int { parts.count }

    /// Writes the next movement, as JSON. Returns its Kafka key, the part's number.
    @discardableResult
    package mutating func write(to writer: inout ByteWriter) -> [UInt8] {
        let (index, change) = next()
        parts[index].onHand += change
        writer.append("{\"sku\":\"\(parts[index].sku)\",\"name\":\"\(parts[index].name)\",\"quantity\":")
        writer.append(decimal: Int64(change))
        writer.append(UInt8(ascii: "}"))
        return Array(parts[index].sku.utf8)
    }

    private mutating func next() -> (part: Int, change: Int64) {
        // At first the shelves are filled.
        if opened < parts.count {
            defer { opened += 1 }
            return (opened, parts[opened].lot * 2)
        }
        let index = Int(random.next() % UInt64(parts.count))
        let part = parts[index]
        if part.onHand == 0 || (part.onHand < part.lot / 2 && random.unit() < 0.3) { return (index, part.lot) }
        return (index, -min(part.onHand, Int64(1 + random.poisson(0.8))))
    }
}
