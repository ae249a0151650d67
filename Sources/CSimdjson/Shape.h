#ifndef MILLRACE_SHAPE_H
#define MILLRACE_SHAPE_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "CSimdjson.h"

// A name of a path; below an array its place.
struct mr_step {
  std::string name;
  bool is_place;
  size_t place;
};

// What is the same in documents of one producer: all text but the values. A document of the same shape is read by comparing
// that text and looking at each value once, in a fraction of what it takes to learn the structure of an unknown document.
// Whatever is not exactly so is left to simdjson, and so is what is rare: escapes, exponents, numbers of many digits.
class mr_shape {
 public:
  explicit mr_shape(const std::vector<std::vector<mr_step>> &paths) : paths(paths) {}

  // Learns a document that simdjson takes as JSON, and that was not read.
  void learn(const char *json, size_t length);
  // Fills the values of all paths, or returns false: then they are to be looked up. A NUL must follow the document, and seven
  // bytes of any kind.
  bool read(const char *json, size_t length, mr_value *values);
  // A document of the shape.
  std::string_view document() const { return {known.text.data(), known.size}; }

 private:
  struct slot {
    // Of the text that stands before the value.
    size_t start, length;
    // In `targets`: the paths that lead to it.
    size_t first, count;
  };
  struct layout {
    // The document, and eight bytes more: what reads words may read beyond the end.
    std::string text;
    size_t size = 0;
    std::vector<slot> slots;
    std::vector<size_t> targets;
    // What stands at paths that lead to no value: nothing, or an object or array.
    std::vector<int32_t> kinds;
    // Where the text behind the last value begins.
    size_t tail = 0;
    size_t names = 0;
  };
  // Where a path may still lead: so many of its steps are taken.
  using candidates = std::vector<size_t>;

  // Documents in a row that are not of the shape before another is learned: one now and then is not worth it.
  static constexpr unsigned MISS_LIMIT = 4;

  const std::vector<std::vector<mr_step>> &paths;
  layout known, next;
  bool is_known = false;
  // In a row.
  unsigned misses = MISS_LIMIT;
  // Of the last documents, how many were tried and read, and how many more are not tried.
  unsigned tried = 0, matched = 0, pause = 0;

  bool learn_value(const char *&at, const candidates &found, size_t depth);
  bool learn_object(const char *&at, const candidates &found, size_t depth);
  bool learn_array(const char *&at, const candidates &found, size_t depth);
  bool match(const char *json, size_t length, mr_value *values) const;
};

#endif
