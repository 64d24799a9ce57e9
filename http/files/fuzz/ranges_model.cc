// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/fuzz/ranges_model.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ringway/core/check.h"
#include "ringway/http/files/protocol/byte_ranges.h"
#include "ringway/http/files/protocol/content_coding.h"
#include "ringway/http/files/protocol/entity_tag.h"
#include "ringway/http/files/protocol/multipart.h"
#include "ringway/http/message/headers.h"

namespace ringway::fuzz {

namespace {

using http::internal::ByteRange;
using http::internal::RequestedRanges;
using Kind = RequestedRanges::Kind;

// Digits as a number; what is beyond uint64_t is beyond any file, too.
std::optional<uint64_t> ReadNumber(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  uint64_t number = 0;
  return absl::SimpleAtoi(digits, &number) ? number : UINT64_MAX;
}

bool IsDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// What a careful reader makes of the field, without regard to time and memory.
struct Naive {
  Kind kind = Kind::kWhole;
  // For each byte the first of the elements that ask for it, or -1.
  std::vector<int> asked_by;
};

Naive ReadNaively(std::string_view field, size_t size, size_t most) {
  Naive whole;
  if (!absl::StartsWithIgnoreCase(field, "bytes=")) return whole;
  Naive naive;
  naive.kind = Kind::kUnsatisfiable;
  naive.asked_by.assign(size, -1);
  size_t n_elements = 0;
  bool suffix_of_nothing = false;
  for (std::string_view element : absl::StrSplit(field.substr(6), ',')) {
    while (absl::ConsumePrefix(&element, " ") ||
           absl::ConsumePrefix(&element, "\t")) {
    }
    while (absl::ConsumeSuffix(&element, " ") ||
           absl::ConsumeSuffix(&element, "\t")) {
    }
    if (element.empty()) continue;
    const std::vector<std::string_view> sides = absl::StrSplit(element, '-');
    if (sides.size() != 2 || !IsDigits(sides[0]) || !IsDigits(sides[1]) ||
        element == "-" || ++n_elements > most) {
      return whole;
    }
    const std::optional<uint64_t> first = ReadNumber(sides[0]);
    const std::optional<uint64_t> last = ReadNumber(sides[1]);
    if (first.has_value() && last.has_value() && *last < *first) return whole;
    suffix_of_nothing |= size == 0 && !first.has_value() && *last > 0;
    for (size_t i = 0; i < size; ++i) {
      const bool asked = first.has_value()
                             ? i >= *first && (!last.has_value() || i <= *last)
                             : size - i <= *last;
      if (!asked) continue;
      naive.kind = Kind::kSome;
      if (naive.asked_by[i] < 0)
        naive.asked_by[i] = static_cast<int>(n_elements);
    }
  }
  return n_elements == 0 || suffix_of_nothing ? whole : naive;
}

void CheckRanges(const RequestedRanges& got, const Naive& naive) {
  RINGWAY_CHECK(got.kind == naive.kind, "%d and not %d",
                static_cast<int>(got.kind), static_cast<int>(naive.kind));
  RINGWAY_CHECK(got.ranges.empty() == (got.kind != Kind::kSome), "ranges");
  std::vector<bool> sent(naive.asked_by.size(), false);
  int before = 0;
  for (const ByteRange& range : got.ranges) {
    RINGWAY_CHECK(range.n_bytes > 0 && range.end() <= sent.size() &&
                      range.offset < range.end(),
                  "a range of nothing");
    uint64_t gap = 0;
    int first = 0;
    for (uint64_t i = range.offset; i < range.end(); ++i) {
      RINGWAY_CHECK(!sent[i], "byte %zu is sent twice", size_t{i});
      sent[i] = true;
      const int by = naive.asked_by[i];
      gap = by < 0 ? gap + 1 : 0;
      RINGWAY_CHECK(gap <= http::internal::kMostGapBytes, "a long gap");
      if (by > 0 && (first == 0 || by < first)) first = by;
    }
    RINGWAY_CHECK(gap == 0 && naive.asked_by[range.offset] > 0,
                  "a gap at an end");
    RINGWAY_CHECK(first > before, "ranges in another order");
    before = first;
    // The next range is far away.
    for (uint64_t i = range.end();
         i < sent.size() && i - range.end() < http::internal::kMostGapBytes;
         ++i) {
      RINGWAY_CHECK(naive.asked_by[i] < 0, "two ranges that should be one");
    }
  }
  for (size_t i = 0; i < sent.size(); ++i) {
    RINGWAY_CHECK(naive.asked_by[i] < 0 || sent[i] || got.ranges.empty(),
                  "byte %zu is not sent", i);
  }
}

void CheckMultipart(const RequestedRanges& got, uint64_t size) {
  const http::internal::Multipart multipart("boundary", "text/plain", size,
                                            got.ranges);
  std::string body;
  for (const ByteRange& range : got.ranges)
    body += multipart.PartHead(range) + std::string(range.n_bytes, 'x');
  body += multipart.End();
  RINGWAY_CHECK(body.size() == multipart.ContentLength(), "%zu bytes",
                body.size());
}

void CheckTags(std::string_view field) {
  using http::internal::Comparison;
  const http::internal::EntityTag tag = {"\"a\"", false};
  const bool weakly = ListHas(field, tag, Comparison::kWeak);
  const bool strongly = ListHas(field, tag, Comparison::kStrong);
  RINGWAY_CHECK(weakly || !strongly, "a strong match that is no weak one");
  RINGWAY_CHECK(!weakly || absl::StrContains(field, tag.opaque) ||
                    absl::StrContains(field, "*"),
                "a tag that is not there");
}

void CheckCodings(std::string_view field) {
  using http::internal::Coding;
  http::Headers request;
  request.Add("Accept-Encoding", field);
  const auto order = http::internal::AcceptedCodings(request);
  RINGWAY_CHECK(order.back() == Coding::kIdentity, "no identity");
  for (size_t i = 0; i + 1 < order.size(); ++i) {
    const bool once = std::count(order.begin(), order.end(), order[i]) == 1;
    RINGWAY_CHECK(once || order[i] == Coding::kIdentity, "a coding twice");
    RINGWAY_CHECK(order[i] == Coding::kIdentity ||
                      absl::StrContains(field, "*") ||
                      absl::StrContains(absl::AsciiStrToLower(field),
                                        CodingName(order[i])),
                  "a coding that was not asked for");
  }
}

}  // namespace

bool CheckRangesScript(std::string_view script) {
  if (script.size() < 3) return false;
  const auto byte = [&](size_t i) {
    return static_cast<size_t>(static_cast<unsigned char>(script[i]));
  };
  const size_t size = byte(0) + 256 * (byte(1) % 8);
  const size_t most = byte(2) % 32;
  const std::string_view field = script.substr(3);
  const RequestedRanges got = http::internal::ParseRanges(field, size, most);
  CheckRanges(got, ReadNaively(field, size, most));
  CheckMultipart(got, size);
  CheckTags(field);
  CheckCodings(field);
  return got.kind == Kind::kSome;
}

}  // namespace ringway::fuzz
