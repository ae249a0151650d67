import CoordinatorCore
import Testing

@Suite("Pacing")
struct PacingTests {
    /// What is sent over time by somebody who asks when told to, and some time later.
    /// - Parameter stall: between these times nothing can be sent.
    private func run(
        rate: Int, seconds: Int, late: Duration = .zero, stall: Range<Duration>? = nil
    ) -> [(time: Duration, count: Int64)] {
        var pacing = Pacing(rate: rate)
        var time = Duration.zero
        var sent: [(Duration, Int64)] = []
        while time < .seconds(seconds) {
            if let stall, stall.contains(time) { time = stall.upperBound }
            let count = pacing.due(at: time)
            if count > 0 {
                pacing.took(count)
                sent.append((time, count))
            }
            time = max(time, pacing.nextTime) + late
        }
        return sent
    }

    @Test(
        "Over ten seconds the rate is kept to within a hundredth, also by a clock that is late",
        arguments: [7, 150, 1000, 20_000, 350_000], [Duration.zero, .milliseconds(3)])
    func rate(rate: Int, late: Duration) {
        let total = run(rate: rate, seconds: 10, late: late).reduce(0) { $0 + $1.count }
        #expect((Double(total) / Double(rate * 10) - 1).magnitude <= max(0.01, 1 / Double(rate * 10)), "\(total)")
    }

    @Test("Records go in small steps, not in bursts of a second", arguments: [7, 1000, 20_000])
    func steps(rate: Int) {
        let steps = run(rate: rate, seconds: 5)
        #expect(steps.allSatisfy { $0.count <= max(1, Int64(rate) / 100) })
        #expect(steps.count >= min(rate * 5, 900))
    }

    @Test("What a stall delayed is caught up with at twice the rate; what is older than a second is forgotten")
    func stall() {
        let steps = run(rate: 1000, seconds: 20, stall: .seconds(5)..<(.seconds(10)))
        #expect(steps.allSatisfy { $0.count <= 10 })
        let total = steps.reduce(0) { $0 + $1.count }
        // Four of the five seconds that were lost.
        #expect((15_900...16_100).contains(total), "\(total)")
        let burst = steps.filter { (.seconds(10)..<(.seconds(11))).contains($0.time) }.reduce(0) { $0 + $1.count }
        #expect((1900...2100).contains(burst), "\(burst)")
    }

    @Test("What a step allows and nobody takes stays allowed")
    func partial() {
        var pacing = Pacing(rate: 1000)
        #expect(pacing.due(at: .milliseconds(100)) == 10)
        pacing.took(4)
        #expect(pacing.due(at: .milliseconds(101)) == 6)
        pacing.took(6)
        #expect(pacing.due(at: .milliseconds(101)) == 0)
    }
}
