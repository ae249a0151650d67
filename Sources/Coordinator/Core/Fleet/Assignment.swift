package import Common

/// Which shard should have which source: even, sticky, and the same for the same input.
package enum Assignment {
    /// Spreads sources over shards so that their numbers differ by at most one and as few sources as possible move.
    ///
    /// - Parameters:
    ///   - current: where sources are; shards and sources that are gone don't count.
    ///   - shards: may be none: then nothing has a shard.
    package static func balance(
        _ sources: Set<SourceID>, over shards: Set<Int32>, current: [SourceID: Int32]
    ) -> [SourceID: Int32] {
        guard !shards.isEmpty else { return [:] }
        var held: [Int32: [SourceID]] = Dictionary(uniqueKeysWithValues: shards.map { ($0, []) })
        var free: [SourceID] = []
        for source in sources.sorted() {
            if let shard = current[source], held[shard] != nil {
                held[shard]!.append(source)
            } else {
                free.append(source)
            }
        }
        // Those that hold most keep the one more that not everyone can have.
        let order = shards.sorted { (held[$1]!.count, $0) < (held[$0]!.count, $1) }
        let (share, rest) = sources.count.quotientAndRemainder(dividingBy: shards.count)
        var result: [SourceID: Int32] = [:]
        var room: [(shard: Int32, count: Int)] = []
        for (position, shard) in order.enumerated() {
            let quota = position < rest ? share + 1 : share
            for source in held[shard]!.prefix(quota) { result[source] = shard }
            free += held[shard]!.dropFirst(quota)
            room.append((shard, quota - min(quota, held[shard]!.count)))
        }
        room.sort { $0.shard < $1.shard }
        var next = free.sorted().makeIterator()
        for (shard, count) in room {
            for _ in 0..<count { result[next.next()!] = shard }
        }
        return result
    }
}
