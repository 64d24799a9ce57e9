// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/message/headers.h"

#include <algorithm>
#include <array>
#include <functional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ringway::http {

namespace {

constexpr std::array<bool, 256> MakeTokenCharacters() {
  std::array<bool, 256> is = {};
  for (int c = '0'; c <= '9'; ++c) is[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) is[static_cast<size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) is[static_cast<size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    is[static_cast<unsigned char>(c)] = true;
  return is;
}

constexpr std::array<bool, 256> kTokenCharacters = MakeTokenCharacters();

bool IsSpace(char c) { return c == ' ' || c == '\t'; }

}  // namespace

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return kTokenCharacters[static_cast<unsigned char>(c)];
  });
}

bool IsFieldValue(std::string_view text) {
  if (text.empty()) return true;
  if (IsSpace(text.front()) || IsSpace(text.back())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::string_view TrimSpaces(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

void Headers::Add(std::string_view name, std::string_view value) {
  if (!IsToken(name) || !IsFieldValue(value)) {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(
          absl::StrCat("no header can be \"", absl::CEscape(name), ": ",
                       absl::CEscape(value.substr(0, 100)), "\""));
    }
    return;
  }
  // Growing would move what is a part of this text.
  std::string kept;
  if (std::less_equal<>()(text_.data(), value.data()) &&
      std::less<>()(value.data(), text_.data() + text_.size())) {
    kept = value;
    value = kept;
  }
  BeginField();
  AppendToName(name);
  AppendToValue(value);
}

void Headers::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void Headers::Remove(std::string_view name) {
  fields_.erase(
      std::remove_if(fields_.begin(), fields_.end(),
                     [&](const Field& field) { return IsNamed(field, name); }),
      fields_.end());
}

std::optional<std::string_view> Headers::Find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (IsNamed(field, name)) return At(field).value;
  }
  return std::nullopt;
}

size_t Headers::Count(std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(fields_.begin(), fields_.end(),
                    [&](const Field& field) { return IsNamed(field, name); }));
}

bool Headers::HasElement(std::string_view name, std::string_view token) const {
  for (const Field& field : fields_) {
    if (!IsNamed(field, name)) continue;
    std::string_view rest = At(field).value;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      if (EqualsIgnoringCase(TrimSpaces(rest.substr(0, comma)), token))
        return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

void Headers::GiveBack() {
  text_ = std::vector<char>();
  fields_ = std::vector<Field>();
}

void Headers::BeginField() {
  const auto at = static_cast<uint32_t>(text_.size());
  fields_.push_back({at, 0, at, 0});
}

void Headers::AppendToName(std::string_view piece) {
  Append(piece);
  Field& field = fields_.back();
  field.name_size += static_cast<uint32_t>(piece.size());
  field.value_begin = static_cast<uint32_t>(text_.size());
}

void Headers::AppendToValue(std::string_view piece) {
  Append(piece);
  fields_.back().value_size += static_cast<uint32_t>(piece.size());
}

void Headers::EndField() {
  Field& field = fields_.back();
  const std::string_view value = At(field).value;
  const std::string_view trimmed = TrimSpaces(value);
  field.value_begin += static_cast<uint32_t>(trimmed.data() - value.data());
  field.value_size = static_cast<uint32_t>(trimmed.size());
}

}  // namespace ringway::http
