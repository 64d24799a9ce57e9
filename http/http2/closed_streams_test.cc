// SPDX-License-Identifier: Apache-2.0
//
// Frames on streams that are closed: what a client may have sent before it knew
// is ignored; what it must not send ends the connection.

#include "ringway/http/http2/closed_streams.h"

#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "nghttp2/nghttp2.h"
#include "ringway/http/http2/http2_limits.h"
#include "ringway/http/http2/testing/frames.h"
#include "ringway/http/http2/testing/session_for_test.h"

namespace ringway::http {
namespace {

using internal::ClosedStreams;
using testing::Big;
using testing::Block;
using testing::Bytes;
using testing::Frame;
using testing::GetFields;
using testing::kData;
using testing::kEndHeaders;
using testing::kEndStream;
using testing::kHeaders;
using testing::kPadded;
using testing::kPriority;
using testing::kRstStream;
using testing::kWindowUpdate;
using testing::kWithPriority;
using testing::SessionForTest;
using testing::StreamForTest;

constexpr uint32_t kNone = SessionForTest::kNone;
constexpr uint32_t kProtocol = NGHTTP2_PROTOCOL_ERROR;
constexpr uint32_t kClosed = NGHTTP2_STREAM_CLOSED;

Frame Get(uint32_t id) {
  return {kHeaders, kEndHeaders | kEndStream, id, Block(GetFields())};
}
Frame Post(uint32_t id) {
  return {kHeaders, kEndHeaders, id, Block(GetFields())};
}
Frame Data(uint32_t id) { return {kData, 0, id, "x"}; }
Frame Trailers(uint32_t id) {
  return {kHeaders, kEndHeaders | kEndStream, id, Block({{"x", "y"}})};
}

// A server that answers requests at once, and wants no more of them then.
class ClosedStreamsTest : public ::testing::Test {
 protected:
  ClosedStreamsTest() {
    server_.on_request = [this](StreamForTest& stream) {
      server_.Answer(stream);
    };
    server_.on_sent = [this](StreamForTest& stream) {
      if (stream.response_sent() && !stream.body_ended())
        server_.session.Reset(stream, NGHTTP2_NO_ERROR);
    };
    server_.Begin();
    server_.Send();
  }

  void Receive(const Frame& frame) {
    server_.Receive(frame);
    server_.Send();
  }
  void ExpectToBeServed(uint32_t id) {
    EXPECT_EQ(server_.GoawayCode(), kNone);
    Receive(Get(id));
    EXPECT_TRUE(server_.stream(static_cast<int32_t>(id)).response_sent());
  }

