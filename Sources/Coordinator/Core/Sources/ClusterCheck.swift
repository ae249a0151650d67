import Common
import Kafka
import Postgres
import Schema

/// Whether a cluster's topics may be read as the database knows them.
///
/// Nothing is read a second time by itself: what another cluster, or another stream, has of these topics is somebody's to
/// decide about.
struct ClusterCheck {
    let configuration: CoordinatorConfiguration
    private var schema: MillraceSchema { MillraceSchema(name: configuration.schema) }

    /// Of the embedded mock: each is another cluster, and none comes back.
    private static let mockPrefix = "mock-"

    struct Answer {
        /// Topics that may not be read, and why.
        var refusals: [String: String] = [:]
        /// One of them belongs to another stream, which is a mistake of the configuration.
        var isMoved = false
        /// Some were read from another cluster, and none from this one.
        var isElsewhere = false

        /// For a start that can't be.
        var text: String { refusals.sorted { $0.key < $1.key }.map(\.value).joined(separator: "; ") }
    }

    /// - Parameter isNew: topics of other clusters may begin here.
    func run(
        _ cluster: String, isNew: Bool, on connection: inout Connection
    ) throws(PostgresError) -> Answer {
        let table = try connection.literal("\(schema.name).source")
        guard try connection.execute("SELECT to_regclass(\(table)) IS NOT NULL")[0].text(0, 0) == "t" else {
            return Answer()
        }
        let name = try connection.literal(cluster)
        let rows = try connection.execute(
            """
            SELECT topic, min(cluster_id) FILTER (WHERE cluster_id <> \(name)), bool_or(cluster_id = \(name)),
                min(stream) FILTER (WHERE cluster_id = \(name))
            FROM \(schema.name).source WHERE retired_at IS NULL AND cluster_id <> '\(ReplaySource.cluster)'
                AND cluster_id NOT LIKE '\(Self.mockPrefix)%' GROUP BY topic ORDER BY topic
            """)[0]
        var answer = Answer()
        var isKnown = false
        for row in 0..<rows.rowCount {
            guard let topic = rows.text(row, 0),
                let stream = configuration.streams.first(where: { $0.topics.contains(topic) })?.name
            else { continue }
            if rows.text(row, 2) == "t" { isKnown = true }
            if let owner = rows.text(row, 3), owner != stream {
                answer.isMoved = true
                answer.refusals[topic] = """
                    topic '\(topic)' belongs to stream '\(owner)' so far, and the configuration gives it to '\(stream)'; if \
                    that is its new name: coordinator rename \(owner) \(stream); if '\(stream)' is to take the topic over: \
                    coordinator reset \(stream) --to current|earliest|latest (the rows of '\(owner)' stay)
                    """
            } else if rows.text(row, 2) == "f", let other = rows.text(row, 1), !isNew,
                configuration.kafka[Properties.mockCluster] == nil
            {
                answer.refusals[topic] = """
                    Kafka at \(configuration.kafka["bootstrap.servers"] ?? "") is cluster \(cluster), and topic '\(topic)' was \
                    read from another one (\(other)): set KAFKA_BOOTSTRAP_SERVERS to that one, or begin here, with its \
                    sources set aside: coordinator start --new-cluster
                    """
            }
        }
        answer.isElsewhere = !isKnown && !answer.refusals.isEmpty
        return answer
    }
}
