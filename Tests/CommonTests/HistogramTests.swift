import Common
import Testing

@Suite("A histogram")
struct HistogramTests {
    @Test("Quantiles lie in the bucket of their value, and are nil while there is none")
    func quantiles() {
        var histogram = Histogram()
        #expect(histogram.quantile(0.5) == nil)
        for value in 1...100 { histogram.add(Double(value)) }
        #expect(histogram.count == 100 && histogram.sum == 5050)
        let median = histogram.quantile(0.5)!
        #expect(median >= 20 && median <= 50)
        #expect(histogram.quantile(0.99)! > 50 && histogram.quantile(1)! <= 100)
        histogram.add(1e9)
        #expect(histogram.quantile(1) == Histogram.bounds.last)
    }

    @Test("What came since an earlier state, and histograms added up, are the same counts")
    func sums() {
        var first = Histogram()
        for value in [0.5, 3, 30] { first.add(value) }
        var second = first
        for value in [7.0, 700] { second.add(value) }
        var sum = first
        sum += second.since(first)
        #expect(sum == second && second.since(first).count == 2)
    }

    @Test("Old values fade until nothing is left to tell")
    func decay() {
        var histogram = Histogram()
        for _ in 0..<100 { histogram.add(1000) }
        for _ in 0..<20 {
            histogram.decay(by: 0.5)
            histogram.add(1)
        }
        #expect(histogram.quantile(0.5)! <= 1)
        for _ in 0..<100 { histogram.decay(by: 0.5) }
        #expect(histogram.quantile(0.5) == nil)
    }
}
