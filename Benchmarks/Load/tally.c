#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MARK[] = "\"seq\":";

static int order(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

// A record is {"stream":…,"seq":N,"ts":"T",…}, whatever stands around it. Returns what was read, 0 when its end is not there yet.
static size_t take(struct tally *tally, struct place *place, const char *at, size_t count, int64_t from, int64_t to) {
  char text[sizeof place->cut];
  size_t length = count < sizeof text - 1 ? count : sizeof text - 1;
  memcpy(text, at, length);
  text[length] = 0;
  long long sequence, moment;
  int end = 0;
  if (sscanf(text, "\"seq\":%lld,\"ts\":\"%lld\"%n", &sequence, &moment, &end) < 2 || !end) return 0;
  if (place->last >= 0 && sequence > place->last + 1) tally->gaps++;
  if (sequence <= place->last) tally->doubles++;
  place->last = sequence;
  if (moment >= from && moment < to) {
    if (tally->count == tally->room) {
      tally->room = tally->room ? 2 * tally->room : 1 << 20;
      tally->microseconds = realloc(tally->microseconds, tally->room * sizeof *tally->microseconds);
    }
    int64_t late = (nanoseconds(CLOCK_REALTIME) - moment) / 1000;
    tally->microseconds[tally->count++] = late < 0 ? 0 : late;
  }
  return end;
}

static void take_all(struct tally *tally, struct place *place, const char *bytes, size_t count, int64_t from, int64_t to) {
  const char *at = bytes, *end = bytes + count;
  place->length = 0;
  while ((at = memmem(at, end - at, MARK, sizeof MARK - 1))) {
    size_t taken = take(tally, place, at, end - at, from, to);
    if (!taken && (size_t)(end - at) < sizeof place->cut - 1) {
      place->length = end - at;
      memcpy(place->cut, at, place->length);
      return;
    }
    at += taken ? taken : sizeof MARK - 1;
  }
  // A mark may be cut too.
  place->length = count < sizeof MARK ? count : sizeof MARK;
  memcpy(place->cut, end - place->length, place->length);
}

void tally_add(struct tally *tally, struct place *place, const char *bytes, size_t count, int64_t from, int64_t to) {
  if (place->length) {
    // Joined with as much as a record's beginning has at most.
    char joined[2 * sizeof place->cut];
    size_t before = place->length, more = count < sizeof place->cut ? count : sizeof place->cut;
    memcpy(joined, place->cut, before);
    memcpy(joined + before, bytes, more);
    const char *mark = memmem(joined, before + more, MARK, sizeof MARK - 1);
    if (mark && (size_t)(mark - joined) < before) {
      size_t taken = take(tally, place, mark, before + more - (mark - joined), from, to);
      if (!taken && more == count && before + more < sizeof place->cut) {
        memcpy(place->cut, joined, before + more);
        place->length = before + more;
        return;
      }
      size_t used = mark - joined + taken;
      if (used > before) {
        bytes += used - before;
        count -= used - before;
      }
    }
  }
  take_all(tally, place, bytes, count, from, to);
}

void tally_print(struct tally *tally) {
  qsort(tally->microseconds, tally->count, sizeof *tally->microseconds, order);
  double median = 0, high = 0;
  if (tally->count) {
    median = tally->microseconds[tally->count / 2] / 1e3;
    high = tally->microseconds[tally->count - 1 - tally->count / 100] / 1e3;
  }
  printf("%zu %.3f %.3f %ld %ld\n", tally->count, median, high, tally->gaps, tally->doubles);
}
