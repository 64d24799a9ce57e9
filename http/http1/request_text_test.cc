// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a request's head, and what is refused instead of being sent.

#include "ringway/http/http1/request_text.h"

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/http/http1/request_parser.h"

namespace ringway::http {
namespace {

using internal::Framing;

absl::StatusOr<std::string> TextOf(const OutgoingRequest& request) {
  std::string text = "before";
  const absl::Status appended = AppendRequestHead(request, text);
  if (!appended.ok()) {
    EXPECT_EQ(text, "before");
    return appended;
  }
  return text.substr(6);
}

TEST(RequestText, HasTheHostFirstAndTheFieldsInTheirOrder) {
  Headers headers;
  headers.Add("B", "2");
  headers.Add("A", "1");
  headers.Add("A", "3");
  OutgoingRequest request(Method::kGet, "/p?q", "example.org:81", headers);
  request.user_agent = "test";
  EXPECT_EQ(*TextOf(request),
            "GET /p?q HTTP/1.1\r\nHost: example.org:81\r\nB: 2\r\nA: 1\r\n"
            "A: 3\r\nUser-Agent: test\r\n\r\n");
}

TEST(RequestText, HasWhatFramesTheBody) {
  const Headers headers;
  OutgoingRequest request(Method::kPost, "/", "a", headers);
  request.framing = Framing::kLength;
  request.content_length = 0;
  EXPECT_EQ(*TextOf(request),
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  request.content_length = 18446744073709551615u;
  request.expects_continue = true;
  EXPECT_EQ(*TextOf(request),
            "POST / HTTP/1.1\r\nHost: a\r\n"
            "Content-Length: 18446744073709551615\r\n"
            "Expect: 100-continue\r\n\r\n");
  request.framing = Framing::kChunked;
  request.expects_continue = false;
  request.close = true;
  EXPECT_EQ(*TextOf(request),
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n");
}

TEST(RequestText, AsksForAnotherProtocol) {
  const Headers headers;
  OutgoingRequest request(Method::kGet, "/", "a", headers);
  request.upgrade = "websocket";
  EXPECT_EQ(*TextOf(request),
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\n\r\n");
}

TEST(RequestText, TakesHostAndAgentFromTheHeaders) {
  Headers headers;
  headers.Add("User-Agent", "mine");
  headers.Add("host", "virtual");
  OutgoingRequest request(Method::kOptions, "*", "a", headers);
  request.user_agent = "test";
  EXPECT_EQ(*TextOf(request),
            "OPTIONS * HTTP/1.1\r\nHost: virtual\r\nUser-Agent: mine\r\n\r\n");
}

TEST(RequestText, NamesItsLengthOnce) {
  Headers headers;
  headers.Add("Content-Length", "3");
  OutgoingRequest request(Method::kPut, "/", "a", headers);
  request.framing = Framing::kLength;
  request.content_length = 3;
  EXPECT_EQ(*TextOf(request),
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
}

TEST(RequestText, RefusesTargets) {
  const Headers headers;
  for (const std::string_view target :
       {"", "x", "*", "/a b", "/a\r\nX: y", "/\xc3\xa4", "/#a", "/%zz",
        "http://a/"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        TextOf(OutgoingRequest(Method::kGet, target, "a", headers)).status()))
        << target;
  }
}

TEST(RequestText, RefusesHosts) {
  const Headers headers;
  for (const std::string_view host :
       {"a b", "a\r\nX: y", "u@a", "a:b", "[1", "a/b", "a,b\t"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        TextOf(OutgoingRequest(Method::kGet, "/", host, headers)).status()))
        << host;
    Headers with_host;
    with_host.Add("Host", host);
    EXPECT_TRUE(absl::IsInvalidArgument(
        TextOf(OutgoingRequest(Method::kGet, "/", "a", with_host)).status()))
        << host;
  }
  Headers two;
  two.Add("Host", "a");
  two.Add("Host", "a");
  EXPECT_FALSE(TextOf(OutgoingRequest(Method::kGet, "/", "a", two)).ok());
}

TEST(RequestText, RefusesHeadersThatAreNotTheCallers) {
  for (const std::string_view name :
       {"Connection", "keep-alive", "Proxy-Connection", "Transfer-Encoding",
        "TE", "Upgrade", "Expect", "Content-Length"}) {
    Headers headers;
    headers.Add(name, "5");
    const absl::Status refused =
        TextOf(OutgoingRequest(Method::kGet, "/", "a", headers)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << name;
    EXPECT_NE(refused.message().find(name), std::string_view::npos) << refused;
  }
  Headers broken;
  broken.Add("A", "b\r\nC: d");
  EXPECT_TRUE(absl::IsInvalidArgument(
      TextOf(OutgoingRequest(Method::kGet, "/", "a", broken)).status()));
}

TEST(RequestText, RefusesMethodsThatAreNotThose) {
  const Headers headers;
  EXPECT_TRUE(absl::IsUnimplemented(
      TextOf(OutgoingRequest(Method::kConnect, "a:1", "a", headers)).status()));
  OutgoingRequest trace(Method::kTrace, "/", "a", headers);
  trace.framing = Framing::kLength;
  EXPECT_TRUE(absl::IsInvalidArgument(TextOf(trace).status()));
}

// What is sent is what our own server accepts.
TEST(RequestText, IsAcceptedByTheServersParser) {
  Headers headers;
  headers.Add("X", "y");
  OutgoingRequest request(Method::kPatch, "/a%20b?c", "[::1]:8080", headers);
  request.user_agent = "test";
  request.framing = Framing::kChunked;
  const std::string text = *TextOf(request);
  RequestParser parser{RequestLimits()};
  size_t n_used = 0;
  ASSERT_EQ(parser.ParseHead(text, n_used), ParseStep::kDone)
      << parser.error().text;
  EXPECT_EQ(n_used, text.size());
  EXPECT_EQ(parser.head().method, Method::kPatch);
  EXPECT_TRUE(parser.head().chunked);
  EXPECT_EQ(parser.head().target.path, "/a%20b");
}

TEST(RequestText, CostsNoAllocation) {
  Headers headers;
  headers.Add("X", "y");
  OutgoingRequest request(Method::kGet, "/", "example.org", headers);
  std::string text;
  text.reserve(1000);
  const uint64_t before = ringway::testing::CountAllocations();
  EXPECT_TRUE(AppendRequestHead(request, text).ok());
  EXPECT_EQ(ringway::testing::CountAllocations() - before, 0u);
}

}  // namespace
}  // namespace ringway::http
