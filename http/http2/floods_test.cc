// SPDX-License-Identifier: Apache-2.0
//
// Clients that want to cost the server more than themselves.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "nghttp2/nghttp2.h"
#include "ringway/http/http2/server_session.h"
#include "ringway/http/http2/testing/frames.h"
#include "ringway/http/http2/testing/session_for_test.h"

namespace ringway::http {
namespace {

using testing::Big;
using testing::Block;
using testing::Bytes;
using testing::Frame;
using testing::GetFields;
using testing::kContinuation;
using testing::kData;
using testing::kEndHeaders;
using testing::kEndStream;
using testing::kHeaders;
using testing::kPadded;
using testing::kPing;
using testing::kPriority;
using testing::kRstStream;
using testing::kSettings;
using testing::kWindowUpdate;
using testing::SessionForTest;
using testing::StreamForTest;

constexpr uint32_t kCalm = NGHTTP2_ENHANCE_YOUR_CALM;
constexpr int kMany = 10'000;

Frame Get(uint32_t id) {
  return {kHeaders, kEndHeaders | kEndStream, id, Block(GetFields())};
}
Frame Post(uint32_t id) {
  return {kHeaders, kEndHeaders, id, Block(GetFields())};
}

// A server whose handlers never answer.
class Floods : public ::testing::Test {
 protected:
  Floods() {
    server_.on_request = [](StreamForTest&) {};
    server_.Begin();
    server_.Send();
  }

  // The same frame until the session has ended, at most kMany times; how often
  // that was. What the session sends is taken each time.
  int Repeat(const Frame& frame) {
    const std::string bytes = Bytes(frame);
    for (int i = 0; i < kMany; ++i) {
      if (server_.session.done()) return i;
      server_.Receive(bytes);
      server_.Send();
    }
    return kMany;
  }
  void ExpectEnd() {
    EXPECT_EQ(server_.GoawayCode(), kCalm);
    EXPECT_TRUE(server_.session.done());
    EXPECT_FALSE(server_.session.status().ok());
  }

