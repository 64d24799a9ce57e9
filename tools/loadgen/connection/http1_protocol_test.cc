// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/http1_protocol.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/testing/recording_source.h"

namespace ringway::loadgen {
namespace {

using testing::RecordingSource;

std::string Response(std::string_view body, std::string_view fields = "") {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(),
                      "\r\n", std::string(fields), "\r\n", std::string(body));
}

class Http1ProtocolTest : public ::testing::Test {
 protected:
  Http1ProtocolTest() { request_.authority = "server.test:80"; }

  Http1Protocol Make(size_t depth = 8) {
    return Http1Protocol(request_, depth, /*verify=*/true, expected_);
  }
  std::string Fill(Http1Protocol& protocol, size_t n) {
    const std::span<const std::byte> bytes = protocol.Fill(n, source_);
    return std::string(reinterpret_cast<const char*>(bytes.data()),
                       bytes.size());
  }
  absl::Status Take(Http1Protocol& protocol, std::string_view bytes) {
    return protocol.Take(std::as_bytes(std::span(bytes)), source_);
  }

  // Sends `n` requests, takes `bytes` in pieces of every size, and expects
  // that all are answered.
  void ExpectAnswered(size_t n, std::string_view bytes) {
    for (size_t piece = 1; piece <= bytes.size(); ++piece) {
      Http1Protocol protocol(request_, n, /*verify=*/true, expected_);
      protocol.Begin();
      Fill(protocol, n);
      RecordingSource source;
      for (size_t at = 0; at < bytes.size(); at += piece) {
        const std::string_view part = bytes.substr(at, piece);
        const absl::Status taken =
            protocol.Take(std::as_bytes(std::span(part)), source);
        ASSERT_TRUE(taken.ok()) << taken << " in pieces of " << piece;
      }
      ASSERT_EQ(source.answered, n) << "in pieces of " << piece;
      ASSERT_TRUE(source.failed.empty()) << source.failed[0].second;
      ASSERT_EQ(protocol.in_flight(), 0u);
      ASSERT_FALSE(protocol.wants_new_connection());
    }
  }

