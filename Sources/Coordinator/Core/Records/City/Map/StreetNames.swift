/// Names for what the city is made of, each given once.
struct StreetNames {
    private var next = 0

    static let radials = [
        "Harbour Road", "Orchard Road", "Foundry Road", "Windmill Road", "Abbey Road", "Quarry Road", "Station Road",
        "Kiln Road", "Meadow Road", "Fair Road",
    ]

    static let bridges = [
        "Mill Bridge", "Corn Bridge", "Fishers' Bridge", "Old Bridge", "Iron Bridge", "Dyers' Bridge", "Swan Bridge",
        "Tanners' Bridge", "Salt Bridge", "Long Bridge", "Smiths' Bridge", "Heron Bridge", "Ferry Bridge",
        "Chain Bridge", "Willow Bridge", "Castle Bridge", "Lock Bridge", "Stone Bridge", "Reed Bridge", "Otter Bridge",
        "Market Bridge", "Weavers' Bridge", "Toll Bridge", "Water Bridge", "New Bridge", "Coal Bridge", "Wool Bridge",
        "Guild Bridge", "East Bridge", "West Bridge", "Lantern Bridge", "Weir Bridge",
    ]

    private static let first = [
        "Alder", "Anchor", "Baker", "Barley", "Beech", "Bell", "Birch", "Brewer", "Chapel", "Cherry", "Clay", "Cooper",
        "Copper", "Cross", "Elm", "Fern", "Flax", "Garden", "Glass", "Hazel", "Heath", "Hill", "Holly", "Hop",
        "Juniper",
        "King", "Lime", "Linden", "Maple", "Mason", "Oak", "Pear", "Pine", "Plum", "Poplar", "Queen", "Rose", "Rowan",
        "Sand", "School", "Spring", "Tower", "Vine", "Walnut", "Well",
    ]
    private static let second = ["Street", "Lane", "Row", "Way", "Gate", "Close"]

    mutating func street() -> String {
        defer { next += 1 }
        let (turn, place) = next.quotientAndRemainder(dividingBy: Self.first.count)
        return "\(Self.first[place]) \(Self.second[(place + turn) % Self.second.count])"
    }
}
