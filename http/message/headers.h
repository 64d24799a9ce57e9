// SPDX-License-Identifier: Apache-2.0
//
// Headers: the fields of a message, or its trailers, in their order.
//
//   http::Headers headers;
//   headers.Set("Content-Type", "text/plain");
//   headers.Add("Set-Cookie", "a=1");
//   if (std::optional<std::string_view> host = headers.Find("host")) ...
//
// Names are compared without regard to case (RFC 9110, section 5.1).

#ifndef RINGWAY_HTTP_MESSAGE_HEADERS_H_
#define RINGWAY_HTTP_MESSAGE_HEADERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "ringway/core/compiler.h"

namespace ringway::http {

struct Header {
  std::string_view name;
  std::string_view value;
};

// Whether `text` is a token (RFC 9110, section 5.6.2), as names and methods
// are.
bool IsToken(std::string_view text);
// Whether `text` can be a field's value: no control character but the tab, no
// white space at either end (RFC 9110, section 5.5).
bool IsFieldValue(std::string_view text);
// `text` without spaces and tabs at its ends.
std::string_view TrimSpaces(std::string_view text);
inline bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && absl::EqualsIgnoreCase(a, b);
}

// Views into it are valid until it is changed. May be copied.
//
// Threads: one at a time.
// Cost:    one block for all text and one for the places in it; Clear() keeps
//          both, so that reuse allocates nothing. Finding compares names.
class Headers {
 public:
  Headers() = default;

  // Appends a field, beside others of its name. One that cannot be sent, such
  // as a value with a line break, is not added, and status() says so.
  void Add(std::string_view name, std::string_view value);
  // The same, instead of all of its name.
  void Set(std::string_view name, std::string_view value);
  void Remove(std::string_view name);

  // The value of the first of its name.
  std::optional<std::string_view> Find(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name).has_value(); }
  // How many have this name.
  size_t Count(std::string_view name) const;
  // Whether a field of this name, which is a list separated by commas, has the
  // element `token`, without regard to case.
  bool HasElement(std::string_view name, std::string_view token) const;

  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  Header operator[](size_t i) const { return At(fields_[i]); }

  class Iterator {
   public:
    Iterator(const Headers* headers, size_t i) : headers_(headers), i_(i) {}
    Header operator*() const { return (*headers_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const Headers* headers_;
    size_t i_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size()}; }

  // InvalidArgument with the name of the first field that was not added.
  const absl::Status& status() const { return status_; }

  // Forgets all, and the status.
  void Clear() {
    text_.clear();
    fields_.clear();
    if (!status_.ok()) status_ = absl::OkStatus();
  }
  // Gives memory beyond `n_bytes` back. Requires that it is empty.
  void Shrink(size_t n_bytes) {
    if (memory_bytes() > n_bytes) GiveBack();
  }
  // Costs as much as that of some numbers.
  void Swap(Headers& other) noexcept {
    text_.swap(other.text_);
    fields_.swap(other.fields_);
    std::swap(status_, other.status_);
  }
  // Memory of its own.
  size_t memory_bytes() const {
    return text_.capacity() + fields_.capacity() * sizeof(Field);
  }

  // --- For parsers: a field in pieces, which the parser has checked. The end
  // takes spaces and tabs off the value.
  void BeginField();
  void AppendToName(std::string_view piece);
  void AppendToValue(std::string_view piece);
  void EndField();

 private:
  struct Field {
    uint32_t begin;  // of the name in text_; the value follows it
    uint32_t name_size;
    uint32_t value_begin;
    uint32_t value_size;
  };

  Header At(const Field& field) const {
    const std::string_view text(text_.data(), text_.size());
    return {text.substr(field.begin, field.name_size),
            text.substr(field.value_begin, field.value_size)};
  }

  bool IsNamed(const Field& field, std::string_view name) const {
    return field.name_size == name.size() &&
           EqualsIgnoringCase(At(field).name, name);
  }
  void Append(std::string_view piece) {
    text_.insert(text_.end(), piece.begin(), piece.end());
  }
  void GiveBack();

  std::vector<char> text_;  // a string's swap costs more
  std::vector<Field> fields_;
  absl::Status status_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_MESSAGE_HEADERS_H_
