import BenchmarkSupport
import Common
import Feed
import JSONRecords
import WSEdgeCore

/// Rows as an edge has them.
struct EdgePath {
    private static let entryRowCount = 100
    private static let filterCount = 1000

    private let stream = BuiltInStreams.all()[0]
    private let rows: [FeedMessage.Row]

    init() {
        var decoder = RecordDecoder(stream)
        let keys = CanonicalJSON.Keys(stream.columns)
        rows = (0..<Self.entryRowCount).map { index in
            var writer = ByteWriter()
            Benchmark.reading(index).withUnsafeBytes { value in
                let metadata = RecordMetadata(key: nil, timestamp: 0, partition: 0, offset: 0)
                guard (try? decoder.decode(value, metadata)) != nil else { preconditionFailure("no reading") }
                CanonicalJSON.write(row: decoder.values, keys: keys, to: &writer)
            }
            return FeedMessage.Row(
                source: SourceID(rawValue: 1), offset: Int64(index), version: 0, deleted: false,
                json: Array(writer.bytes))
        }
    }

    /// Rows become frames, 100 at a time, once for all clients of a group. Returns their bytes.
    func frames(_ recordCount: Int) -> Int {
        let encoding = GroupEncoding(sub: 1, GroupKey(.messages), stream, epoch: "epoch")
        let entry = StreamRing.Entry(rows: rows, position: [SourceID(rawValue: 1): Int64(rows.count)])
        return (0..<recordCount / rows.count).reduce(0) { sum, _ in sum + encoding.frames(entry, from: nil).bytes.count
        }
    }

    /// Rows are matched with 1,000 filters, half of them boxes and half a camera each. Returns how many let one through.
    func matches(_ recordCount: Int) -> Int {
        var index = FilterIndex<Int>(stream)
        func place(_ name: String) -> Int { stream.columns.firstIndex { $0.name == name }! }
        let position = RowFilter.Pair(longitude: place("longitude"), latitude: place("latitude"))
        for number in 0..<Self.filterCount / 2 {
            let (west, south) = (13 + Double(number % 100) / 100, 52 + Double(number % 77) / 100)
            var box = RowFilter()
            box.boxes = [
                .init(BoundingBox(west: west, south: south, east: west + 0.01, north: south + 0.01)!, position)
            ]
            index.insert(2 * number, box)
            var camera = RowFilter()
            let identifier = Array("\"\(Benchmark.identifier(number))\"".utf8)
            camera.choices = [.init(column: place("stream_id"), values: [identifier])]
            index.insert(2 * number + 1, camera)
        }
        return (0..<recordCount).reduce(0) { $0 + index.matches(rows[$1 % rows.count].json).count }
    }
}
