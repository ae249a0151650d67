#ifndef MILLRACE_REPAIR_H
#define MILLRACE_REPAIR_H

#include <simdjson.h>

#include <string>

// What comes before the mark says what it stands for.
constexpr char MR_MARK_NUMBER = 'N';
constexpr char MR_MARK_TEXT = 'T';

// Writes a document in which what simdjson's DOM refuses as a whole is one value: integers beyond 64 bits are doubles,
// numbers beyond a double and strings with half a surrogate are `mark`, as a string. False when there is none of it.
// What is no JSON stays as it is.
bool mr_repair(const char *json, size_t length, const std::string &mark, std::string &repaired);

// Sentences for people: why a record is no JSON, or which JSON it is instead of an object.
std::string mr_explain(const char *json, size_t length, simdjson::error_code error);
std::string mr_explain_value(simdjson::dom::element value);

#endif
