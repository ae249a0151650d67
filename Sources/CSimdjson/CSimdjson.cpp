#include "CSimdjson.h"

#include <simdjson.h>

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

using simdjson::dom::element;
using simdjson::dom::element_type;

struct mr_parser {
  std::vector<std::vector<std::string>> paths;
  simdjson::dom::parser parser;
  // Reused for every document: simdjson reads SIMDJSON_PADDING bytes past the end.
  std::unique_ptr<char[]> padded;
  size_t limit;
  const char *message = "";
};

static std::vector<std::string> split(const char *path) {
  std::vector<std::string> names;
  std::string_view rest(path);
  for (;;) {
    size_t dot = rest.find('.');
    names.emplace_back(rest.substr(0, dot));
    if (dot == std::string_view::npos) return names;
    rest.remove_prefix(dot + 1);
  }
}

extern "C" mr_parser *mr_parser_create(const char *const *paths, size_t count, size_t limit) try {
  auto created = std::make_unique<mr_parser>();
  for (size_t i = 0; i < count; i++) created->paths.push_back(split(paths[i]));
  created->padded.reset(new char[limit + simdjson::SIMDJSON_PADDING]());
  created->limit = limit;
  return created.release();
} catch (const std::bad_alloc &) {
  return nullptr;
}

extern "C" void mr_parser_destroy(mr_parser *parser) { delete parser; }

extern "C" const char *mr_parser_message(const mr_parser *parser) { return parser->message; }

static void describe(element found, mr_value &value) {
  switch (found.type()) {
    case element_type::NULL_VALUE: value.kind = MR_NULL; return;
    case element_type::BOOL:
      value.kind = MR_BOOLEAN;
      value.integer = found.get_bool().value_unsafe() ? 1 : 0;
      return;
    case element_type::INT64:
      value.kind = MR_INTEGER;
      value.integer = found.get_int64().value_unsafe();
      return;
    case element_type::UINT64:
      value.kind = MR_UNSIGNED;
      value.number = double(found.get_uint64().value_unsafe());
      return;
    case element_type::DOUBLE:
      value.kind = MR_DOUBLE;
      value.number = found.get_double().value_unsafe();
      return;
    case element_type::STRING: {
      std::string_view text = found.get_string().value_unsafe();
      value.kind = MR_STRING;
      value.bytes = text.data();
      value.length = text.size();
      return;
    }
    case element_type::OBJECT:
    case element_type::ARRAY:
      value.kind = MR_NESTED;
      return;
  }
}

// The element at names[depth...] below `found`; false when there is none.
static bool descend(element &found, const std::vector<std::string> &names, size_t depth) {
  for (; depth < names.size(); depth++) {
    simdjson::dom::object object;
    if (found.get_object().get(object)) return false;
    bool present = false;
    for (auto field : object) {
      if (field.key == names[depth]) {
        found = field.value;
        present = true;
      }
    }
    if (!present) return false;
  }
  return true;
}

static int extract(mr_parser *parser, const char *json, size_t length, mr_value *values) {
  if (length > parser->limit) {
    parser->message = "The document is larger than the limit";
    return MR_TOO_LARGE;
  }
  for (size_t i = 0; i < parser->paths.size(); i++) values[i].kind = MR_MISSING;
  std::memcpy(parser->padded.get(), json, length);
  element root;
  auto error = parser->parser.parse(parser->padded.get(), length, false).get(root);
  if (error) {
    parser->message = simdjson::error_message(error);
    if (error == simdjson::MEMALLOC) return MR_NO_MEMORY;
    return MR_NOT_JSON;
  }
  simdjson::dom::object object;
  if (root.get_object().get(object)) {
    parser->message = "The document is JSON, but not an object";
    return MR_NOT_OBJECT;
  }
  for (auto field : object) {
    for (size_t i = 0; i < parser->paths.size(); i++) {
      const auto &names = parser->paths[i];
      if (field.key != names[0]) continue;
      element found = field.value;
      values[i].kind = MR_MISSING;
      if (descend(found, names, 1)) describe(found, values[i]);
    }
  }
  return MR_OK;
}

extern "C" int mr_parser_extract(mr_parser *parser, const char *json, size_t length, mr_value *values) try {
  return extract(parser, json, length, values);
} catch (const std::bad_alloc &) {
  parser->message = "Out of memory";
  return MR_NO_MEMORY;
}
