private import Glibc

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed, on every machine and in every version.
struct RepeatableRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// At least 0, below 1.
    mutating func unit() -> Double { Self.unit(next()) }

    mutating func number(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + unit() * (range.upperBound - range.lowerBound)
    }

    /// How many of many rare and independent things happen when `mean` are expected.
    mutating func poisson(_ mean: Double) -> Int {
        // Knuth's way multiplies as often as things happen; for many the normal distribution is close enough.
        guard mean < 30 else {
            let normal = (-2 * log(1 - unit())).squareRoot() * cos(2 * Double.pi * unit())
            return max(0, Int((mean + mean.squareRoot() * normal).rounded()))
        }
        let limit = exp(-mean)
        var product = unit()
        var count = 0
        while product > limit {
            product *= unit()
            count += 1
        }
        return count
    }

    /// A number that is fixed for its three parts: noise that needs no memory.
    static func noise(_ seed: UInt64, _ part: UInt64, _ slot: Int64) -> Double {
        unit(mix(mix(seed ^ mix(part)) &+ UInt64(bitPattern: slot) &* 0x9E37_79B9_7F4A_7C15))
    }

    private static func unit(_ bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