  SessionForTest server_;
};

// CVE-2023-44487.
TEST_F(Floods, RapidReset) {
  uint32_t n = 0;
  while (n < kMany && !server_.session.done()) {
    server_.Receive(Get(2 * n + 1));
    server_.Receive(Frame{kRstStream, 0, 2 * n + 1, Big(8, 4)});
    server_.Send();
    ++n;
  }
  EXPECT_EQ(n, Http2Limits().max_resets_per_second + 1);
  ExpectEnd();
}

// All in one piece, so that the session sees them before it can send.
TEST_F(Floods, RapidResetInOnePiece) {
  std::string bytes;
  for (uint32_t n = 0; n < kMany; ++n) {
    bytes += Bytes(Get(2 * n + 1));
    bytes += Bytes({kRstStream, 0, 2 * n + 1, Big(8, 4)});
  }
  server_.Receive(bytes);
  ExpectEnd();
  EXPECT_LT(server_.n_requests, 3000u);
}

TEST_F(Floods, ResetsWithinTheRateAreServed) {
  for (uint32_t n = 0; n < 2000; ++n) {
    server_.Receive(Get(2 * n + 1));
    server_.Receive(Frame{kRstStream, 0, 2 * n + 1, Big(8, 4)});
    server_.Send();
    server_.now = server_.now + absl::Milliseconds(6);
  }
  EXPECT_EQ(server_.GoawayCode(), SessionForTest::kNone);
}

// CVE-2025-8671: the client makes the server reset.
TEST_F(Floods, ResetsThatTheClientCauses) {
  uint32_t n = 0;
  while (n < kMany && !server_.session.done()) {
    server_.Receive(Post(2 * n + 1));
    server_.Receive(Frame{kWindowUpdate, 0, 2 * n + 1, Big(0x7fffffff, 4)});
    server_.Send();
    ++n;
  }
  EXPECT_LE(n, Http2Limits().max_resets_per_second + 2);
  ExpectEnd();
}

TEST_F(Floods, RequestsThatAreMalformed) {
  uint32_t n = 0;
  while (n < kMany && !server_.session.done()) {
    server_.Receive(
        Frame{kHeaders, kEndHeaders, 2 * n + 1, Block({{"A", "b"}})});
    server_.Send();
    ++n;
  }
  EXPECT_LE(n, Http2Limits().max_resets_per_second + 2);
  ExpectEnd();
}

TEST_F(Floods, StreamsBeyondTheLimit) {
  std::string bytes;
  for (uint32_t n = 0; n < 3 * kMany; ++n) bytes += Bytes(Get(2 * n + 1));
  server_.Receive(bytes);  // and reads nothing of what comes back
  ExpectEnd();
  EXPECT_EQ(server_.n_requests, 100u);
}

// CVE-2024-28182 and others.
TEST_F(Floods, Continuations) {
  server_.Receive(Frame{kHeaders, kEndStream, 1, Block(GetFields())});
  const int n = Repeat({kContinuation, 0, 1, Block({{"a", "b"}})});
  EXPECT_LT(n, 10);
  ExpectEnd();
  EXPECT_EQ(server_.n_requests, 0u);
}

TEST_F(Floods, EmptyContinuations) {
  server_.Receive(Frame{kHeaders, kEndStream, 1, Block(GetFields())});
  EXPECT_LT(Repeat({kContinuation, 0, 1, ""}), 10);
  ExpectEnd();
}

TEST_F(Floods, Settings) {
  EXPECT_LE(Repeat({kSettings, 0, 0, ""}), 1001);
  ExpectEnd();
}

TEST_F(Floods, LongSettings) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += testing::Setting(3, 1);
  EXPECT_LE(Repeat({kSettings, 0, 0, many}), 1001);
  ExpectEnd();
}

TEST_F(Floods, Pings) {
  EXPECT_LE(Repeat({kPing, 0, 0, "12345678"}), 1001);
  ExpectEnd();
}

TEST_F(Floods, PingsInOnePiece) {
  std::string bytes;
  for (int i = 0; i < kMany; ++i) bytes += Bytes({kPing, 0, 0, "12345678"});
  server_.Receive(bytes);
  ExpectEnd();
}

TEST_F(Floods, Priorities) {
  EXPECT_LE(Repeat({kPriority, 0, 1, Big(0, 5)}), 1001);
  ExpectEnd();
}

TEST_F(Floods, WindowUpdates) {
  EXPECT_LE(Repeat({kWindowUpdate, 0, 0, Big(1, 4)}), 1110);
  ExpectEnd();
}

TEST_F(Floods, EmptyData) {
  server_.Receive(Post(1));
  EXPECT_LE(Repeat({kData, 0, 1, ""}), 1001);
  ExpectEnd();
}

TEST_F(Floods, DataOfPaddingOnly) {
  server_.Receive(Post(1));
  EXPECT_LE(Repeat({kData, kPadded, 1, std::string(1, '\x05') + "00000"}),
            1001);
  ExpectEnd();
}

TEST_F(Floods, FramesWithinTheRateAreServed) {
  for (int i = 0; i < 5000; ++i) {
    server_.Receive(Frame{kPing, 0, 0, "12345678"});
    server_.Send();
    server_.now = server_.now + absl::Milliseconds(2);
  }
  EXPECT_EQ(server_.GoawayCode(), SessionForTest::kNone);
}

// One byte of a block can stand for 4 KiB of a field (RFC 7541): what is beyond
// the limit is not kept.
TEST_F(Floods, FieldsThatGrow) {
  std::string block = Block(GetFields());
  block += '\x40';  // into the table, as entry 62
  block += Block({{"x", std::string(3900, 'y')}}).substr(1);
  block.append(8000, '\xbe');
  server_.Receive(Frame{kHeaders, kEndHeaders | kEndStream, 1, block});
  ASSERT_EQ(server_.n_requests, 1u);
  EXPECT_EQ(server_.stream(1).error().status_code, 431);
  EXPECT_LT(server_.stream(1).head().headers.memory_bytes(), 100'000u);
}

TEST_F(Floods, TrailersThatGrow) {
  server_.Receive(Post(1));
  std::string block;
  block += '\x40';
  block += Block({{"x", std::string(3900, 'y')}}).substr(1);
  block.append(8000, '\xbe');
  server_.Receive(Frame{kHeaders, kEndHeaders | kEndStream, 1, block});
  EXPECT_EQ(server_.stream(1).error().status_code, 431);
  EXPECT_LT(server_.stream(1).trailers().memory_bytes(), 100'000u);
}

}  // namespace
}  // namespace ringway::http
