import Common

/// Where Kafka has a record that was published.
struct PublishedPlace: Sendable {
    let topic: String
    let partition: Int32
    /// Nil where Kafka acknowledged a retry without saying it again.
    let offset: Int64?
    /// Nil while this edge has not heard of the partition.
    let source: SourceID?

    /// Members of a JSON object.
    var json: String {
        #""topic":\#(ServerMessage.quoted(topic)),"partition":\#(partition),"offset":\#(offset.map(String.init) ?? "null"),"#
            + #""source":\#(source?.description ?? "null")"#
    }
}
