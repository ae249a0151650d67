#include "Repair.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <string_view>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The length of a number by RFC 8259, section 6, and whether it is an integer; 0 when it is none.
static size_t number_length(std::string_view text, bool &is_integer) {
  size_t i = 0;
  auto digits = [&] {
    size_t from = i;
    while (i < text.size() && is_digit(text[i])) i++;
    return i - from;
  };
  if (i < text.size() && text[i] == '-') i++;
  size_t first = i;
  size_t count = digits();
  if (count == 0 || (count > 1 && text[first] == '0')) return 0;
  is_integer = true;
  if (i < text.size() && text[i] == '.') {
    is_integer = false;
    i++;
    if (digits() == 0) return 0;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    is_integer = false;
    i++;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) i++;
    if (digits() == 0) return 0;
  }
  return i;
}

// The four digits behind `\u` at `place`; negative when they are none.
static int unit(std::string_view text, size_t place) {
  if (place + 4 > text.size()) return -1;
  int value = 0;
  for (size_t i = place; i < place + 4; i++) {
    char c = text[i];
    int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// The length of a string, quotes included, and whether it holds half a surrogate; 0 when it does not end.
static size_t string_length(std::string_view text, bool &is_broken) {
  is_broken = false;
  for (size_t i = 1; i < text.size(); i++) {
    if (text[i] == '"') return i + 1;
    if (text[i] != '\\') continue;
    i++;
    if (i >= text.size() || text[i] != 'u') continue;
    int high = unit(text, i + 1);
    if (high < 0xD800 || high > 0xDFFF) continue;
    int low = i + 6 < text.size() && text[i + 5] == '\\' && text[i + 6] == 'u' ? unit(text, i + 7) : -1;
    if (high < 0xDC00 && low >= 0xDC00 && low <= 0xDFFF) {
      i += 10;
    } else {
      is_broken = true;
    }
  }
  return 0;
}

// Whether 64 bits hold an integer.
static bool fits(const std::string &number) {
  errno = 0;
  if (number[0] == '-') std::strtoll(number.c_str(), nullptr, 10);
  else std::strtoull(number.c_str(), nullptr, 10);
  return errno == 0;
}

bool mr_repair(const char *json, size_t length, const std::string &mark, std::string &repaired) {
  std::string_view rest(json, length);
  bool is_changed = false;
  repaired.reserve(length + simdjson::SIMDJSON_PADDING + 64);
  while (!rest.empty()) {
    size_t count = 1;
    if (rest[0] == '"') {
      bool is_broken = false;
      count = string_length(rest, is_broken);
      if (count == 0) count = rest.size();
      if (is_broken) {
        repaired += std::string("\"") + MR_MARK_TEXT + mark + "\"";
        is_changed = true;
        rest.remove_prefix(count);
        continue;
      }
    } else if (rest[0] == '-' || is_digit(rest[0])) {
      bool is_integer = false;
      count = number_length(rest, is_integer);
      if (count == 0) {
        // No number: simdjson says so.
        repaired += rest;
        return is_changed;
      }
      std::string number(rest.substr(0, count));
      if (std::isinf(std::strtod(number.c_str(), nullptr))) {
        repaired += std::string("\"") + MR_MARK_NUMBER + mark + "\"";
        is_changed = true;
      } else {
        repaired += number;
        if (is_integer && !fits(number)) {
          repaired += ".0";
          is_changed = true;
        }
      }
      rest.remove_prefix(count);
      continue;
    }
    repaired += rest.substr(0, count);
    rest.remove_prefix(count);
  }
  return is_changed;
}

// Behind the first JSON value's end, by its brackets alone; npos where they don't close.
static size_t value_end(std::string_view text) {
  size_t depth = 0;
  for (size_t i = 0; i < text.size(); i++) {
    switch (text[i]) {
      case '"': {
        bool is_broken;
        size_t count = string_length(text.substr(i), is_broken);
        if (count == 0) return std::string_view::npos;
        i += count - 1;
        break;
      }
      case '{':
      case '[': depth++; break;
      case '}':
      case ']':
        if (depth <= 1) return i + 1;
        depth--;
        break;
      default: break;
    }
  }
  return std::string_view::npos;
}

static std::string_view trimmed(std::string_view text) {
  size_t start = text.find_first_not_of(" \t\r\n");
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

std::string mr_explain(const char *json, size_t length, simdjson::error_code error) {
  std::string_view text(json, length);
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (length >= 5 && text[0] == 0) {
    unsigned long id = 0;
    for (size_t i = 1; i < 5; i++) id = id << 8 | byte(i);
    std::string start = "the record begins with a schema registry's framing (a zero byte and schema id " +
                        std::to_string(id) + "); ";
    std::string_view behind = trimmed(text.substr(5));
    if (!behind.empty() && behind[0] == '{')
      return start + "behind it is JSON: the stream takes it with \"skip_prefix\": 5";
    return start + "behind it is no JSON, so Avro or Protobuf: have it written as JSON";
  }
  if (length >= 2 && byte(0) == 0x1F && byte(1) == 0x8B)
    return "the record is compressed by its application (gzip): let Kafka compress instead";
  if (length >= 2 && ((byte(0) == 0xFF && byte(1) == 0xFE) || (byte(0) == 0xFE && byte(1) == 0xFF)))
    return "the record is UTF-16; JSON is UTF-8";
  std::string_view start = trimmed(text);
  if (start.empty()) return "the record holds nothing but white space";
  if (error == simdjson::UTF8_ERROR) return "the record holds bytes that are not UTF-8";
  if (error == simdjson::DEPTH_ERROR) return "the record is nested deeper than 1,024 objects and arrays";
  if (start[0] == '<') return "the record begins with '<': XML or HTML, not JSON";
  if (start[0] == '{' || start[0] == '[') {
    size_t end = value_end(start);
    if (end == std::string_view::npos)
      return "the record ends before its JSON does: it was cut off, or a bracket or quote is missing";
    std::string_view behind = trimmed(start.substr(end));
    if (!behind.empty() && (behind[0] == '{' || behind[0] == '['))
      return "the record holds several JSON values, one behind the other; a record is one object: send each as its own";
    if (!behind.empty()) return "something stands behind the end of the record's JSON";
  } else if (start[0] != '"' && start[0] != '-' && !is_digit(start[0]) && start.substr(0, 4) != "true" &&
             start.substr(0, 4) != "null" && start.substr(0, 5) != "false") {
    return "the record is not JSON: it does not begin with an object's {";
  }
  switch (error) {
    case simdjson::NUMBER_ERROR:
    case simdjson::BIGINT_ERROR: return "the record is not JSON: one of its numbers is none (like 01, 1. or +1)";
    case simdjson::UNESCAPED_CHARS:
      return "the record is not JSON: a text in it holds a control character, which must be escaped (\\n, \\u0001)";
    case simdjson::STRING_ERROR: return "the record is not JSON: a text in it has an escape that does not exist";
    case simdjson::UNCLOSED_STRING: return "the record is not JSON: a text in it has no closing quote";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return "the record is not JSON: a word in it is not true, false or null (NaN, None and undefined are no JSON)";
    default:
      return "the record is not JSON: a comma, colon, quote or bracket is missing or too many, or a name or word stands "
             "without double quotes (NaN, None and undefined are no JSON)";
  }
}

std::string mr_explain_value(simdjson::dom::element value) {
  using simdjson::dom::element_type;
  std::string end = "; a record is one JSON object";
  switch (value.type()) {
    case element_type::ARRAY:
      return "the record is a JSON array of " + std::to_string(value.get_array().value_unsafe().size()) + " values" + end +
             ": send each as its own";
    case element_type::STRING: {
      std::string_view text = trimmed(value.get_string().value_unsafe());
      if (!text.empty() && text[0] == '{')
        return "the record is a JSON string that holds an object: it was encoded twice" + end;
      return "the record is a JSON string" + end;
    }
    case element_type::NULL_VALUE:
      return "the record is the word null" + end + ", and a delete is a record without any value";
    case element_type::BOOL: return "the record is true or false" + end;
    default: return "the record is a number" + end;
  }
}
