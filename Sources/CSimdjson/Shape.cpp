#include "Shape.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <new>

// Larger documents are not learned: what is the same in them is not what they cost.
static constexpr size_t TEXT_LIMIT = 16 * 1024;
static constexpr size_t SLOT_LIMIT = 256;
static constexpr size_t NAME_LIMIT = 256;
static constexpr size_t DEPTH_LIMIT = 16;

// Where documents differ too much, trying is given up for a while.
static constexpr unsigned TRIAL_COUNT = 64;
static constexpr unsigned ENOUGH_COUNT = 16;
static constexpr unsigned PAUSE_COUNT = 1024;

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static void skip_spaces(const char *&at) {
  while (is_space(*at)) at++;
}

static uint64_t word_at(const char *at) {
  uint64_t word;
  std::memcpy(&word, at, 8);
  return word;
}

static bool are_same(const char *left, const char *right, size_t length) {
  if (length < 8) {
    for (; length > 0; length--)
      if (*left++ != *right++) return false;
    return true;
  }
  // By words, of which the last may overlap the one before.
  for (size_t i = 0; i + 8 < length; i += 8)
    if (word_at(left + i) != word_at(right + i)) return false;
  return word_at(left + length - 8) == word_at(right + length - 8);
}

// The end of a string's text, at its closing quote; nullptr where it has an escape or is no JSON. Ends at a NUL at the latest,
// behind which seven bytes must be readable.
static const char *string_end(const char *start) {
  constexpr uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  uint64_t high = 0;
  const char *at = start;
  while (true) {
    uint64_t word = word_at(at), quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
    // In each byte its highest bit: whether it is zero, or below a space. Exact up to the first one that is.
    uint64_t special = (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * 0x20) & ~word)) & highs;
    high |= word & highs;
    if (!special) {
      at += 8;
      continue;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    at += __builtin_ctzll(special) / 8;
#else
    while (*at != '"' && *at != '\\' && (unsigned char)*at >= 0x20) at++;
#endif
    if (*at != '"') return nullptr;
    if (high && !simdjson::validate_utf8(start, at - start)) return nullptr;
    return at;
  }
}

static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

// A number by RFC 8259, section 6, without exponent and with so few digits that its double is exact: the digits as an integer
// and the power of ten are, and IEEE 754 rounds their quotient right.
static bool read_number(const char *&at, mr_value &value) {
  bool is_negative = *at == '-';
  at += is_negative;
  const char *first = at;
  uint64_t digits = 0;
  while (is_digit(*at)) digits = digits * 10 + (*at++ - '0');
  size_t count = at - first;
  if (count == 0 || count > 18 || (count > 1 && *first == '0')) return false;
  if (*at == 'e' || *at == 'E') return false;
  if (*at != '.') {
    value.kind = MR_INTEGER;
    value.integer = is_negative ? -int64_t(digits) : int64_t(digits);
    return true;
  }
  const char *point = at++;
  while (is_digit(*at)) digits = digits * 10 + (*at++ - '0');
  size_t decimals = at - point - 1;
  if (decimals == 0 || count + decimals > 15 || *at == 'e' || *at == 'E') return false;
  value.kind = MR_DOUBLE;
  value.number = double(digits) / powers[decimals];
  if (is_negative) value.number = -value.number;
  return true;
}

static bool read_value(const char *&at, mr_value &value) {
  auto is_word = [&](const char *word, size_t length) {
    if (!are_same(at, word, length)) return false;
    at += length;
    return true;
  };
  switch (*at) {
    case '"': {
      const char *end = string_end(at + 1);
      if (!end) return false;
      value.kind = MR_STRING;
      value.bytes = at + 1;
      value.length = end - at - 1;
      at = end + 1;
      return true;
    }
    case 'n': value.kind = MR_NULL; return is_word("null", 4);
    case 't':
      value.kind = MR_BOOLEAN;
      value.integer = 1;
      return is_word("true", 4);
    case 'f':
      value.kind = MR_BOOLEAN;
      value.integer = 0;
      return is_word("false", 5);
    default: return read_number(at, value);
  }
}

