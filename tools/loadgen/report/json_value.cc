// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/json_value.h"

#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ringway::loadgen {
namespace {

constexpr int kDeepest = 32;

void AppendUtf8(uint32_t code, std::string& text) {
  const auto byte = [&text](uint32_t bits) { text += static_cast<char>(bits); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6);
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xe0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<JsonValue> Document() {
    JsonValue value;
    if (!Value(0, value)) return Wrong();
    SkipSpace();
    if (at_ < text_.size()) return Wrong();
    return value;
  }

 private:
  absl::Status Wrong() const {
    return absl::InvalidArgumentError(
        at_ < text_.size() ? absl::StrCat("no JSON at byte ", at_)
                           : std::string("the JSON is cut off"));
  }

  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' ||
                                  text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }
  // Skips spaces, and `next` if it is there.
  bool Take(char next) {
    SkipSpace();
    if (at_ == text_.size() || text_[at_] != next) return false;
    ++at_;
    return true;
  }
  bool TakeWord(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  // All of these return false at the byte that is wrong.
  bool Value(int depth, JsonValue& value);
  bool Number(JsonValue& value);
  bool String(std::string& text);
  bool Escape(std::string& text);
  bool List(int depth, JsonValue& value);
  bool Object(int depth, JsonValue& value);

  const std::string_view text_;
  size_t at_ = 0;
};

bool Parser::Value(int depth, JsonValue& value) {
  SkipSpace();
  if (at_ == text_.size() || depth > kDeepest) return false;
  switch (text_[at_]) {
    case '{':
      return Object(depth, value);
    case '[':
      return List(depth, value);
    case '"': {
      std::string text;
      if (!String(text)) return false;
      value = JsonValue(std::move(text));
      return true;
    }
    case 'n':
      return TakeWord("null");
    case 't':
      value = JsonValue(true);
      return TakeWord("true");
    case 'f':
      value = JsonValue(false);
      return TakeWord("false");
    default:
      return Number(value);
  }
}

bool Parser::Number(JsonValue& value) {
  size_t end = at_;
  while (end < text_.size() &&
         (absl::ascii_isdigit(static_cast<unsigned char>(text_[end])) ||
          std::string_view("+-.eE").find(text_[end]) != std::string_view::npos))
    ++end;
  double number = 0;
  const std::string digits(text_.substr(at_, end - at_));
  if (digits.empty() || digits[0] == '+' || digits[0] == '.' ||
      !absl::SimpleAtod(digits, &number) || !std::isfinite(number))
    return false;
  at_ = end;
  value = JsonValue(number);
  return true;
}

bool Parser::String(std::string& text) {
  ++at_;  // the quote
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      return true;
    }
    if (static_cast<unsigned char>(c) < 0x20) return false;
    if (c == '\\') {
      if (!Escape(text)) return false;
    } else {
      text += c;
      ++at_;
    }
  }
  return false;
}

bool Parser::Escape(std::string& text) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kCharacters = "\"\\/\b\f\n\r\t";
  const std::string_view rest = text_.substr(at_ + 1);
  if (rest.empty()) return false;
  const size_t known = kNames.find(rest[0]);
  if (known != std::string_view::npos) {
    text += kCharacters[known];
    at_ += 2;
    return true;
  }
  uint32_t code = 0;
  if (rest[0] != 'u' || rest.size() < 5 ||
      !absl::SimpleHexAtoi(std::string(rest.substr(1, 4)), &code))
    return false;
  AppendUtf8(code, text);
  at_ += 6;
  return true;
}

bool Parser::List(int depth, JsonValue& value) {
  JsonValue::List list;
  Take('[');
  if (!Take(']')) {
    do {
      if (!Value(depth + 1, list.emplace_back())) return false;
    } while (Take(','));
    if (!Take(']')) return false;
  }
  value = JsonValue(std::move(list));
  return true;
}

bool Parser::Object(int depth, JsonValue& value) {
  JsonValue::Object object;
  Take('{');
  if (!Take('}')) {
    do {
      SkipSpace();
      std::string name;
      if (at_ == text_.size() || text_[at_] != '"' || !String(name) ||
          !Take(':'))
        return false;
      JsonValue member;
      if (!Value(depth + 1, member)) return false;
      object.insert_or_assign(std::move(name), std::move(member));
    } while (Take(','));
    if (!Take('}')) return false;
  }
  value = JsonValue(std::move(object));
  return true;
}

}  // namespace

absl::StatusOr<JsonValue> JsonValue::Parse(std::string_view text) {
  return Parser(text).Document();
}

const JsonValue* JsonValue::Find(std::string_view name) const {
  const Object* object = as_object();
  if (object == nullptr) return nullptr;
  const auto found = object->find(name);
  return found == object->end() ? nullptr : &found->second;
}

std::optional<double> JsonValue::NumberOf(std::string_view name) const {
  const JsonValue* member = Find(name);
  if (member == nullptr || member->as_number() == nullptr) return std::nullopt;
  return *member->as_number();
}

}  // namespace ringway::loadgen
