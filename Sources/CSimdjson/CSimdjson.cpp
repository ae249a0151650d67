#include "CSimdjson.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "Repair.h"
#include "Shape.h"

using simdjson::dom::element;
using simdjson::dom::element_type;

struct mr_parser {
  std::vector<std::vector<mr_step>> paths;
  // Of the documents before.
  mr_shape shape{paths};
  // Whether the last document has that shape: then simdjson has not seen it.
  bool is_shaped = false;
  simdjson::dom::parser parser;
  // Reused for every document: simdjson reads SIMDJSON_PADDING bytes past the end.
  std::unique_ptr<char[]> padded;
  size_t limit;
  std::string message;
  // Stands in a repaired document for what simdjson does not take. Random, so that no record can hold it.
  std::string mark;
  bool is_repaired = false;
};

// Names joined by dots; a backslash takes the dot or backslash behind it as it is.
static std::vector<mr_step> split(const char *path) {
  std::vector<mr_step> steps;
  std::string name;
  auto finish = [&] {
    bool is_place = !name.empty() && name.size() < 10 && name.find_first_not_of("0123456789") == std::string::npos;
    steps.push_back({name, is_place, is_place ? size_t(std::strtoul(name.c_str(), nullptr, 10)) : 0});
    name.clear();
  };
  for (; *path; path++) {
    if (*path == '\\' && (path[1] == '.' || path[1] == '\\')) {
      name += *++path;
    } else if (*path == '.') {
      finish();
    } else {
      name += *path;
    }
  }
  finish();
  return steps;
}

extern "C" mr_parser *mr_parser_create(const char *const *paths, size_t count, size_t limit) try {
  auto created = std::make_unique<mr_parser>();
  for (size_t i = 0; i < count; i++) created->paths.push_back(split(paths[i]));
  created->padded.reset(new char[limit + simdjson::SIMDJSON_PADDING]());
  created->limit = limit;
  std::random_device random;
  static const char digits[] = "0123456789abcdef";
  for (int i = 0; i < 32; i++) created->mark += digits[random() % 16];
  return created.release();
} catch (const std::bad_alloc &) {
  return nullptr;
}

extern "C" void mr_parser_destroy(mr_parser *parser) { delete parser; }

extern "C" const char *mr_parser_message(const mr_parser *parser) { return parser->message.c_str(); }

static void describe(const mr_parser *parser, element found, mr_value &value) {
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
      if (parser->is_repaired && text.size() == parser->mark.size() + 1 && text.substr(1) == parser->mark) {
        value.kind = text[0] == MR_MARK_NUMBER ? MR_BEYOND : MR_BROKEN_TEXT;
        return;
      }
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

// The element at steps[depth...] below `found`; false when there is none.
static bool descend(element &found, const std::vector<mr_step> &steps, size_t depth) {
  for (; depth < steps.size(); depth++) {
    simdjson::dom::object object;
    if (found.get_object().get(object)) {
      simdjson::dom::array array;
      if (!steps[depth].is_place || found.get_array().get(array)) return false;
      if (array.at(steps[depth].place).get(found)) return false;
      continue;
    }
    bool present = false;
    for (auto field : object) {
      if (field.key == steps[depth].name) {
        found = field.value;
        present = true;
      }
    }
    if (!present) return false;
  }
  return true;
}

static simdjson::error_code parse(mr_parser *parser, const char *json, size_t length, element &root) {
  parser->is_repaired = false;
  auto error = parser->parser.parse(parser->padded.get(), length, false).get(root);
  if (error != simdjson::NUMBER_ERROR && error != simdjson::BIGINT_ERROR && error != simdjson::STRING_ERROR)
    return error;
  // Rare, so that it may take memory of its own: one field that nobody may have asked for must not cost the record.
  std::string repaired;
  if (!mr_repair(json, length, parser->mark, repaired)) return error;
  parser->is_repaired = true;
  return parser->parser.parse(repaired).get(root);
}

static int extract(mr_parser *parser, const char *json, size_t length, mr_value *values) {
  if (length > parser->limit) {
    parser->message = "the record is larger than the limit";
    return MR_TOO_LARGE;
  }
  if (length >= 3 && std::memcmp(json, "\xEF\xBB\xBF", 3) == 0) {
    json += 3;
    length -= 3;
  }
  std::memcpy(parser->padded.get(), json, length);
  parser->padded[length] = 0;
  parser->is_shaped = parser->shape.read(parser->padded.get(), length, values);
  if (parser->is_shaped) return MR_OK;
  for (size_t i = 0; i < parser->paths.size(); i++) values[i].kind = MR_MISSING;
  element root;
  auto error = parse(parser, json, length, root);
  if (error) {
    if (error == simdjson::MEMALLOC) return MR_NO_MEMORY;
    parser->message = mr_explain(json, length, error);
    return MR_NOT_JSON;
  }
  simdjson::dom::object object;
  if (root.get_object().get(object)) {
    parser->message = mr_explain_value(root);
    return MR_NOT_OBJECT;
  }
  for (auto field : object) {
    for (size_t i = 0; i < parser->paths.size(); i++) {
      if (field.key != parser->paths[i][0].name) continue;
      element found = field.value;
      values[i].kind = MR_MISSING;
      if (descend(found, parser->paths[i], 1)) describe(parser, found, values[i]);
    }
  }
  if (!parser->is_repaired) parser->shape.learn(parser->padded.get(), length);
  return MR_OK;
}

extern "C" int mr_parser_extract(mr_parser *parser, const char *json, size_t length, mr_value *values) try {
  return extract(parser, json, length, values);
} catch (const std::bad_alloc &) {
  return MR_NO_MEMORY;
}

extern "C" size_t mr_parser_fields(mr_parser *parser, size_t path, void (*take)(void *, const char *, size_t),
                                   void *context) {
  const auto &steps = parser->paths[path];
  // Its names are those of any document of its shape.
  if (parser->is_shaped && parser->parser.parse(parser->shape.document().data(), parser->shape.document().size()).error()) return 0;
  element found = parser->parser.doc.root();
  size_t depth = 0;
  while (depth + 1 < steps.size() && descend(found, {steps[depth]}, 0)) depth++;
  simdjson::dom::object object;
  if (!found.get_object().get(object))
    for (auto field : object) take(context, field.key.data(), field.key.size());
  return depth;
}