bool mr_shape::match(const char *json, size_t length, mr_value *values) const {
  const char *at = json, *end = json + length;
  for (size_t i = 0; i < known.kinds.size(); i++) values[i].kind = known.kinds[i];
  for (const slot &slot : known.slots) {
    if (size_t(end - at) < slot.length || !are_same(at, known.text.data() + slot.start, slot.length)) return false;
    at += slot.length;
    mr_value value;
    if (!read_value(at, slot.count == 1 ? values[known.targets[slot.first]] : value)) return false;
    if (slot.count > 1)
      for (size_t i = 0; i < slot.count; i++) values[known.targets[slot.first + i]] = value;
  }
  return at <= end && size_t(end - at) == known.size - known.tail && are_same(at, known.text.data() + known.tail, end - at);
}

bool mr_shape::read(const char *json, size_t length, mr_value *values) {
  if (pause > 0) {
    pause--;
    return false;
  }
  bool is_match = is_known && match(json, length, values);
  misses = is_match ? 0 : misses + 1;
  matched += is_match;
  if (++tried == TRIAL_COUNT) {
    if (matched < ENOUGH_COUNT) pause = PAUSE_COUNT;
    tried = matched = 0;
  }
  return is_match;
}

// MARK: Learning

void mr_shape::learn(const char *json, size_t length) try {
  if (pause > 0 || misses < MISS_LIMIT || length > TEXT_LIMIT) return;
  misses = 0;
  next.text.assign(json, length);
  next.text.append(8, '\0');
  next.size = length;
  next.slots.clear();
  next.targets.clear();
  next.kinds.assign(paths.size(), MR_MISSING);
  next.tail = next.names = 0;
  candidates all(paths.size());
  for (size_t i = 0; i < all.size(); i++) all[i] = i;
  const char *at = next.text.data();
  if (!learn_value(at, all, 0)) return;
  std::swap(known, next);
  is_known = true;
} catch (const std::bad_alloc &) {
  // The one that is known stays.
}

bool mr_shape::learn_value(const char *&at, const candidates &found, size_t depth) {
  skip_spaces(at);
  if (*at == '{' || *at == '[') {
    for (size_t path : found)
      if (paths[path].size() == depth) next.kinds[path] = MR_NESTED;
    if (depth == DEPTH_LIMIT) return false;
    return *at == '{' ? learn_object(at, found, depth) : learn_array(at, found, depth);
  }
  if (next.slots.size() == SLOT_LIMIT) return false;
  size_t start = at - next.text.data(), first = next.targets.size();
  mr_value value;
  if (!read_value(at, value)) return false;
  for (size_t path : found)
    if (paths[path].size() == depth) next.targets.push_back(path);
  next.slots.push_back({next.tail, start - next.tail, first, next.targets.size() - first});
  next.tail = at - next.text.data();
  return true;
}

bool mr_shape::learn_object(const char *&at, const candidates &found, size_t depth) {
  std::vector<std::string_view> names;
  at++;
  skip_spaces(at);
  while (*at != '}') {
    const char *end = string_end(at + 1);
    if (!end) return false;
    std::string_view name(at + 1, end - at - 1);
    if (next.names++ == NAME_LIMIT) return false;
    // Of a repeated name the last counts: left to who knows.
    if (std::find(names.begin(), names.end(), name) != names.end()) return false;
    names.push_back(name);
    candidates below;
    for (size_t path : found)
      if (paths[path].size() > depth && paths[path][depth].name == name) below.push_back(path);
    at = end + 1;
    skip_spaces(at);
    at++;  // the colon
    if (!learn_value(at, below, depth + 1)) return false;
    skip_spaces(at);
    if (*at == ',') at++;
    skip_spaces(at);
  }
  at++;
  return true;
}

bool mr_shape::learn_array(const char *&at, const candidates &found, size_t depth) {
  at++;
  skip_spaces(at);
  for (size_t place = 0; *at != ']'; place++) {
    candidates below;
    for (size_t path : found)
      if (paths[path].size() > depth && paths[path][depth].is_place && paths[path][depth].place == place)
        below.push_back(path);
    if (!learn_value(at, below, depth + 1)) return false;
    skip_spaces(at);
    if (*at == ',') at++;
    skip_spaces(at);
  }
  at++;
  return true;
}
