// The least that a loop from Kafka into Postgres does, in one thread of C: consume, parse, COPY BINARY, and the offsets in the
// same transaction. It knows readings of Benchmark.swift and nothing else: no escapes, no bad records, no fence, no ledger, no
// feed. What the workers are measured beside.
//
//     c-loop BROKERS TOPIC PARTITIONS RECORDS CONNECTION     one line: rows/s and CPU seconds per million
#include <endian.h>
#include <librdkafka/rdkafka.h>
#include <postgresql/libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH = 5000, PARTITION_LIMIT = 1024, FIELD_COUNT = 8, MICROSECONDS = 1000000 };
enum { TIME, ID, LOCATION, LONGITUDE, LATITUDE, CARS, LABEL, TYPE };
static const char *names[FIELD_COUNT] = {"timestamp", "stream_id",       "location", "longitude",
                                         "latitude",  "numbers_of_cars", "label",    "type"};

static char *buffer;
static size_t length;

static void put(const void *bytes, size_t count) {
  memcpy(buffer + length, bytes, count);
  length += count;
}
static void put16(uint16_t value) { put(&(uint16_t){htobe16(value)}, 2); }
static void put32(uint32_t value) { put(&(uint32_t){htobe32(value)}, 4); }
static void put64(uint64_t value) { put(&(uint64_t){htobe64(value)}, 8); }
static void put_text(const char *text, int count) {
  put32(count);
  put(text, count);
}
static void put_double(const char *text) {
  double value = strtod(text, NULL);
  uint64_t bits;
  memcpy(&bits, &value, 8);
  put32(8);
  put64(bits);
}
static void put_head(void) {
  length = 0;
  put("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
}

static int two(const char *text) { return (text[0] - '0') * 10 + text[1] - '0'; }

// YYYY-MM-DDTHH:MM:SS.fffZ to microseconds since 2000-01-01 (days from civil).
static int64_t microseconds(const char *text) {
  int year = two(text) * 100 + two(text + 2), month = two(text + 5), day = two(text + 8);
  year -= month <= 2;
  int era = year / 400, of_era = year - era * 400;
  int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t days = era * 146097LL + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468 - 10957;
  int milliseconds = (text[20] - '0') * 100 + two(text + 21);
  int64_t seconds = ((days * 24 + two(text + 11)) * 60 + two(text + 14)) * 60 + two(text + 17);
  return seconds * MICROSECONDS + milliseconds * 1000;
}

static int digit(char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

static void put_uuid(const char *text) {
  put32(16);
  for (int i = 0; i < 36; i += 2) {
    if (text[i] == '-') i++;
    buffer[length++] = digit(text[i]) << 4 | digit(text[i + 1]);
  }
}

// Appends a row; 0 when the record is no reading.
static int put_row(const char *at, size_t count, int partition, int64_t offset) {
  const char *values[FIELD_COUNT] = {0}, *end = at + count;
  int lengths[FIELD_COUNT];
  if (at == end || *at++ != '{') return 0;
  while (1) {
    if (at == end || *at++ != '"') return 0;
    const char *name = at;
    while (at < end && *at != '"') at++;
    int name_length = at - name;
    if (end - at < 3 || at[1] != ':') return 0;
    at += 2;
    int is_text = *at == '"';
    at += is_text;
    const char *value = at;
    while (at < end && (is_text ? *at != '"' : *at != ',' && *at != '}')) at++;
    if (at == end) return 0;
    for (int i = 0; i < FIELD_COUNT; i++) {
      if ((int)strlen(names[i]) != name_length || memcmp(names[i], name, name_length)) continue;
      values[i] = value;
      lengths[i] = at - value;
      break;
    }
    at += is_text;
    if (at < end && *at == '}') break;
    if (at == end || *at++ != ',') return 0;
  }
  for (int i = 0; i < FIELD_COUNT; i++)
    if (!values[i]) return 0;
  if (lengths[TIME] != 24 || lengths[ID] != 36) return 0;
  put16(10);
  put32(8);
  put64(microseconds(values[TIME]));
  put_uuid(values[ID]);
  put_text(values[LOCATION], lengths[LOCATION]);
  put_double(values[LONGITUDE]);
  put_double(values[LATITUDE]);
  put32(4);
  put32(atoi(values[CARS]));
  put_text(values[LABEL], lengths[LABEL]);
  put_text(values[TYPE], lengths[TYPE]);
  put32(4);
  put32(partition);
  put32(8);
  put64(offset);
  return 1;
}

static void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void expect(PGconn *postgres, const char *sql, ExecStatusType wanted) {
  PGresult *result = PQexec(postgres, sql);
  if (PQresultStatus(result) != wanted) die(sql, PQerrorMessage(postgres));
  PQclear(result);
}

// The rows and how far the partitions are, as one transaction.
static void commit(PGconn *postgres, const int64_t *next, int partitions) {
  expect(postgres, "BEGIN", PGRES_COMMAND_OK);
  expect(postgres, "COPY c_loop FROM STDIN (FORMAT binary)", PGRES_COPY_IN);
  put16(0xffff);
  if (PQputCopyData(postgres, buffer, length) != 1 || PQputCopyEnd(postgres, NULL) != 1) die("COPY", PQerrorMessage(postgres));
  PGresult *result;
  while ((result = PQgetResult(postgres))) {
    if (PQresultStatus(result) != PGRES_COMMAND_OK) die("COPY", PQerrorMessage(postgres));
    PQclear(result);
  }
  static char sql[64 * PARTITION_LIMIT];
  int at = sprintf(sql, "INSERT INTO c_loop_offset VALUES (-1, 0)");
  for (int i = 0; i < partitions; i++)
    if (next[i]) at += sprintf(sql + at, ", (%d, %lld)", i, (long long)next[i]);
  sprintf(sql + at, " ON CONFLICT (partition) DO UPDATE SET next = excluded.next");
  expect(postgres, sql, PGRES_COMMAND_OK);
  expect(postgres, "COMMIT", PGRES_COMMAND_OK);
}

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **arguments) {
  if (count != 6) die("usage", "c-loop BROKERS TOPIC PARTITIONS RECORDS CONNECTION");
  const char *topic = arguments[2];
  int partitions = atoi(arguments[3]);
  long wanted = atol(arguments[4]), got = 0;
  if (partitions < 1 || partitions > PARTITION_LIMIT) die("PARTITIONS", "1 to 1024");
  buffer = malloc(BATCH * 4096L);
  PGconn *postgres = PQconnectdb(arguments[5]);
  if (PQstatus(postgres) != CONNECTION_OK) die("connect", PQerrorMessage(postgres));

  char error[512];
  rd_kafka_conf_t *configuration = rd_kafka_conf_new();
  // A consumer that reaches a limit of what it prefetches pauses: 10 ms instead of a second.
  const char *settings[][2] = {{"bootstrap.servers", arguments[1]},     {"group.id", "c-loop"},
                               {"enable.auto.commit", "false"},         {"queued.min.messages", "1000000"},
                               {"queued.max.messages.kbytes", "65536"}, {"fetch.queue.backoff.ms", "10"}};
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    if (rd_kafka_conf_set(configuration, settings[i][0], settings[i][1], error, sizeof error)) die(settings[i][0], error);
  rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, error, sizeof error);
  if (!consumer) die("consume", error);
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int i = 0; i < partitions; i++) rd_kafka_topic_partition_list_add(list, topic, i)->offset = 0;
  rd_kafka_assign(consumer, list);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);

  static rd_kafka_message_t *messages[BATCH];
  static int64_t next[PARTITION_LIMIT];
  int filled = 0;
  double began = 0, before = 0, heard = seconds();
  put_head();
  while (got < wanted) {
    ssize_t taken = rd_kafka_consume_batch_queue(queue, 50, messages, BATCH - filled);
    if (taken > 0 && !began) {
      began = seconds();
      before = processor_seconds();
    }
    for (ssize_t i = 0; i < taken; i++) {
      rd_kafka_message_t *message = messages[i];
      if (!message->err) {
        if (!put_row(message->payload, message->len, message->partition, message->offset)) die("record", "no reading");
        next[message->partition] = message->offset + 1;
        got++;
        filled++;
      }
      rd_kafka_message_destroy(message);
    }
    if (taken > 0) heard = seconds();
    if (seconds() - heard > 15) die("consume", "nothing came for 15 s");
    if (filled == BATCH || (filled && (taken <= 0 || got >= wanted))) {
      commit(postgres, next, partitions);
      put_head();
      filled = 0;
    }
  }
  double million = got / 1e6;
  printf("%.0f %.3f\n", got / (seconds() - began), (processor_seconds() - before) / million);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  PQfinish(postgres);
}
