internal import Common

extension ByteWriter {
    /// A number with so many digits behind the point: about a metre for 5 of degrees, a tenth of it for 6.
    mutating func append(fixed value: Double, digits: Int) {
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((value * Double(scale)).rounded())
        if scaled < 0 { append(UInt8(ascii: "-")) }
        append(decimal: Int64(scaled.magnitude) / scale)
        append(UInt8(ascii: "."))
        var fraction = Int64(scaled.magnitude) % scale
        for _ in 0..<digits {
            scale /= 10
            append(UInt8(ascii: "0") + UInt8(fraction / scale))
            fraction %= scale
        }
    }
}
