private import CLinux
package import Common
import Foundation
import Kafka

/// The process around a mock cluster, the hidden command `mock-kafka`: until its standard input ends.
package struct MockKafkaProcess: Sendable {
    /// Where it writes `HOST:PORT` as soon as its topics are there.
    package let addressPath: String
    package let topics: [String]
    package let partitions: Int32

    init(addressPath: String, topics: [String], partitions: Int32) {
        self.addressPath = addressPath
        self.topics = topics
        self.partitions = partitions
    }

    package init(arguments words: [String]) throws(StartError) {
        var arguments = Arguments(words, command: "coordinator mock-kafka")
        addressPath = try arguments.option("--address-file") ?? ""
        partitions = try arguments.number("--partitions") ?? 1
        var topics: [String] = []
        while let topic = try arguments.nextIfAny() { topics.append(topic) }
        self.topics = topics
        guard !addressPath.isEmpty else { throw arguments.usage("--address-file is missing") }
    }

    /// What `init(arguments:)` reads, with the command's name.
    var arguments: [String] {
        ["mock-kafka", "--address-file", addressPath, "--partitions", String(partitions)] + topics
    }

    /// Blocking.
    package func run() throws {
        Inheritance.putRight()
        let cluster = try MockCluster()
        for topic in topics { try cluster.createTopic(topic, partitions: partitions) }
        try cluster.bootstrap.write(toFile: addressPath, atomically: true, encoding: .utf8)
        var byte: UInt8 = 0
        var count = 0
        repeat { count = read(STDIN_FILENO, &byte, 1) } while count > 0 || (count < 0 && errno == EINTR)
        _ = consume cluster
    }
}
