// SPDX-License-Identifier: Apache-2.0
//
// Well-formed requests: what of them reaches the head, the body and the
// trailers, however they arrive. request_verdicts_test has the others.

#include "ringway/http/http1/request_parser.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/http/http1/testing/parse_stream.h"

namespace ringway::http {
namespace {

using testing::ByteByByte;
using testing::CutAt;
using ::testing::ElementsAre;
using testing::InOnePiece;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::ParsedRequest;
using testing::ParsedStream;
using testing::ParseStream;
using testing::Serialise;
using ::testing::SizeIs;

// What becomes of `bytes`, which must not depend on how they arrive.
ParsedStream Parse(std::string_view bytes) {
  ParsedStream whole = ParseStream(bytes, InOnePiece);
  EXPECT_EQ(ParseStream(bytes, ByteByByte), whole) << bytes;
  for (size_t at = 1; at < bytes.size(); ++at)
    EXPECT_EQ(ParseStream(bytes, CutAt(at)), whole) << at << " of " << bytes;
  for (const size_t room : {1, 2, 3, 7})
    EXPECT_EQ(ParseStream(bytes, InOnePiece, {}, room), whole) << bytes;
  return whole;
}

// The same of one whole request.
ParsedRequest ParseOne(std::string_view bytes) {
  ParsedStream stream = Parse(bytes);
  EXPECT_EQ(stream.refused_with, 0) << bytes;
  EXPECT_EQ(stream.n_used, bytes.size()) << bytes;
  if (stream.requests.size() != 1) {
    ADD_FAILURE() << stream.requests.size() << " requests in " << bytes;
    return ParsedRequest();
  }
  return stream.requests[0];
}

TEST(RequestParser, KnowsAllMethods) {
  for (size_t i = 0; i < kMethods; ++i) {
    const auto method = static_cast<Method>(i);
    const std::string_view target = method == Method::kConnect ? "a:1" : "/";
    const ParsedRequest request = ParseOne(absl::StrCat(
        MethodName(method), " ", target, " HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_EQ(request.method, method);
    EXPECT_EQ(request.target, target);
  }
}

TEST(RequestParser, KeepsFieldsInTheirOrder) {
  const ParsedRequest request = ParseOne(
      "GET / HTTP/1.1\r\n"
      "Host: a\r\nB:1\r\nA: \t2  3\t \r\nb:\r\nC: caf\xc3\xa9\r\n\r\n");
  EXPECT_THAT(request.headers,
              ElementsAre(Pair("Host", "a"), Pair("B", "1"), Pair("A", "2  3"),
                          Pair("b", ""), Pair("C", "caf\xc3\xa9")));
  EXPECT_THAT(request.trailers, IsEmpty());
}

TEST(RequestParser, SplitsThePathFromTheQuery) {
  const ParsedRequest request =
      ParseOne("GET /a%20b?c=d?e HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(request.target, "/a%20b?c=d?e");
  EXPECT_EQ(request.path, "/a%20b");
  EXPECT_EQ(request.query, "c=d?e");
  EXPECT_EQ(request.authority, "");
}

TEST(RequestParser, TakesTheAbsoluteForm) {
  const ParsedRequest request =
      ParseOne("GET http://b:80/c?d HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(request.authority, "b:80");
  EXPECT_EQ(request.path, "/c");
  EXPECT_EQ(request.query, "d");
}

TEST(RequestParser, TakesTheAsteriskOfOptions) {
  EXPECT_EQ(ParseOne("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path, "*");
  EXPECT_EQ(ParseOne("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n").path, "*");
}

TEST(RequestParser, TakesTheAuthorityOfConnect) {
  const ParsedRequest request =
      ParseOne("CONNECT [::1]:443 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(request.authority, "[::1]:443");
  EXPECT_EQ(request.path, "");
}

TEST(RequestParser, KnowsWhetherTheConnectionIsKept) {
  const auto kept = [](std::string_view version, std::string_view fields) {
    return ParseOne(absl::StrCat("GET / HTTP/", version, "\r\nHost: a\r\n",
                                 fields, "\r\n"))
        .keep_alive;
  };
  EXPECT_TRUE(kept("1.1", ""));
  EXPECT_TRUE(kept("1.1", "Connection: keep-alive\r\n"));
  EXPECT_TRUE(kept("1.1", "Connection: closed\r\n"));
  EXPECT_FALSE(kept("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(kept("1.1", "Connection: a ,\tClose\r\n"));
  EXPECT_FALSE(kept("1.1", "Connection: a\r\nConnection: close\r\n"));
  EXPECT_FALSE(kept("1.0", ""));
  EXPECT_TRUE(kept("1.0", "Connection: Keep-Alive\r\n"));
  EXPECT_FALSE(kept("1.0", "Connection: keep-alive, close\r\n"));
}

TEST(RequestParser, ExpectsToContinueForABodyOnly) {
  const auto expects = [](std::string_view version, std::string_view rest) {
    return ParseOne(absl::StrCat("POST / HTTP/", version,
                                 "\r\nHost: a\r\nExpect: 100-Continue\r\n",
                                 rest))
        .expects_continue;
  };
  EXPECT_TRUE(expects("1.1", "Content-Length: 1\r\n\r\nx"));
  EXPECT_TRUE(expects("1.1", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
  EXPECT_FALSE(expects("1.1", "Content-Length: 0\r\n\r\n"));
  EXPECT_FALSE(expects("1.1", "\r\n"));
  EXPECT_FALSE(expects("1.0", "Content-Length: 1\r\n\r\nx"));
}

TEST(RequestParser, KnowsTheLengthOfABody) {
  const std::string_view body("\r\n\0ab", 5);
  const ParsedRequest request = ParseOne(absl::StrCat(
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\n", body));
  EXPECT_EQ(request.content_length, uint64_t{5});
  EXPECT_EQ(request.body, body);
  EXPECT_FALSE(request.chunked);
}

TEST(RequestParser, DecodesChunks) {
  const ParsedRequest request = ParseOne(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3\r\nabc\r\nC;x=1;y=\"2;\\\"\"\r\n0\r\n\r\n3\r\nX: z\r\n0001\r\n!\r\n"
      "000;z\r\nT: 1\r\nT:\r\n\r\n");
  EXPECT_TRUE(request.chunked);
  EXPECT_EQ(request.content_length, std::nullopt);
  EXPECT_EQ(request.body, "abc0\r\n\r\n3\r\nX: z!");
  EXPECT_THAT(request.trailers, ElementsAre(Pair("T", "1"), Pair("T", "")));
  EXPECT_THAT(request.headers, SizeIs(2));
}

TEST(RequestParser, UsesNothingOfTheNextRequest) {
  const std::string requests[] = {
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGET",
      "\r\nPOST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4\r\nGET \r\n0\r\nX: y\r\n\r\n",
      "PUT /4 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n"
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "GET /5 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
      "GET /6 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      "GET /7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  };
  std::string all;
  for (const std::string& request : requests) all += request;
  const ParsedStream stream = Parse(all + "GARBAGE");
  EXPECT_EQ(stream.n_used, all.size());
  EXPECT_EQ(stream.refused_with, 0);
  std::vector<std::string> paths;
  for (const ParsedRequest& request : stream.requests)
    paths.push_back(request.path);
  EXPECT_THAT(paths, ElementsAre("/1", "/2", "/3", "/4", "/5", "/6", "/7"));
  EXPECT_EQ(stream.requests[1].body, "GET");
  EXPECT_EQ(stream.requests[2].body, "GET ");
}

TEST(RequestParser, ReadsWhatWasWrittenFromWhatItRead) {
  const std::string_view bytes =
      "POST /a?b HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:chunked\r\n\r\n"
      "2;x\r\nab\r\n1\r\nc\r\n0\r\nX:y\r\n\r\n";
  const ParsedRequest request = ParseOne(bytes);
  EXPECT_EQ(ParseOne(Serialise(request)), request);
}

TEST(RequestParser, HasBegunWithTheFirstByteOfAMethod) {
  RequestParser parser{RequestLimits()};
  size_t n_used = 0;
  EXPECT_EQ(parser.ParseHead("\r\n\r\n", n_used), ParseStep::kNeedMore);
  EXPECT_FALSE(parser.begun());
  EXPECT_EQ(parser.ParseHead("G", n_used), ParseStep::kNeedMore);
  EXPECT_TRUE(parser.begun());
  parser.Reset();
  EXPECT_FALSE(parser.begun());
}

TEST(RequestParser, NeedsRoomForAChunk) {
  RequestParser parser{RequestLimits()};
  const std::string_view head =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  size_t n_used = 0;
  ASSERT_EQ(parser.ParseHead(head, n_used), ParseStep::kDone);
  size_t n_body = 1;
  EXPECT_EQ(parser.ParseChunked("1\r\nx", {}, n_used, n_body),
            ParseStep::kNeedMore);
  EXPECT_EQ(n_used, 0u);
  EXPECT_EQ(n_body, 0u);
}

TEST(RequestParser, BeginsAnewAfterAnError) {
  RequestParser parser{RequestLimits()};
  size_t n_used = 0;
  EXPECT_EQ(parser.ParseHead("GET  ", n_used), ParseStep::kFailed);
  EXPECT_EQ(parser.error().status_code, 400);
  EXPECT_EQ(parser.ParseHead("/ HTTP/1.1\r\n", n_used), ParseStep::kFailed);
  parser.Reset();
  EXPECT_EQ(parser.error().status_code, 0);
  const std::string_view good = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(parser.ParseHead(good, n_used), ParseStep::kDone);
  EXPECT_EQ(n_used, good.size());
}

}  // namespace
}  // namespace ringway::http
