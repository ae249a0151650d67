/// What a coordinator of a group tells the others through the database, once a second.
package struct MemberReport: Codable, Sendable, Equatable {
    /// Where its control channel is reached from other hosts, and the key that it and its feeds show; nil: nowhere.
    package var control: String?
    package var server: String?
    /// Public keys of those whom it lets connect, which the others then do too.
    package var clients: [String] = []
    /// Its workers' feeds, as other hosts reach them.
    package var feeds: [EdgeConfiguration.Feed] = []
    package var shards: [StatusReport.Shard]
    /// Those that its workers have.
    package var sources: [StatusReport.Source]
    package var streams: [StatusReport.Stream]
    package var edges: [StatusReport.Edge]
    /// Made when it started; nil: of a version that does not tell.
    package var life: String?
    /// Rolling restarts that it has completed since it started.
    package var completedRolls = 0
    /// What of its fleet is not as it should be.
    package var problems: [String]

    /// Of one that has just come.
    package init() {
        (shards, sources, streams, edges, problems) = ([], [], [], [], [])
    }

    /// - Parameter status: of the coordinator's own fleet.
    package init(_ status: StatusReport) {
        shards = status.shards
        sources = status.sources.filter { $0.shard != nil && $0.host == nil }
        streams = status.streams
        edges = status.edges
        problems = status.problems
    }
}
