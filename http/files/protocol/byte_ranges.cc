// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/byte_ranges.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

// Takes the digits off the beginning of `text`; none if there are none. A
// number that is too large is kMost, which is beyond the end of any file.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  size_t n_digits = 0;
  uint64_t number = 0;
  for (; n_digits < text.size(); ++n_digits) {
    const char c = text[n_digits];
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) break;
    const auto digit = static_cast<uint64_t>(c - '0');
    number = number > (kMost - digit) / 10 ? kMost : number * 10 + digit;
  }
  if (n_digits == 0) return std::nullopt;
  text.remove_prefix(n_digits);
  return number;
}

// One element of the list, as the bytes `first` to `last`, which may lie beyond
// the end of the file; first > last: of a suffix of no bytes.
struct Spec {
  uint64_t first = 0;
  uint64_t last = 0;
};

std::optional<Spec> ParseSpec(std::string_view text, uint64_t size) {
  const std::optional<uint64_t> first = TakeNumber(text);
  if (text.empty() || text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  const std::optional<uint64_t> last = TakeNumber(text);
  if (!text.empty()) return std::nullopt;
  if (!first.has_value()) {
    if (!last.has_value()) return std::nullopt;
    if (*last == 0) return Spec{1, 0};
    return Spec{size - std::min(*last, size), kMost};
  }
  if (last.has_value() && *last < *first) return std::nullopt;
  return Spec{*first, last.value_or(kMost)};
}

using Ranges = absl::InlinedVector<ByteRange, 2>;

struct Placed {
  ByteRange range;
  size_t place = 0;  // in the order that was asked for
};

void Coalesce(Ranges& ranges) {
  if (ranges.size() < 2) return;
  absl::InlinedVector<Placed, 16> sorted;
  for (size_t i = 0; i < ranges.size(); ++i) sorted.push_back({ranges[i], i});
  const auto offset = [](const Placed& placed) { return placed.range.offset; };
  std::ranges::sort(sorted, {}, offset);
  absl::InlinedVector<Placed, 16> merged;
  for (const Placed& next : sorted) {
    if (merged.empty() ||
        next.range.offset > merged.back().range.end() + kMostGapBytes) {
      merged.push_back(next);
      continue;
    }
    Placed& before = merged.back();
    const uint64_t end = std::max(before.range.end(), next.range.end());
    before.range.n_bytes = end - before.range.offset;
    before.place = std::min(before.place, next.place);
  }
  std::ranges::sort(merged, {}, &Placed::place);
  ranges.clear();
  for (const Placed& placed : merged) ranges.push_back(placed.range);
}

}  // namespace

RequestedRanges ParseRanges(std::string_view field, uint64_t size,
                            size_t most_ranges) {
  using Kind = RequestedRanges::Kind;
  constexpr std::string_view kUnit = "bytes=";
  RequestedRanges requested;
  if (!absl::StartsWithIgnoreCase(field, kUnit)) return requested;
  std::string_view list = field.substr(kUnit.size());
  size_t n_specs = 0;
  bool whole = false;
  Ranges ranges;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = TrimSpaces(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (element.empty()) continue;  // allowed (section 5.6.1)
    const std::optional<Spec> spec = ParseSpec(element, size);
    if (!spec.has_value() || ++n_specs > most_ranges) return requested;
    if (spec->first > spec->last) continue;
    // The end of an empty file is all of it, which no Content-Range can name.
    if (size == 0 && element.front() == '-') whole = true;
    if (spec->first >= size) continue;
    ranges.push_back(
        {spec->first, std::min(spec->last, size - 1) - spec->first + 1});
  }
  if (n_specs == 0 || whole) return requested;
  requested.kind = ranges.empty() ? Kind::kUnsatisfiable : Kind::kSome;
  Coalesce(ranges);
  requested.ranges = std::move(ranges);
  return requested;
}

std::string ContentRange(const ByteRange& range, uint64_t size) {
  return absl::StrCat("bytes ", range.offset, "-", range.end() - 1, "/", size);
}

std::string UnsatisfiedRange(uint64_t size) {
  return absl::StrCat("bytes */", size);
}

}  // namespace ringway::http::internal
