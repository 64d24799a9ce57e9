// SPDX-License-Identifier: Apache-2.0
//
// JsonValue: a JSON document in memory, for the files that the load generator
// itself has written. Small and strict, not fast.

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_JSON_VALUE_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_JSON_VALUE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace ringway::loadgen {

class JsonValue {
 public:
  using List = std::vector<JsonValue>;
  using Object = std::map<std::string, JsonValue, std::less<>>;

  JsonValue() = default;  // null
  explicit JsonValue(bool value) : value_(value) {}
  explicit JsonValue(double value) : value_(value) {}
  explicit JsonValue(std::string value) : value_(std::move(value)) {}
  explicit JsonValue(List value) : value_(std::move(value)) {}
  explicit JsonValue(Object value) : value_(std::move(value)) {}

  // Parses a whole document. `\u` escapes become UTF-8; of equal names in an
  // object the last one is kept.
  //
  // Errors: InvalidArgument with the byte at which it is no JSON, or is nested
  //         more than 32 deep, or has a number that is not finite.
  static absl::StatusOr<JsonValue> Parse(std::string_view text);

  // Null if it is of another kind.
  const bool* as_bool() const { return std::get_if<bool>(&value_); }
  const double* as_number() const { return std::get_if<double>(&value_); }
  const std::string* as_string() const {
    return std::get_if<std::string>(&value_);
  }
  const List* as_list() const { return std::get_if<List>(&value_); }
  const Object* as_object() const { return std::get_if<Object>(&value_); }

  // The member of this name; null if there is none, or this is no object.
  const JsonValue* Find(std::string_view name) const;
  std::optional<double> NumberOf(std::string_view name) const;

 private:
  std::variant<std::monostate, bool, double, std::string, List, Object> value_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_JSON_VALUE_H_
