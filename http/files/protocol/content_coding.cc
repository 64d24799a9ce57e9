// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/content_coding.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/ascii.h"

namespace ringway::http::internal {

namespace {

// Takes off `text` what stands before `separator`, or all of it.
std::string_view TakeUntil(char separator, std::string_view& text) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = TrimSpaces(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

// A weight in thousandths (section 12.4.2): "1", "0.5", "0.125".
std::optional<int> ParseWeight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1'))
    return std::nullopt;
  int weight = (text[0] - '0') * 1000;
  if (text.size() == 1) return weight;
  if (text[1] != '.') return std::nullopt;
  int scale = 100;
  for (const char c : text.substr(2)) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c)))
      return std::nullopt;
    weight += (c - '0') * scale;
    scale /= 10;
  }
  return weight <= 1000 ? std::optional(weight) : std::nullopt;
}

// The weight among the parameters of an element; one that cannot be read is 0.
int WeightOf(std::string_view params) {
  while (!params.empty()) {
    std::string_view param = TakeUntil(';', params);
    const std::string_view name = TakeUntil('=', param);
    if (EqualsIgnoringCase(name, "q")) return ParseWeight(param).value_or(0);
  }
  return 1000;
}

struct Weights {
  std::array<std::optional<int>, kCodings + 1> of;
  std::optional<int> rest;  // of "*"

  void Set(std::string_view name, int weight) {
    if (name == "*") rest = weight;
    for (size_t i = 0; i < kCodings; ++i) {
      const auto coding = static_cast<Coding>(i);
      if (EqualsIgnoringCase(name, CodingName(coding))) of[i] = weight;
    }
    if (EqualsIgnoringCase(name, "x-gzip"))
      of[static_cast<size_t>(Coding::kGzip)] = weight;
    if (EqualsIgnoringCase(name, "identity")) of[kCodings] = weight;
  }
};

}  // namespace

std::string_view CodingName(Coding coding) {
  switch (coding) {
    case Coding::kBrotli:
      return "br";
    case Coding::kZstd:
      return "zstd";
    case Coding::kGzip:
      return "gzip";
    case Coding::kIdentity:
      break;
  }
  return "";
}

std::string_view CodingSuffix(Coding coding) {
  switch (coding) {
    case Coding::kBrotli:
      return ".br";
    case Coding::kZstd:
      return ".zst";
    case Coding::kGzip:
      return ".gz";
    case Coding::kIdentity:
      break;
  }
  return "";
}

CodingOrder AcceptedCodings(const Headers& request) {
  CodingOrder order;
  order.fill(Coding::kIdentity);
  Weights weights;
  bool named_any = false;
  for (const Header field : request) {
    if (!EqualsIgnoringCase(field.name, "Accept-Encoding")) continue;
    std::string_view list = field.value;
    while (!list.empty()) {
      std::string_view params = TakeUntil(',', list);
      const std::string_view name = TakeUntil(';', params);
      weights.Set(name, WeightOf(params));
      named_any = true;
    }
  }
  if (!named_any) return order;
  // What is not named is not wanted, but for identity, which goes last.
  const int identity = weights.of[kCodings].value_or(0);
  absl::InlinedVector<std::pair<int, Coding>, kCodings> wanted;
  for (size_t i = 0; i < kCodings; ++i) {
    const int weight = weights.of[i].value_or(weights.rest.value_or(0));
    if (weight > 0 && weight >= identity)
      wanted.emplace_back(-weight, static_cast<Coding>(i));
  }
  std::ranges::sort(wanted);
  for (size_t i = 0; i < wanted.size(); ++i) order[i] = wanted[i].second;
  return order;
}

}  // namespace ringway::http::internal
