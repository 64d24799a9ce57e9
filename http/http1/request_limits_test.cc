// SPDX-License-Identifier: Apache-2.0
//
// The limits of requests: what is just within them is accepted, what is just
// beyond them is refused, and neither takes memory beyond them.

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/http/http1/request_parser.h"
#include "ringway/http/http1/testing/parse_stream.h"

namespace ringway::http {
namespace {

using ringway::testing::CountAllocations;
using testing::ByteByByte;
using testing::InOnePiece;
using testing::ParsedStream;
using testing::ParseStream;

RequestLimits SmallLimits() {
  RequestLimits limits;
  limits.target_bytes = 10;
  limits.header_bytes = 20;
  limits.header_count = 3;
  return limits;
}

// 0 if it is accepted.
int RefusedWith(std::string_view bytes) {
  const ParsedStream stream = ParseStream(bytes, InOnePiece, SmallLimits());
  const ParsedStream slow = ParseStream(bytes, ByteByByte, SmallLimits());
  EXPECT_EQ(stream.refused_with, slow.refused_with) << bytes.substr(0, 1000);
  EXPECT_EQ(stream.requests.size(), stream.refused_with == 0 ? 1u : 0u)
      << bytes.substr(0, 1000);
  return stream.refused_with;
}

std::string Get(std::string_view target, std::string_view fields) {
  return absl::StrCat("GET ", target, " HTTP/1.0\r\n", fields, "\r\n");
}

// `rest` follows the sizes of chunks: 60,000 bytes of them are too many.
std::string Chunked(std::string_view rest) {
  return absl::StrCat(
      "POST / HTTP/1.1\r\nHost:\r\nTransfer-Encoding:chunked\r\n\r\n", rest);
}

TEST(RequestLimits, AreOfTheTarget) {
  EXPECT_EQ(RefusedWith(Get("/234567890", "")), 0);
  EXPECT_EQ(RefusedWith(Get("/2345678901", "")), 414);
}

TEST(RequestLimits, AreOfTheBytesOfAllFields) {
  EXPECT_EQ(RefusedWith(Get("/", "A: 234567890\r\nB: 234567890\r\n")), 0);
  EXPECT_EQ(RefusedWith(Get("/", "A: 234567890\r\nB: 2345678901\r\n")), 431);
  EXPECT_EQ(RefusedWith(Get("/", "A234567890:\r\nB2345678901:\r\n")), 431);
}

TEST(RequestLimits, AreOfTheNumberOfFields) {
  EXPECT_EQ(RefusedWith(Get("/", "A: 1\r\nB: 2\r\nC: 3\r\n")), 0);
  EXPECT_EQ(RefusedWith(Get("/", "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n")), 431);
}

TEST(RequestLimits, AreOfTheWhiteSpace) {
  EXPECT_EQ(RefusedWith(Get("/", "A:    \t   1   \t   \r\n")), 0);
  EXPECT_EQ(RefusedWith(
                Get("/", absl::StrCat("A:", std::string(1000, ' '), "1\r\n"))),
            431);
}

TEST(RequestLimits, AreOfEmptyLines) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "\r\n";
  EXPECT_EQ(RefusedWith(lines + Get("/", "")), 431);
}

// Those of Chunked() alone are beyond SmallLimits().
TEST(RequestLimits, AreOfTrailersAgain) {
  RequestLimits limits = SmallLimits();
  limits.header_bytes = 40;
  const auto refused = [&](std::string_view trailers) {
    const std::string bytes = Chunked(absl::StrCat("0\r\n", trailers, "\r\n"));
    const int code = ParseStream(bytes, InOnePiece, limits).refused_with;
    EXPECT_EQ(code, ParseStream(bytes, ByteByByte, limits).refused_with);
    return code;
  };
  EXPECT_EQ(refused(absl::StrCat("A: ", std::string(39, 'x'), "\r\n")), 0);
  EXPECT_EQ(refused(absl::StrCat("A: ", std::string(40, 'x'), "\r\n")), 431);
  EXPECT_EQ(refused("A:\r\nB:\r\nC:\r\n"), 0);
  EXPECT_EQ(refused("A:\r\nB:\r\nC:\r\nD:\r\n"), 431);
}

// What had been summed up after each piece only, so that it depended on them.
TEST(RequestLimits, AreOfWhatChunksHaveBesideBytes) {
  const auto refused = [&](size_t n_extension, size_t n_body) {
    const std::string bytes = Chunked(absl::StrCat(
        "1;", std::string(n_extension, 'x'), "\r\na\r\n", absl::Hex(n_body),
        "\r\n", std::string(n_body, 'b'), "\r\n0\r\n\r\n"));
    const int code = ParseStream(bytes, InOnePiece, {}, 1 << 20).refused_with;
    EXPECT_EQ(code, ParseStream(bytes, ByteByByte).refused_with);
    EXPECT_EQ(code, ParseStream(bytes, InOnePiece, {}, 100).refused_with);
    return code;
  };
  EXPECT_EQ(refused(40'000, 1), 0);
  EXPECT_EQ(refused(60'000, 1), 400);
  EXPECT_EQ(refused(60'000, 100'000), 400);
}

TEST(RequestLimits, BoundTheMemoryOfAHead) {
  RequestParser parser{RequestLimits()};
  std::string bytes =
      absl::StrCat("GET /", std::string(8191, 'a'), " HTTP/1.1\r\nHost: a\r\n");
  for (int i = 0; i < 99; ++i)
    absl::StrAppend(&bytes, "X: ", std::string(320, 'b'), "\r\n");
  bytes += "\r\n";
  size_t n_used = 0;
  ASSERT_EQ(parser.ParseHead(bytes, n_used), ParseStep::kDone);
  EXPECT_LE(parser.head().target_text.capacity(), 2u * 8192);
  EXPECT_LE(parser.head().headers.memory_bytes(), 2u * (32 * 1024 + 100 * 16));
}

TEST(RequestParser, AllocatesNothingOnceItHasItsMemory) {
  const std::string bytes = absl::StrCat(
      "POST /some/path?and=query HTTP/1.1\r\nHost: example.com\r\n",
      "User-Agent: ", std::string(100, 'u'), "\r\nX: 1\r\nExpect: 100-continue",
      "\r\nConnection: a, b\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string_view body = "3;x=y\r\nabc\r\n0\r\n\r\n";
  RequestParser parser{RequestLimits()};
  std::byte room[64];
  uint64_t before = 0;
  for (int i = 0; i < 100; ++i) {
    if (i == 2) before = CountAllocations();
    parser.Reset();
    size_t n_used = 0;
    size_t n_body = 0;
    ASSERT_EQ(parser.ParseHead(bytes, n_used), ParseStep::kDone);
    ASSERT_EQ(parser.ParseChunked(body, room, n_used, n_body),
              ParseStep::kDone);
  }
  EXPECT_EQ(CountAllocations(), before);
}

}  // namespace
}  // namespace ringway::http
