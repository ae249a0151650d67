import CoordinatorCore
import Foundation
import Testing

@Suite("Progress of producing")
struct ProduceProgressTests {
    @Test("With a count the line says how much of it is done, how fast, and how long it will take")
    func count() {
        var progress = ProduceProgress(count: 10_000, rateLimit: nil)
        #expect(
            progress.line(at: .seconds(1), done: 1000, file: nil, silence: nil)
                == "1000 of 10000 records, 1000 a second, 9 s left")
        #expect(
            progress.line(at: .seconds(2), done: 1050, file: nil, silence: nil)
                == "1050 of 10000 records, 50 a second, 2 min 59 s left")
    }

    @Test("Of a file it says the share that was read; of what has no end, neither share nor time")
    func file() {
        var progress = ProduceProgress(count: nil, rateLimit: nil)
        #expect(
            progress.line(at: .seconds(2), done: 500, file: (250, 1000), silence: nil)
                == "500 records, 25 % of the file, 250 a second, 6 s left")
        #expect(
            progress.line(at: .seconds(2), done: 500, file: nil, silence: nil) == "500 records, 250 a second")
    }

    @Test("While Kafka is silent the line says so instead of a time")
    func silence() {
        var progress = ProduceProgress(count: 10, rateLimit: 5)
        #expect(
            progress.line(at: .seconds(8), done: 0, file: nil, silence: .seconds(7))
                == "0 of 10 records, 0 a second, Kafka has not answered for 7 s")
    }

    @Test("The result is a line, or JSON with the same facts")
    func summary() throws {
        var summary = ProduceSummary()
        (summary.records, summary.acknowledged, summary.failed, summary.seconds) = (100, 90, 10, 2)
        (summary.skipped, summary.error) = (3, "deliver: timed out")
        #expect(
            summary.line
                == "90 records acknowledged in 2.0 s, 45 a second; 3 lines skipped; 10 NOT acknowledged: deliver: timed out"
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(
            String(decoding: try encoder.encode(summary), as: UTF8.self)
                == #"{"acknowledged":90,"error":"deliver: timed out","failed":10,"rate":45,"records":100,"seconds":2,"skipped":3}"#
        )
    }
}
