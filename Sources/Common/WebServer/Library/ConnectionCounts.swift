/// How many connections there are, in all and of each address. A pure value.
struct ConnectionCounts {
    private(set) var total = 0
    private var byAddress: [String: Int] = [:]

    /// False when there is no room for it; counted only if there is.
    mutating func admit(_ address: String, _ limit: Int, perAddress: Int?) -> Bool {
        let own = byAddress[address] ?? 0
        guard total < limit, own < perAddress ?? .max else { return false }
        byAddress[address] = own + 1
        total += 1
        return true
    }

    mutating func ended(_ address: String) {
        guard let own = byAddress[address] else { return }
        byAddress[address] = own > 1 ? own - 1 : nil
        total -= 1
    }
}
