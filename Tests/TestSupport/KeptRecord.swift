/// A record as Kafka holds it.
package struct KeptRecord: Equatable, Sendable {
    package let offset: Int64
    package let key: String?
    /// Nil for a tombstone.
    package let value: String?
}
