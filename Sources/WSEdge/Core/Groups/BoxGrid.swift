import Feed

/// Finds the boxes that hold a position among many, at the cost of those that it finds. A pure value.
///
/// Uniform grids of cells, each half as wide as the one before: a box stands in the few cells that it touches of the grid
/// whose cells are about as large as itself, and a position is looked up in one cell of each grid that has boxes.
struct BoxGrid<ID: Hashable> {
    private struct Cell: Hashable {
        let level: Int
        let x: Int
        let y: Int
    }

    /// With the bounds, so that those that don't hold a position cost a comparison, however many share a cell.
    private var cells: [Cell: [(id: ID, bounds: BoundingBox)]] = [:]
    /// How many boxes stand in each grid.
    private var counts: [Int]

    /// The finest grid has cells of 360°/2^16, about 600 m.
    private static var levelCount: Int { 17 }

    init() {
        counts = Array(repeating: 0, count: Self.levelCount)
    }

    mutating func insert(_ id: ID, _ box: BoundingBox) {
        for part in box.parts {
            counts[Self.level(part)] += 1
            for cell in Self.cells(of: part) { cells[cell, default: []].append((id, part)) }
        }
    }

    mutating func remove(_ id: ID, _ box: BoundingBox) {
        for part in box.parts {
            counts[Self.level(part)] -= 1
            for cell in Self.cells(of: part) {
                cells[cell]?.removeAll { $0.id == id }
                if cells[cell]?.isEmpty == true { cells[cell] = nil }
            }
        }
    }

    /// Those that hold the position.
    func forEach(longitude: Double, latitude: Double, _ body: (ID) -> Void) {
        for level in counts.indices where counts[level] > 0 {
            for (id, bounds) in cells[Self.cell(level, longitude, latitude)] ?? []
            where bounds.contains(longitude: longitude, latitude: latitude) { body(id) }
        }
    }

    private static func level(_ box: BoundingBox) -> Int {
        let width = max(box.east - box.west, box.north - box.south)
        var level = 0
        while level + 1 < levelCount, 360 / Double(1 << (level + 1)) >= width { level += 1 }
        return level
    }

    private static func cell(_ level: Int, _ longitude: Double, _ latitude: Double) -> Cell {
        let width = 360 / Double(1 << level)
        return Cell(
            level: level, x: Int(((longitude + 180) / width).rounded(.down)),
            y: Int(((latitude + 90) / width).rounded(.down)))
    }

    /// At most four, since a cell is at least as wide as the box.
    private static func cells(of box: BoundingBox) -> Set<Cell> {
        let level = level(box)
        let (low, high) = (cell(level, box.west, box.south), cell(level, box.east, box.north))
        var found: Set<Cell> = []
        for x in low.x...high.x { for y in low.y...high.y { found.insert(Cell(level: level, x: x, y: y)) } }
        return found
    }
}