  HttpRequest request_;
  ExpectedResponse expected_;
  RecordingSource source_;
};

TEST_F(Http1ProtocolTest, WritesTheRequest) {
  request_.target = "/a?b=c";
  request_.headers.Add("X-Test", "1");
  Http1Protocol protocol = Make();
  protocol.Begin();
  const std::string one =
      "GET /a?b=c HTTP/1.1\r\nHost: server.test:80\r\nX-Test: 1\r\n\r\n";
  EXPECT_EQ(Fill(protocol, 1), one);
  EXPECT_EQ(Fill(protocol, 2), one + one);
  EXPECT_EQ(protocol.in_flight(), 3u);
  EXPECT_EQ(protocol.room(), 5u);
  EXPECT_EQ(protocol.request_bytes(), one.size());
}

TEST_F(Http1ProtocolTest, WritesABodyAndThatItIsTheLastRequest) {
  request_.method = http::Method::kPost;
  request_.body_bytes = 100;
  request_.close = true;
  Http1Protocol protocol = Make();
  protocol.Begin();
  const std::string text = Fill(protocol, 1);
  EXPECT_NE(text.find("Content-Length: 100\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("Connection: close\r\n"), std::string::npos) << text;
  EXPECT_EQ(text.size() - text.find("\r\n\r\n") - 4, 100u);
}

TEST_F(Http1ProtocolTest, TakesResponsesHoweverTheyAreCut) {
  ExpectAnswered(
      3, Response("hello") + Response("hello", "X: y\r\n") + Response("hello"));
}

TEST_F(Http1ProtocolTest, TakesEveryKindOfFraming) {
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: 1\r\n\r\n";
  ExpectAnswered(3, Response("hello") + chunked + chunked);
}

TEST_F(Http1ProtocolTest, TakesResponsesWithoutABody) {
  const std::string empty = "HTTP/1.1 204 No Content\r\n\r\n";
  ExpectAnswered(3, empty + empty + Response(""));
}

TEST_F(Http1ProtocolTest, TakesNoBodyOfAResponseToHead) {
  request_.method = http::Method::kHead;
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  ExpectAnswered(2, head + head);
}

TEST_F(Http1ProtocolTest, InformationalResponsesAreNoReplies) {
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  ExpectAnswered(2, hints + hints + Response("a") + hints + Response("a"));
}

TEST_F(Http1ProtocolTest, AStatusThatIsNoSuccessFailsItsRequestAlone) {
  Http1Protocol protocol = Make();
  protocol.Begin();
  Fill(protocol, 3);
  EXPECT_TRUE(Take(protocol, absl::StrCat(Response("ok"),
                                          "HTTP/1.1 503 No\r\nContent-Length: "
                                          "2\r\n\r\nno",
                                          Response("ok")))
                  .ok());
  EXPECT_EQ(source_.answered, 2u);
  ASSERT_EQ(source_.failed.size(), 1u);
  EXPECT_EQ(source_.failed[0].first, 1u);
  EXPECT_EQ(ErrorKindOf(source_.failed[0].second), ErrorKind::kBadStatus);
  EXPECT_EQ(source_.failed[0].second.message(), "the status is 503");
}

TEST_F(Http1ProtocolTest, ABodyOfAnotherLengthFailsItsRequest) {
  Http1Protocol first = Make();
  first.Begin();
  Fill(first, 1);
  EXPECT_TRUE(Take(first, Response("hello")).ok());
  Http1Protocol second = Make();  // they share what is expected
  second.Begin();
  Fill(second, 2);
  EXPECT_TRUE(Take(second, Response("hell") + Response("HELLO")).ok());
  EXPECT_EQ(source_.answered, 2u);
  ASSERT_EQ(source_.failed.size(), 1u);
  EXPECT_EQ(source_.failed[0].second,
            absl::DataLossError("a body of 4 bytes, the first one had 5"));
}

TEST_F(Http1ProtocolTest, ABodyThatDiffersFailsItsRequestIfBodiesAreCompared) {
  request_.compare_bodies = true;
  ExpectAnswered(2, Response("hello") + Response("hello"));
  Http1Protocol protocol = Make();
  protocol.Begin();
  Fill(protocol, 2);
  EXPECT_TRUE(Take(protocol, Response("hello") + Response("hellO")).ok());
  ASSERT_EQ(source_.failed.size(), 1u);
  EXPECT_EQ(source_.failed[0].first, 1u);
  EXPECT_EQ(ErrorKindOf(source_.failed[0].second), ErrorKind::kWrongReply);
}

TEST_F(Http1ProtocolTest, WithoutVerifyingEveryResponseIsAReply) {
  Http1Protocol protocol(request_, 2, /*verify=*/false, expected_);
  protocol.Begin();
  Fill(protocol, 2);
  EXPECT_TRUE(Take(protocol, absl::StrCat(Response("a"),
                                          "HTTP/1.1 500 No\r\nContent-Length: "
                                          "0\r\n\r\n"))
                  .ok());
  EXPECT_EQ(source_.answered, 2u);
}

TEST_F(Http1ProtocolTest, AfterConnectionCloseItWantsANewConnection) {
  Http1Protocol protocol = Make();
  protocol.Begin();
  Fill(protocol, 1);
  EXPECT_TRUE(Take(protocol, Response("a", "Connection: close\r\n")).ok());
  EXPECT_EQ(source_.answered, 1u);
  EXPECT_TRUE(protocol.wants_new_connection());
  EXPECT_EQ(protocol.room(), 0u);
  protocol.Begin();
  EXPECT_FALSE(protocol.wants_new_connection());
  Fill(protocol, 1);
  EXPECT_TRUE(Take(protocol, Response("a")).ok());
  EXPECT_EQ(source_.answered, 2u);
}

TEST_F(Http1ProtocolTest, RequestsBehindConnectionCloseAreAnError) {
  Http1Protocol protocol = Make();
  protocol.Begin();
  Fill(protocol, 3);
  EXPECT_EQ(Take(protocol, Response("a", "Connection: close\r\n")),
            absl::OutOfRangeError("the server closed the connection, and 2 "
                                  "requests have no response"));
  EXPECT_EQ(source_.answered, 1u);
}

TEST_F(Http1ProtocolTest, ABodyMayEndWithTheConnection) {
  Http1Protocol protocol = Make();
  protocol.Begin();
  Fill(protocol, 1);
  EXPECT_TRUE(Take(protocol, "HTTP/1.0 200 OK\r\n\r\nall un").ok());
  EXPECT_TRUE(Take(protocol, "til the end").ok());
  EXPECT_EQ(source_.answered, 0u);
  EXPECT_TRUE(protocol.TakeEnd(source_).ok());
  EXPECT_EQ(source_.answered, 1u);
  EXPECT_EQ(expected_.body_bytes(), 17u);
  EXPECT_TRUE(protocol.wants_new_connection());
}

TEST_F(Http1ProtocolTest, AnIdleConnectionMayBeClosedButNotAnUnusedOne) {
  Http1Protocol protocol = Make();
  protocol.Begin();
  EXPECT_TRUE(absl::IsOutOfRange(protocol.TakeEnd(source_)));
  protocol.Begin();
  Fill(protocol, 1);
  EXPECT_TRUE(Take(protocol, Response("a")).ok());
  EXPECT_TRUE(protocol.TakeEnd(source_).ok());
  EXPECT_TRUE(protocol.wants_new_connection());
}

TEST_F(Http1ProtocolTest, AnEndWithinAResponseIsAnError) {
  const std::string response = Response("hello");
  for (size_t n = 0; n < response.size(); ++n) {
    Http1Protocol protocol = Make();
    protocol.Begin();
    Fill(protocol, 1);
    EXPECT_TRUE(Take(protocol, response.substr(0, n)).ok());
    EXPECT_TRUE(absl::IsOutOfRange(protocol.TakeEnd(source_))) << n;
  }
  EXPECT_EQ(source_.answered, 0u);
}

TEST_F(Http1ProtocolTest, WhatIsNoResponseIsAnError) {
  for (const std::string_view bytes :
       {"HTTP/9.9 x\r\n\r\n", "hello\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
    Http1Protocol protocol = Make();
    protocol.Begin();
    Fill(protocol, 1);
    EXPECT_FALSE(Take(protocol, bytes).ok()) << bytes;
  }
  EXPECT_EQ(source_.answered, 0u);
}

TEST_F(Http1ProtocolTest, BytesThatNobodyAskedForAreAnError) {
  Http1Protocol protocol = Make();
  protocol.Begin();
  Fill(protocol, 1);
  EXPECT_EQ(Take(protocol, Response("a") + "more"),
            absl::DataLossError("the server sent 4 bytes too many"));
  EXPECT_EQ(source_.answered, 1u);
}

TEST_F(Http1ProtocolTest, InformationalResponsesHaveALimit) {
  Http1Protocol protocol = Make();
  protocol.Begin();
  Fill(protocol, 1);
  absl::Status taken;
  for (int i = 0; i < 100 && taken.ok(); ++i)
    taken = Take(protocol, "HTTP/1.1 103 Early Hints\r\n\r\n");
  EXPECT_EQ(taken, absl::DataLossError("too many informational responses"));
}

}  // namespace
}  // namespace ringway::loadgen
