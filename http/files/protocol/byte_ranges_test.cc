// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/byte_ranges.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

using Kind = RequestedRanges::Kind;

// "0+10 90+5": offsets and lengths; "whole", "unsatisfiable".
std::string Show(const RequestedRanges& requested) {
  if (requested.kind == Kind::kWhole) return "whole";
  if (requested.kind == Kind::kUnsatisfiable) return "unsatisfiable";
  std::string text;
  for (const ByteRange& range : requested.ranges) {
    absl::StrAppend(&text, text.empty() ? "" : " ", range.offset, "+",
                    range.n_bytes);
  }
  return text;
}

struct Row {
  std::string_view field;
  std::string_view expected;
};

TEST(ByteRanges, OfAThousandBytes) {
  const Row rows[] = {
      // The examples of RFC 9110, section 14.1.2, for a smaller file.
      {"bytes=0-499", "0+500"},
      {"bytes=500-999", "500+500"},
      {"bytes=-500", "500+500"},
      {"bytes=500-", "500+500"},
      {"bytes=0-0,-1", "0+1 999+1"},
      {"bytes= 0-99, 500-599, -100", "0+100 500+100 900+100"},
      {"bytes=0-", "0+1000"},
      {"bytes=999-", "999+1"},
      {"bytes=0-5000", "0+1000"},
      {"bytes=-5000", "0+1000"},
      {"Bytes=1-2", "1+2"},
      {"bytes=,,1-2 ,\t,", "1+2"},
      {"bytes=001-0002", "1+2"},
      {"bytes=99999999999999999999999-", "unsatisfiable"},
      {"bytes=0-99999999999999999999999", "0+1000"},
      {"bytes=-99999999999999999999999", "0+1000"},
      {"bytes=18446744073709551615-18446744073709551616", "unsatisfiable"},
      {"bytes=18446744073709551616-18446744073709551615", "unsatisfiable"},
      {"bytes=1000-", "unsatisfiable"},
      {"bytes=1000-2000,5000-", "unsatisfiable"},
      {"bytes=-0", "unsatisfiable"},
      {"bytes=-0,0-0", "0+1"},
      {"bytes=2000-,5-6", "5+2"},
      // Malformed: ignored.
      {"", "whole"},
      {"bytes", "whole"},
      {"bytes=", "whole"},
      {"bytes=,", "whole"},
      {"bytes=-", "whole"},
      {"bytes=5", "whole"},
      {"bytes=2-1", "whole"},
      {"bytes=0-1,2-1", "whole"},
      {"bytes=a-b", "whole"},
      {"bytes=0-1x", "whole"},
      {"bytes=0x0-0x1", "whole"},
      {"bytes=+1-2", "whole"},
      {"bytes=--1", "whole"},
      {"bytes=1--2", "whole"},
      {"bytes=1-2-3", "whole"},
      {"bytes=1 -2", "whole"},
      {"bytes=1- 2", "whole"},
      {"bytes=1-2;3-4", "whole"},
      {"bytes =1-2", "whole"},
      {"bytes:1-2", "whole"},
      {"items=0-5", "whole"},
      {"bytes=0-1,bytes=2-3", "whole"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Show(ParseRanges(row.field, 1000, 16)), row.expected)
        << row.field;
}

TEST(ByteRanges, ThatOverlapOrNearlyTouchBecomeOne) {
  const Row rows[] = {
      {"bytes=0-99,100-199", "0+200"},
      {"bytes=0-99,50-149", "0+150"},
      {"bytes=0-,0-,0-,0-", "0+1000"},
      {"bytes=100-199,0-149", "0+200"},
      {"bytes=0-9,20-29", "0+30"},
      {"bytes=0-9,90-99", "0+100"},
      {"bytes=0-9,91-99", "0+10 91+9"},
      {"bytes=900-,0-9,500-509", "900+100 0+10 500+10"},
      // One that is merged into another is sent at the place of the first.
      {"bytes=900-909,0-9,910-919", "900+20 0+10"},
      {"bytes=500-509,0-9,300-309,-991", "0+1000"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Show(ParseRanges(row.field, 1000, 16)), row.expected)
        << row.field;
}

TEST(ByteRanges, OfAnEmptyFile) {
  const Row rows[] = {
      {"bytes=0-", "unsatisfiable"}, {"bytes=0-0", "unsatisfiable"},
      {"bytes=-0", "unsatisfiable"}, {"bytes=-1", "whole"},
      {"bytes=0-,-1", "whole"},      {"bytes=x", "whole"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Show(ParseRanges(row.field, 0, 16)), row.expected) << row.field;
}

TEST(ByteRanges, AreIgnoredIfThereAreTooMany) {
  std::string field = "bytes=0-0";
  for (int i = 1; i < 4; ++i) absl::StrAppend(&field, ",", i * 200, "-");
  EXPECT_NE(ParseRanges(field, 1000, 4).kind, Kind::kWhole);
  EXPECT_EQ(ParseRanges(field, 1000, 3).kind, Kind::kWhole);
  EXPECT_EQ(ParseRanges("bytes=5000-,5000-", 1000, 1).kind, Kind::kWhole);
  EXPECT_EQ(ParseRanges("bytes=0-0", 1000, 0).kind, Kind::kWhole);
}

TEST(ByteRanges, OfAVeryLargeFile) {
  constexpr uint64_t kSize = uint64_t{5} << 30;
  EXPECT_EQ(Show(ParseRanges("bytes=4294967296-4294967297", kSize, 1)),
            "4294967296+2");
  EXPECT_EQ(Show(ParseRanges("bytes=-1", kSize, 1)), "5368709119+1");
  EXPECT_EQ(Show(ParseRanges("bytes=0-", INT64_MAX, 1)),
            "0+9223372036854775807");
}

TEST(ByteRanges, AsContentRange) {
  EXPECT_EQ(ContentRange({0, 100}, 1000), "bytes 0-99/1000");
  EXPECT_EQ(ContentRange({999, 1}, 1000), "bytes 999-999/1000");
  EXPECT_EQ(UnsatisfiedRange(1000), "bytes */1000");
}

}  // namespace
}  // namespace ringway::http::internal
