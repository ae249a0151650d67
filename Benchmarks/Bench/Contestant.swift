/// Something that is measured beside others, in the same place, interleaved with them.
struct Contestant {
    var name: String
    /// Where it stands on the axis of its scenario's curve; nil where there is none.
    var x: Double?
    /// From nothing to nothing: what it made is gone when it returns.
    var run: (Arena) throws -> Measured
}
