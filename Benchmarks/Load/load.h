#ifndef MILLRACE_LOAD_H
#define MILLRACE_LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

// Latencies of deliveries whose record was made in the measured time, and what was wrong with their order.
struct tally {
  uint32_t *microseconds;
  size_t count, room;
  long gaps, doubles;
};

// Where a reader of records is: the last it had, and the end of what it read, where a record may be cut.
struct place {
  int64_t last;
  char cut[96];
  size_t length;
};

static inline int64_t nanoseconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

void tally_add(struct tally *tally, struct place *place, const char *bytes, size_t count, int64_t from, int64_t to);
void tally_print(struct tally *tally);

int pace(int count, char **arguments);
int consume(int count, char **arguments);
int clients(int count, char **arguments);

#endif
