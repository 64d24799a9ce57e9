// SPDX-License-Identifier: Apache-2.0
//
// What a client takes for a response, and where it ends; limits.

#include "ringway/http/http1/response_parser.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/http/http1/testing/parse_responses.h"

namespace ringway::http {
namespace {

using internal::Framing;
using ringway::testing::CountAllocations;
using testing::ByteByByte;
using testing::CutAt;
using testing::InOnePiece;
using testing::ParsedResponses;
using testing::ParseResponses;

// In one piece, byte by byte, cut anywhere, and with little room for a body.
ParsedResponses ParseInAllWays(std::string_view bytes, Method method) {
  const ParsedResponses whole = ParseResponses(bytes, method, InOnePiece);
  EXPECT_EQ(ParseResponses(bytes, method, ByteByByte), whole) << bytes;
  EXPECT_EQ(ParseResponses(bytes, method, InOnePiece, ResponseLimits(), 1),
            whole)
      << bytes;
  for (size_t n = 1; n < bytes.size(); ++n)
    EXPECT_EQ(ParseResponses(bytes, method, CutAt(n)), whole) << bytes << n;
  return whole;
}

struct Case {
  std::string_view bytes;  // a | is a line's end
  std::string_view summary;
  Method method = Method::kGet;
};

constexpr std::string_view kMalformed = "DATA_LOSS";

const Case kCases[] = {
    // --- Where a body ends (RFC 9112, section 6.3).
    {"HTTP/1.1 200 OK|Content-Length: 5||hello", "200 5+"},
    {"HTTP/1.1 200 OK|Content-Length: 0||", "200 0+"},
    {"HTTP/1.1 200 OK|content-length:5||hello", "200 5+"},
    {"HTTP/1.1 200 OK|Content-Length: 5||hell", "..."},
    {"HTTP/1.1 200 OK||all until the end", "200 17"},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hello|0||", "200 5+"},
    {"HTTP/1.1 200 OK|Transfer-Encoding: CHUNKED||5;a=b|hello|0||", "200 5+"},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hello|0|T: 1||", "200 5+"},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hello|0|", "..."},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||0||", "200 0+"},
    {"HTTP/1.1 204 No Content||", "204+"},
    {"HTTP/1.1 204 No Content|Content-Length: 5||", "204+"},
    {"HTTP/1.1 304 Not Modified|Content-Length: 5||", "304+"},
    {"HTTP/1.1 304 Not Modified|Transfer-Encoding: chunked||", "304+"},
    {"HTTP/1.1 200 OK|Content-Length: 5||", "200+", Method::kHead},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||", "200+", Method::kHead},
    {"HTTP/1.1 200 OK||", "200+", Method::kHead},
    // --- Several, and informational ones before them.
    {"HTTP/1.1 200 OK|Content-Length: 1||aHTTP/1.1 404 N|Content-Length: 2||bb",
     "200 1+, 404 2+"},
    {"HTTP/1.1 100 Continue||HTTP/1.1 200 OK|Content-Length: 1||a",
     "100+, 200 1+"},
    {"HTTP/1.1 103 Early Hints|Link: </a>||HTTP/1.1 204 N||", "103+, 204+"},
    {"HTTP/1.1 101 Switching|Connection: upgrade|Upgrade: x||", "101+"},
    {"HTTP/1.1 200 OK|Connection: upgrade|Upgrade: h2c|Content-Length: 1||a",
     "200 1+"},
    // --- Whether the connection is kept.
    {"HTTP/1.1 200 OK|Connection: close|Content-Length: 1||a", "200 1"},
    {"HTTP/1.1 200 OK|Connection: x, Close|Content-Length: 1||a", "200 1"},
    {"HTTP/1.0 200 OK|Content-Length: 1||a", "200 1"},
    {"HTTP/1.0 200 OK|Connection: keep-alive|Content-Length: 1||a", "200 1+"},
    {"HTTP/1.0 200 OK|Connection: keep-alive||abc", "200 3"},
    // --- The status line.
    {"HTTP/1.1 200 |Content-Length: 0||", "200 0+"},
    {"HTTP/1.1 200|Content-Length: 0||", "200 0+"},
    {"HTTP/1.1 200 Tout va bi\xc3\xa8n\t!|Content-Length: 0||", "200 0+"},
    {"HTTP/1.1 999 Whatever|Content-Length: 0||", "999 0+"},
    {"|HTTP/1.1 200 OK|Content-Length: 0||", kMalformed},
    {"HTTP/1.1  200 OK|Content-Length: 0||", kMalformed},
    {"HTTP/1.1 20 OK|Content-Length: 0||", kMalformed},
    {"HTTP/1.1 2000 OK|Content-Length: 0||", kMalformed},
    {"HTTP/1.1 099 OK|Content-Length: 0||", kMalformed},
    {"HTTP/1.1 2x0 OK|Content-Length: 0||", kMalformed},
    {"HTTP/1.1 -20 OK|Content-Length: 0||", kMalformed},
    {"HTTP/1.2 200 OK|Content-Length: 0||", kMalformed},
    {"HTTP/2.0 200 OK|Content-Length: 0||", kMalformed},
    {"HTTP/0.9 200 OK|Content-Length: 0||", kMalformed},
    {"HTTP/11 200 OK|Content-Length: 0||", kMalformed},
    {"http/1.1 200 OK|Content-Length: 0||", kMalformed},
    {"ICY 200 OK||", kMalformed},
    {"SSH-2.0-OpenSSH_9.2|", kMalformed},
    {"GET / HTTP/1.1|Host: a||", kMalformed},
    {"HTTP/1.1 200 a\x01z|Content-Length: 0||", kMalformed},
    {"HTTP/1.1 200 OK\nContent-Length: 0||", kMalformed},
    {"HTTP/1.1 200 OK\r|Content-Length: 0||", kMalformed},
    {"\x16\x03\x01", kMalformed},
    {"<html>", kMalformed},
    {"HTTP/1.1 200 OK|Content-Le", "..."},
    {"HTTP/1", "..."},
    {"", ""},
    // --- Fields.
    {"HTTP/1.1 200 OK|Content-Length : 0||", kMalformed},
    {"HTTP/1.1 200 OK|: 0||", kMalformed},
    {"HTTP/1.1 200 OK|A B: 0||", kMalformed},
    {"HTTP/1.1 200 OK|A|Content-Length: 0||", kMalformed},
    {"HTTP/1.1 200 OK|A: b\n|Content-Length: 0||", kMalformed},
    {"HTTP/1.1 200 OK|A: b\x01|Content-Length: 0||", kMalformed},
    {"HTTP/1.1 200 OK|A: b| c|Content-Length: 0||", kMalformed},
    {"HTTP/1.1 200 OK|Content-Length: 0|A: b\r||", kMalformed},
    // --- Framing that differs from reader to reader.
    {"HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 5||hello", kMalformed},
    {"HTTP/1.1 200 OK|Content-Length: 5|Content-Length: 6||hello", kMalformed},
    {"HTTP/1.1 200 OK|Content-Length: 5, 5||hello", kMalformed},
    {"HTTP/1.1 200 OK|Content-Length: +5||hello", kMalformed},
    {"HTTP/1.1 200 OK|Content-Length: -5||hello", kMalformed},
    {"HTTP/1.1 200 OK|Content-Length: 0x5||hello", kMalformed},
    {"HTTP/1.1 200 OK|Content-Length: 5 5||hello", kMalformed},
    {"HTTP/1.1 200 OK|Content-Length: 18446744073709551616||a", kMalformed},
    {"HTTP/1.1 200 OK|Content-Length: 5|Transfer-Encoding: chunked||0||",
     kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked|Content-Length: 5||0||",
     kMalformed},
    {"HTTP/1.1 204 OK|Content-Length: 5|Transfer-Encoding: chunked||",
     kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: gzip, chunked||0||", "UNIMPLEMENTED"},
    {"HTTP/1.1 200 OK|Transfer-Encoding: gzip||0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: identity||0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked, gzip||0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked, chunked||0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked|Transfer-Encoding: "
     "chunked||0||",
     kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: xchunked||0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: ,chunked||0||", kMalformed},
    {"HTTP/1.0 200 OK|Transfer-Encoding: chunked||0||", kMalformed},
    // --- Chunks.
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||x|", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||-1|a|0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||0x1|a|0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked|| 1|a|0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||1 |a|0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||1|ab|0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||1\na|0||", kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||11111111111111111|a",
     kMalformed},
    {"HTTP/1.1 200 OK|Transfer-Encoding: chunked||0|A B: c||", kMalformed},
};

TEST(ResponseParser, HasAVerdictOnEveryResponse) {
  for (const Case& c : kCases) {
    const std::string bytes = absl::StrReplaceAll(c.bytes, {{"|", "\r\n"}});
    const ParsedResponses parsed = ParseInAllWays(bytes, c.method);
    EXPECT_EQ(parsed.Summary(), c.summary) << c.bytes << parsed.error;
  }
}

TEST(ResponseParser, GivesTheParts) {
  const ParsedResponses parsed = ParseResponses(
      "HTTP/1.0 404 Not here\r\nA:  b \r\nTransfer: x\r\n\r\nwhat",
      Method::kGet, InOnePiece);
  ASSERT_EQ(parsed.responses.size(), 1u);
  const testing::ParsedResponse& response = parsed.responses[0];
  EXPECT_EQ(response.status_code, 404);
  EXPECT_EQ(response.version, Version::kHttp10);
  EXPECT_EQ(response.headers,
            (testing::FieldList{{"A", "b"}, {"Transfer", "x"}}));
  EXPECT_EQ(response.content_length, std::nullopt);
  EXPECT_EQ(response.framing, Framing::kClose);
  EXPECT_EQ(response.body, "what");
}

TEST(ResponseParser, GivesTrailers) {
  const ParsedResponses parsed = ParseResponses(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nab\r\n1\r\nc\r\n0\r\nSum: 3\r\n\r\n",
      Method::kGet, InOnePiece);
  ASSERT_EQ(parsed.responses.size(), 1u);
  EXPECT_EQ(parsed.responses[0].body, "abc");
  EXPECT_EQ(parsed.responses[0].trailers, (testing::FieldList{{"Sum", "3"}}));
}

ResponseLimits SmallLimits() {
  ResponseLimits limits;
  limits.header_bytes = 20;
  limits.header_count = 3;
  return limits;
}

std::string WithLimits(std::string_view bytes) {
  const ParsedResponses parsed =
      ParseResponses(bytes, Method::kGet, InOnePiece, SmallLimits());
  const ParsedResponses slow =
      ParseResponses(bytes, Method::kGet, ByteByByte, SmallLimits());
  EXPECT_EQ(parsed.Summary(), slow.Summary()) << bytes.substr(0, 1000);
  return absl::StrCat(parsed.Summary(), parsed.error.message());
}

std::string Head(std::string_view phrase, std::string_view fields) {
  return absl::StrCat("HTTP/1.1 204 ", phrase, "\r\n", fields, "\r\n");
}

constexpr char kTooManyBytes[] =
    "RESOURCE_EXHAUSTEDthe response has more than ResponseLimits::header_bytes";
constexpr char kTooManyFields[] =
    "RESOURCE_EXHAUSTEDthe response has more than ResponseLimits::header_count";

TEST(ResponseLimits, AreOfTheBytesOfPhraseAndFields) {
  EXPECT_EQ(WithLimits(Head("", "A: 234567890\r\nB: 234567890\r\n")), "204+");
  EXPECT_EQ(WithLimits(Head("", "A: 234567890\r\nB: 2345678901\r\n")),
            kTooManyBytes);
  EXPECT_EQ(WithLimits(Head("12345", "A: 12345678901234\r\n")), "204+");
  EXPECT_EQ(WithLimits(Head("12345", "A: 123456789012345\r\n")), kTooManyBytes);
  EXPECT_EQ(WithLimits(Head(std::string(20, 'a'), "")), "204+");
  EXPECT_EQ(WithLimits(Head(std::string(21, 'a'), "")), kTooManyBytes);
}

TEST(ResponseLimits, AreOfTheNumberOfFields) {
  EXPECT_EQ(WithLimits(Head("", "A:\r\nB:\r\nC:\r\n")), "204+");
  EXPECT_EQ(WithLimits(Head("", "A:\r\nB:\r\nC:\r\nD:\r\n")), kTooManyFields);
}

TEST(ResponseLimits, AreOfTrailersAgain) {
  ResponseLimits limits = SmallLimits();
  limits.header_bytes = 24;
  const auto parse = [&](std::string_view trailers) {
    return ParseResponses(
               absl::StrCat("HTTP/1.1 200 \r\nTransfer-Encoding:chunked\r\n\r\n"
                            "0\r\n",
                            trailers, "\r\n"),
               Method::kGet, ByteByByte, limits)
        .Summary();
  };
  EXPECT_EQ(parse("A: 12345678901234567890123\r\n"), "200 0+");
  EXPECT_EQ(parse("A: 123456789012345678901234\r\n"), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(parse("A:\r\nB:\r\nC:\r\n"), "200 0+");
  EXPECT_EQ(parse("A:\r\nB:\r\nC:\r\nD:\r\n"), "RESOURCE_EXHAUSTED");
}

TEST(ResponseLimits, HoldForHeadsWithoutAnEnd) {
  for (const std::string& endless :
       {"HTTP/1.1 200 " + std::string(100'000, 'a'),
        "HTTP/1.1 200 OK\r\n" + std::string(100'000, 'a'),
        "HTTP/1.1 200 OK\r\nA: " + std::string(100'000, 'a'),
        "HTTP/1.1 200 OK\r\nA:" + std::string(100'000, ' ')}) {
    EXPECT_EQ(WithLimits(endless), kTooManyBytes);
  }
}

TEST(ResponseLimits, BoundWhatChunksHaveBesideTheirBytes) {
  std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string extension(1000, 'e');
  for (int i = 0; i < 200; ++i)
    absl::StrAppend(&bytes, "1;", extension, "\r\na\r\n");
  const ParsedResponses parsed =
      ParseResponses(bytes, Method::kGet, InOnePiece);
  EXPECT_TRUE(absl::IsDataLoss(parsed.error)) << parsed.error;
}

TEST(ResponseParser, ReusesItsMemory) {
  const std::string bytes =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX: y\r\n"
      "Content-Length: 0\r\n\r\n";
  ResponseParser parser{ResponseLimits()};
  uint64_t before = 0;
  for (int i = 0; i < 10; ++i) {
    if (i == 2) before = CountAllocations();
    parser.Reset(Method::kGet);
    size_t n_used = 0;
    EXPECT_EQ(parser.ParseHead(bytes, n_used), ParseStep::kDone);
  }
  EXPECT_EQ(CountAllocations() - before, 0u);
}

}  // namespace
}  // namespace ringway::http
