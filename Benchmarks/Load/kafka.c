#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers, const char *setting, const char *value) {
  char error[512];
  rd_kafka_conf_t *configuration = rd_kafka_conf_new();
  rd_kafka_conf_set(configuration, "bootstrap.servers", brokers, error, sizeof error);
  rd_kafka_conf_set(configuration, setting, value, error, sizeof error);
  if (type == RD_KAFKA_CONSUMER) rd_kafka_conf_set(configuration, "group.id", "load", error, sizeof error);
  rd_kafka_t *created = rd_kafka_new(type, configuration, error, sizeof error);
  if (!created) {
    fprintf(stderr, "%s\n", error);
    exit(1);
  }
  return created;
}

int pace(int count, char **arguments) {
  if (count < 6) return 64;
  double rate = atof(arguments[4]), seconds = atof(arguments[5]);
  char value[512], pad[121];
  memset(pad, 'x', sizeof pad - 1);
  pad[sizeof pad - 1] = 0;
  rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, arguments[2], "linger.ms", "0");
  int64_t start = nanoseconds(CLOCK_MONOTONIC);
  long long sent = 0;
  for (int64_t passed; (passed = nanoseconds(CLOCK_MONOTONIC) - start) < seconds * 1e9;) {
    for (long long due = passed * rate / 1e9; sent < due; sent++) {
      int length = sprintf(value, "{\"stream\":\"s0\",\"seq\":%lld,\"ts\":\"%lld\",\"pad\":\"%s\"}", sent,
                           (long long)nanoseconds(CLOCK_REALTIME), pad);
      while (rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(arguments[3]), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_VALUE(value, length),
                               RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END))
        rd_kafka_poll(producer, 1);
    }
    rd_kafka_poll(producer, 0);
    nanosleep(&(struct timespec){0, 1000000}, NULL);
  }
  rd_kafka_flush(producer, 10000);
  rd_kafka_destroy(producer);
  printf("%lld\n", sent);
  return 0;
}

int consume(int count, char **arguments) {
  if (count < 6) return 64;
  rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, arguments[2], "enable.auto.commit", "false");
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, arguments[3], 0)->offset = RD_KAFKA_OFFSET_END;
  rd_kafka_assign(consumer, list);
  rd_kafka_topic_partition_list_destroy(list);
  struct tally tally = {0};
  struct place place = {.last = -1};
  int64_t from = nanoseconds(CLOCK_REALTIME) + atof(arguments[4]) * 1e9, to = from + atof(arguments[5]) * 1e9;
  puts("ready");
  fflush(stdout);
  while (nanoseconds(CLOCK_REALTIME) < to + 3000000000) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
    if (message && !message->err) {
      place.length = 0;
      tally_add(&tally, &place, message->payload, message->len, from, to);
    }
    if (message) rd_kafka_message_destroy(message);
  }
  tally_print(&tally);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return 0;
}
