import Common
import CoordinatorCore
import Foundation
import TestSupport

extension Fleet {
    /// Hosts of one group, with these names, that share a topic and a database. None is started.
    /// - Parameters:
    ///   - kafka: a broker other than the one that tests share; likewise `server`.
    static func hosts(
        _ names: [String], _ stream: StreamDefinition, partitions: Int32, kafka: TestKafka? = nil,
        server: TestPostgres? = nil
    ) throws -> [Fleet] {
        let group = "group-\(UUID().uuidString.prefix(8))"
        let first = try Fleet(stream, partitions: partitions, kafka: kafka, server: server)
        let others = try names.dropFirst().map { _ in
            try Fleet(stream, partitions: partitions, sharing: first, kafka: kafka, server: server)
        }
        let hosts = [first] + others
        for (host, name) in zip(hosts, names) { host.group = GroupPlan(name: group, member: name) }
        return hosts
    }
}