  SessionForTest server_;
};

TEST_F(ClosedStreamsTest, DataAfterTheClientHasEndedIt) {
  Receive(Get(1));
  EXPECT_TRUE(server_.stream(1).closed());
  Receive(Data(1));
  EXPECT_EQ(server_.GoawayCode(), kClosed);
  EXPECT_TRUE(server_.session.done());
}

TEST_F(ClosedStreamsTest, AHeadAfterTheClientHasEndedIt) {
  Receive(Get(1));
  Receive(Get(1));
  EXPECT_EQ(server_.GoawayCode(), kClosed);
  EXPECT_EQ(server_.n_requests, 1u);
}

// The head of HEADERS with priorities is complete later.
TEST_F(ClosedStreamsTest, AHeadWithPrioritiesAfterTheClientHasEndedIt) {
  Receive(Get(1));
  Receive({kHeaders, kEndHeaders | kEndStream | kWithPriority, 1,
           Big(0, 4) + "\x10" + Block(GetFields())});
  EXPECT_EQ(server_.GoawayCode(), kClosed);
}

TEST_F(ClosedStreamsTest, DataAfterTheClientHasResetIt) {
  server_.on_request = [](StreamForTest&) {};
  Receive(Post(1));
  Receive({kRstStream, 0, 1, Big(8, 4)});
  Receive(Data(1));
  EXPECT_EQ(server_.GoawayCode(), kClosed);
}

TEST_F(ClosedStreamsTest, AHeadAfterTheClientHasResetIt) {
  server_.on_request = [](StreamForTest&) {};
  Receive(Post(1));
  Receive({kRstStream, 0, 1, Big(8, 4)});
  Receive(Trailers(1));
  EXPECT_EQ(server_.GoawayCode(), kClosed);
}

// All in one piece: the frame is looked at when those before it are known.
TEST_F(ClosedStreamsTest, DataRightBehindTheReset) {
  server_.on_request = [](StreamForTest&) {};
  server_.Receive(Bytes(Post(1)) + Bytes({kRstStream, 0, 1, Big(8, 4)}) +
                  Bytes(Data(1)));
  EXPECT_EQ(server_.GoawayCode(), kClosed);
}

// The server's reset does not excuse what follows the client's.
TEST_F(ClosedStreamsTest, DataAfterBothHaveResetIt) {
  Receive(Post(1));
  EXPECT_EQ(server_.ResetCode(1), NGHTTP2_NO_ERROR);
  Receive({kRstStream, 0, 1, Big(8, 4)});
  EXPECT_EQ(server_.GoawayCode(), kNone);
  Receive(Data(1));
  EXPECT_EQ(server_.GoawayCode(), kClosed);
}

TEST_F(ClosedStreamsTest, WhatWasSentBeforeTheClientKnewOfAResetIsIgnored) {
  Receive(Post(1));
  EXPECT_EQ(server_.ResetCode(1), NGHTTP2_NO_ERROR);
  Receive(Data(1));
  Receive({kData, kPadded, 1, std::string("\x01xy", 3)});
  Receive(Trailers(1));
  EXPECT_EQ(server_.n_requests, 1u);
  ExpectToBeServed(3);
}

TEST_F(ClosedStreamsTest, WhatIsAllowedOnAClosedStream) {
  Receive(Get(1));
  Receive({kWindowUpdate, 0, 1, Big(1, 4)});
  Receive({kPriority, 0, 1, Big(0, 4) + "\x10"});
  Receive({kRstStream, 0, 1, Big(0, 4)});
  ExpectToBeServed(3);
}

// nghttp2 does not look into frames of streams that it has forgotten.
TEST_F(ClosedStreamsTest, PaddingBeyondDataOnAStreamThatWasReset) {
  Receive(Post(1));
  Receive({kData, kPadded, 1,
           "\x05"
           "abc"});
  EXPECT_EQ(server_.GoawayCode(), kProtocol);
}

TEST_F(ClosedStreamsTest, AWindowUpdateOfZeroOnAClosedStream) {
  Receive(Get(1));
  Receive({kWindowUpdate, 0, 1, Big(0, 4)});
  EXPECT_EQ(server_.GoawayCode(), kProtocol);
}

// RFC 9113, section 5.1.1: the first use of a stream closes all idle ones
// below.
TEST_F(ClosedStreamsTest, AHeadOnAStreamThatWasSkipped) {
  for (const uint32_t skipped : {1u, 3u, 7u, 9u}) {
    SessionForTest server;
    server.Begin();
    server.Receive(Get(5));
    server.Receive(Get(11));
    server.Send();
    server.Receive(Get(skipped));
    EXPECT_EQ(server.GoawayCode(), kProtocol) << skipped;
    EXPECT_EQ(server.n_requests, 2u);
  }
}

TEST_F(ClosedStreamsTest, ClientsMaySkipStreams) {
  Receive(Get(13));
  ExpectToBeServed(101);
}

TEST_F(ClosedStreamsTest, StreamsBeyondTheLimitWereNotSkipped) {
  Http2Limits limits;
  limits.max_streams = 1;
  SessionForTest server(limits);
  server.on_request = [](StreamForTest&) {};
  server.Begin();
  server.Send();
  for (const uint32_t id : {1u, 3u, 5u}) server.Receive(Post(id));
  EXPECT_EQ(server.ResetCode(3), NGHTTP2_REFUSED_STREAM);
  // Sent before the client knew.
  for (const uint32_t id : {3u, 5u}) server.Receive(Trailers(id));
  EXPECT_EQ(server.GoawayCode(), kNone);
}

TEST_F(ClosedStreamsTest, OnlyTheLatestAreRemembered) {
  uint32_t id = 1;
  for (; id < 2 * ClosedStreams::kRemembered + 4; id += 2) Receive(Get(id));
  Receive(Data(1));
  EXPECT_EQ(server_.GoawayCode(), kNone);
  Receive(Data(id - 2 * ClosedStreams::kRemembered));
  EXPECT_EQ(server_.GoawayCode(), kClosed);
}

TEST(ClosedStreams, EndsOnce) {
  ClosedStreams streams;
  for (uint32_t id = 1; id < 100; id += 2) streams.Open(id);
  streams.End(1);
  for (int i = 0; i < 1000; ++i) streams.End(3);
  EXPECT_EQ(streams.ErrorOf(1), kClosed);
  EXPECT_EQ(streams.ErrorOf(3), kClosed);
  EXPECT_EQ(streams.ErrorOf(5), uint32_t{NGHTTP2_NO_ERROR});
}

TEST(ClosedStreams, StreamsInARowSkipNone) {
  ClosedStreams streams;
  for (const uint32_t id : {1u, 3u, 5u, 3u}) streams.Open(id);
  for (uint32_t id = 0; id < 10; ++id)
    EXPECT_EQ(streams.ErrorOf(id), uint32_t{NGHTTP2_NO_ERROR}) << id;
}

}  // namespace
}  // namespace ringway::http
