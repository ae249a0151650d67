#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <string.h>

/* Macros of casts, which Swift does not see. */
enum { millrace_destroy_no_consumer_close = RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE };

/* Bytes of a topic id as text, with the NUL. */
enum { millrace_topic_id_size = 32 };

#define MILLRACE_TELLS_TOPIC_IDS (RD_KAFKA_VERSION >= 0x020300ff)
enum { millrace_tells_topic_ids = MILLRACE_TELLS_TOPIC_IDS };

/* The ids of topics as text, empty where the broker does not tell. Returns how many are known: none before
   librdkafka 2.3, which has no call for it. */
static inline size_t millrace_topic_ids(rd_kafka_t *client, const char **topics, size_t count, int timeout_ms,
                                        char *ids) {
  size_t known = 0;
  memset(ids, 0, count * millrace_topic_id_size);
#if MILLRACE_TELLS_TOPIC_IDS
  rd_kafka_TopicCollection_t *names = rd_kafka_TopicCollection_of_topic_names(topics, count);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
  rd_kafka_DescribeTopics(client, names, NULL, queue);
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
  const rd_kafka_DescribeTopics_result_t *result = event ? rd_kafka_event_DescribeTopics_result(event) : NULL;
  size_t found = 0;
  const rd_kafka_TopicDescription_t **described =
      result && !rd_kafka_event_error(event) ? rd_kafka_DescribeTopics_result_topics(result, &found) : NULL;
  for (size_t i = 0; i < found; i++) {
    if (rd_kafka_error_code(rd_kafka_TopicDescription_error(described[i]))) continue;
    const char *id = rd_kafka_Uuid_base64str(rd_kafka_TopicDescription_topic_id(described[i]));
    for (size_t j = 0; id && j < count; j++) {
      if (strcmp(topics[j], rd_kafka_TopicDescription_name(described[i]))) continue;
      /* All zero: of a broker that knows none. */
      if (strspn(id, "A") == strlen(id)) continue;
      strncpy(ids + j * millrace_topic_id_size, id, millrace_topic_id_size - 1);
      known++;
    }
  }
  if (event) rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_TopicCollection_destroy(names);
#else
  (void)client, (void)topics, (void)timeout_ms;
#endif
  return known;
}

/* Of each topic the operations that this login may do, a bit each (1 << RD_KAFKA_ACL_OPERATION_…), and the error with which
   the broker answers for it. Zero operations: it does not tell, as before librdkafka 2.3. */
static inline void millrace_topic_rights(rd_kafka_t *client, const char **topics, size_t count, int timeout_ms,
                                         int32_t *operations, int32_t *errors) {
  memset(operations, 0, count * sizeof *operations);
  memset(errors, 0, count * sizeof *errors);
#if MILLRACE_TELLS_TOPIC_IDS
  rd_kafka_TopicCollection_t *names = rd_kafka_TopicCollection_of_topic_names(topics, count);
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
  rd_kafka_error_t *refused = rd_kafka_AdminOptions_set_include_authorized_operations(options, 1);
  if (refused) rd_kafka_error_destroy(refused);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
  rd_kafka_DescribeTopics(client, names, options, queue);
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
  const rd_kafka_DescribeTopics_result_t *result = event ? rd_kafka_event_DescribeTopics_result(event) : NULL;
  size_t found = 0;
  const rd_kafka_TopicDescription_t **described =
      result && !rd_kafka_event_error(event) ? rd_kafka_DescribeTopics_result_topics(result, &found) : NULL;
  for (size_t i = 0; i < found; i++) {
    for (size_t j = 0; j < count; j++) {
      if (strcmp(topics[j], rd_kafka_TopicDescription_name(described[i]))) continue;
      errors[j] = rd_kafka_error_code(rd_kafka_TopicDescription_error(described[i]));
      if (errors[j]) continue;
      size_t allowed = 0;
      const rd_kafka_AclOperation_t *list = rd_kafka_TopicDescription_authorized_operations(described[i], &allowed);
      for (size_t k = 0; list && k < allowed; k++) operations[j] |= 1 << list[k];
    }
  }
  if (event) rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_TopicCollection_destroy(names);
#else
  (void)client, (void)topics, (void)timeout_ms;
#endif
}
