import Common
import CoordinatorCore
import Foundation
import JSONRecords
import Testing

@Suite("Simulated stock")
struct StockMovementsTests {
    private struct Movement: Decodable {
        let sku: String
        let name: String
        let quantity: Int
    }

    @Test("Nothing is taken that is not there, whatever the seed, and all parts are used and bought", arguments: 1...5)
    func sums(seed: UInt64) throws {
        var movements = StockMovements(seed: seed)
        var decoder = RecordDecoder(BuiltInStreams.all()[1])
        var (sums, used, bought): ([String: Int], Set<String>, [String: Int]) = ([:], [], [:])
        for _ in 0..<5000 {
            var writer = ByteWriter()
            let key = movements.write(to: &writer)
            try decoder.decode(writer.bytes, RecordMetadata(key: nil, timestamp: nil, partition: 0, offset: 0))
            let movement = try JSONDecoder().decode(Movement.self, from: Data(writer.bytes))
            sums[movement.sku, default: 0] += movement.quantity
            #expect(sums[movement.sku]! >= 0 && movement.quantity != 0 && key == Array(movement.sku.utf8))
            if movement.quantity < 0 { used.insert(movement.sku) } else { bought[movement.sku, default: 0] += 1 }
        }
        #expect(sums.count == movements.partCount && used.count == movements.partCount)
        #expect(bought.values.count { $0 > 1 } > movements.partCount / 2)
    }
}
