internal import CRdkafka

/// librdkafka's list of topic partitions, for the length of one call.
struct PartitionList: ~Copyable {
    let handle: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ partitions: [(TopicPartition, offset: Int64)]) {
        guard let handle = rd_kafka_topic_partition_list_new(Int32(partitions.count)) else {
            preconditionFailure("out of memory")
        }
        self.handle = handle
        for (partition, offset) in partitions {
            rd_kafka_topic_partition_list_add(handle, partition.topic, partition.partition)!.pointee.offset = offset
        }
    }

    deinit {
        rd_kafka_topic_partition_list_destroy(handle)
    }
}
