private import Glibc

/// How far a run has come, in a line: done, rate, time left.
package struct ProduceProgress {
    private let count: Int64?
    private let rateLimit: Int?
    /// Of the last look, and what it saw.
    private var lastTime = Duration.zero
    private var lastDone: Int64 = 0
    private var rate = 0.0

    /// - Parameters:
    ///   - count: records in all, where that is known.
    ///   - rateLimit: records a second that were asked for.
    package init(count: Int64?, rateLimit: Int?) {
        self.count = count
        self.rateLimit = rateLimit
    }

    /// - Parameters:
    ///   - time: since the start.
    ///   - done: records that Kafka has acknowledged.
    ///   - file: bytes that were read, of all.
    ///   - silence: for how long nothing was acknowledged that should be; nil where all is well.
    package mutating func line(
        at time: Duration, done: Int64, file: (read: Int64, size: Int64)?, silence: Duration?
    ) -> String {
        let elapsed = (time - lastTime) / .seconds(1)
        if elapsed > 0 {
            let current = Double(done - lastDone) / elapsed
            // Half of it is what was: a rate that can be read.
            rate = lastTime == .zero ? current : rate + (current - rate) * min(1, elapsed)
            (lastTime, lastDone) = (time, done)
        }
        var text = count.map { "\(done) of \($0) records" } ?? "\(done) records"
        if count == nil, let file, file.size > 0 { text += ", \(file.read * 100 / file.size) % of the file" }
        text += ", \(Int64(rate.rounded())) a second"
        if let silence {
            return text + ", Kafka has not answered for \(Int64(silence / .seconds(1))) s"
        }
        if let left = left(at: time, done, file) { text += ", \(Self.clock(left)) left" }
        return text
    }

    /// Seconds to go; nil where nobody can know.
    private func left(at time: Duration, _ done: Int64, _ file: (read: Int64, size: Int64)?) -> Double? {
        if let count {
            let rate = rateLimit.map { min(Double($0), max(self.rate, 1)) } ?? self.rate
            return rate > 0 ? Double(max(0, count - done)) / rate : nil
        }
        guard let file, file.read > 0 else { return nil }
        return time / .seconds(1) * Double(max(0, file.size - file.read)) / Double(file.read)
    }

    private static func clock(_ seconds: Double) -> String {
        let whole = Int64(seconds.rounded(.up))
        guard whole >= 60 else { return "\(whole) s" }
        guard whole >= 3600 else { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole / 60 % 60) min"
    }

    static func rounded(_ value: Double, digits: Int) -> Double {
        let scale = pow(10, Double(digits))
        return (value * scale).rounded() / scale
    }
}
