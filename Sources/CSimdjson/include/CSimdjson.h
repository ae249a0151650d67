#ifndef MILLRACE_CSIMDJSON_H
#define MILLRACE_CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What stands at a path of a document. */
enum {
  MR_MISSING = 0,
  MR_NULL,
  MR_BOOLEAN,  /* integer: 0 or 1 */
  MR_INTEGER,  /* integer */
  MR_UNSIGNED, /* above INT64_MAX; number holds it rounded */
  MR_DOUBLE,   /* number */
  MR_STRING,   /* bytes, length: unescaped UTF-8 */
  MR_NESTED,   /* an object or array */
  MR_BEYOND,   /* a number beyond what a double holds */
  MR_BROKEN_TEXT, /* a string with half a surrogate, which is no Unicode text */
};

typedef struct {
  int32_t kind;
  int64_t integer;
  double number;
  const char *bytes;
  size_t length;
} mr_value;

/* Why a document was refused. */
enum {
  MR_OK = 0,
  MR_NOT_JSON,
  MR_NOT_OBJECT,
  MR_TOO_LARGE,
  MR_NO_MEMORY,
};

typedef struct mr_parser mr_parser;

/* A parser for documents of at most `limit` bytes, which looks up `count` paths: names joined by '.',
   numbers below arrays; a backslash takes the dot or backslash behind it as part of a name.
   NULL when memory is short. One thread at a time. */
mr_parser *mr_parser_create(const char *const *paths, size_t count, size_t limit);
void mr_parser_destroy(mr_parser *parser);

/* Fills values[count]. What they point at lives until the next call. Of a repeated name the last counts. */
int mr_parser_extract(mr_parser *parser, const char *json, size_t length, mr_value *values);

/* Names the fields of the innermost object on the way to a path, in the document that was extracted last. Returns how many
   of the path's names lead to it; where that is no object, no field is named. */
size_t mr_parser_fields(mr_parser *parser, size_t path, void (*take)(void *context, const char *name, size_t length),
                        void *context);

/* A sentence about the last refusal; lives until the next call. */
const char *mr_parser_message(const mr_parser *parser);

#ifdef __cplusplus
}
#endif
#endif
