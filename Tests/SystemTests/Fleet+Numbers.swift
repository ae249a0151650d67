import TestSupport
import Testing

/// Records `{"n":n}`, each in partition n % partitions.
extension Fleet {
    private func own(_ numbers: Range<Int>, _ partition: Int) -> [Int] {
        numbers.filter { $0 % Int(partitions) == partition }
    }

    func produce(_ numbers: Range<Int>) throws {
        for partition in 0..<partitions {
            let records = own(numbers, Int(partition)).map { #"{"n":\#($0)}"# }
            try kafka.produce(records, to: topic, partition: partition)
        }
    }

    /// A client has each number once, and those of one partition in their order.
    func expect(_ numbers: Range<Int>, at client: EdgeClient, sourceLocation: SourceLocation = #_sourceLocation) throws
    {
        try wait("\(numbers.count) rows; \(client.rows.count) have come", seconds: 90) {
            client.rows.count >= numbers.count
        }
        let seen = client.rows.compactMap { Int($0.dropFirst(#"{"n":"#.count).dropLast()) }
        for partition in 0..<Int(partitions) {
            #expect(
                seen.filter { $0 % Int(partitions) == partition } == own(numbers, partition),
                sourceLocation: sourceLocation)
        }
        #expect(seen.count == numbers.count, sourceLocation: sourceLocation)
    }
}
