// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/echo_protocol.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/tools/loadgen/payload.h"
#include "ringway/tools/loadgen/testing/recording_source.h"

namespace ringway::loadgen {
namespace {

using testing::RecordingSource;

constexpr uint32_t kConnection = 7;
constexpr size_t kSize = 24;

// The replies to the first `n` requests.
std::vector<std::byte> Replies(size_t n) {
  std::vector<std::byte> bytes(n * kSize);
  for (size_t i = 0; i < n; ++i) {
    FillRequest(kConnection, i, std::span(bytes).subspan(i * kSize, kSize));
  }
  return bytes;
}

// A connection on which requests are in flight: the first `n_before` were
// written together, then the others.
class EchoProtocolTest : public ::testing::Test {
 protected:
  void Send(size_t n_before, size_t n_after) {
    protocol_.Begin();
    static_cast<void>(protocol_.Fill(n_before, source_));
    static_cast<void>(protocol_.Fill(n_after, source_));
  }
  absl::Status Take(std::span<const std::byte> bytes) {
    return protocol_.Take(bytes, source_);
  }

  EchoProtocol protocol_{kConnection, kSize, /*verify=*/true};
  RecordingSource source_;
};

TEST_F(EchoProtocolTest, WritesRequestsThatDiffer) {
  protocol_.Begin();
  std::span<const std::byte> bytes = protocol_.Fill(3, source_);
  const std::vector<std::byte> all = Replies(5);
  EXPECT_TRUE(std::ranges::equal(bytes, std::span(all).first(3 * kSize)));
  bytes = protocol_.Fill(2, source_);
  EXPECT_TRUE(std::ranges::equal(bytes, std::span(all).subspan(3 * kSize)));
  EXPECT_EQ(protocol_.in_flight(), 5u);
  EXPECT_TRUE(protocol_.Fill(0, source_).empty());
}

// Replies to the last write are compared with it, earlier ones with payloads
// made anew; a reply may begin in one and end in the other.
TEST_F(EchoProtocolTest, CountsRepliesHoweverTheyAreCut) {
  constexpr size_t kReplies = 20;
  const std::vector<std::byte> bytes = Replies(kReplies);
  for (size_t n_before : {0, 1, 13, 20}) {
    for (size_t piece = 1; piece <= bytes.size(); ++piece) {
      EchoProtocol protocol(kConnection, kSize, /*verify=*/true);
      RecordingSource source;
      static_cast<void>(protocol.Fill(n_before, source));
      static_cast<void>(protocol.Fill(kReplies - n_before, source));
      for (size_t at = 0; at < bytes.size(); at += piece) {
        const absl::Status taken = protocol.Take(
            std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)),
            source);
        ASSERT_TRUE(taken.ok()) << taken;
        EXPECT_EQ(source.answered, std::min(at + piece, bytes.size()) / kSize);
      }
      EXPECT_EQ(protocol.in_flight(), 0u);
    }
  }
}

TEST_F(EchoProtocolTest, AWriteBetweenTheHalvesOfAReplyChangesNothing) {
  protocol_.Begin();
  static_cast<void>(protocol_.Fill(1, source_));
  const std::vector<std::byte> bytes = Replies(2);
  ASSERT_TRUE(Take(std::span(bytes).first(5)).ok());
  static_cast<void>(protocol_.Fill(1, source_));
  EXPECT_TRUE(Take(std::span(bytes).subspan(5)).ok());
  EXPECT_EQ(source_.answered, 2u);
}

TEST_F(EchoProtocolTest, NamesTheByteThatDiffers) {
  for (size_t n_before : {0, 3}) {
    EchoProtocol protocol(kConnection, kSize, /*verify=*/true);
    RecordingSource source;
    static_cast<void>(protocol.Fill(n_before, source));
    static_cast<void>(protocol.Fill(4 - n_before, source));
    std::vector<std::byte> bytes = Replies(3);
    bytes[2 * kSize + 5] ^= std::byte{1};
    const absl::Status status = protocol.Take(bytes, source);
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_TRUE(
        status.message().starts_with("byte 5 of the reply to request 2 is 0x"))
        << status;
    EXPECT_EQ(source.answered, 2u);  // those before it
  }
}

TEST_F(EchoProtocolTest, FindsRepliesThatWereSwapped) {
  Send(0, 2);
  std::vector<std::byte> bytes = Replies(2);
  std::rotate(bytes.begin(), bytes.begin() + kSize, bytes.end());
  EXPECT_TRUE(absl::IsDataLoss(Take(bytes)));
}

TEST_F(EchoProtocolTest, FindsBytesBeyondTheLastReply) {
  Send(1, 1);
  const std::vector<std::byte> bytes = Replies(3);
  ASSERT_TRUE(Take(std::span(bytes).first(kSize + 4)).ok());
  const absl::Status status = Take(std::span(bytes).subspan(kSize + 4, kSize));
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(status.message(), "the server sent 4 bytes too many");
}

TEST_F(EchoProtocolTest, WithoutVerifyingOnlyCounts) {
  EchoProtocol protocol(kConnection, kSize, /*verify=*/false);
  static_cast<void>(protocol.Fill(3, source_));
  const std::vector<std::byte> bytes(3 * kSize);
  EXPECT_TRUE(protocol.Take(bytes, source_).ok());
  EXPECT_EQ(source_.answered, 3u);
  EXPECT_TRUE(absl::IsDataLoss(protocol.Take(bytes, source_)));
}

TEST_F(EchoProtocolTest, TellsHowMuchIsMissing) {
  Send(2, 3);
  const std::vector<std::byte> bytes = Replies(2);
  ASSERT_TRUE(Take(std::span(bytes).first(kSize + 1)).ok());
  EXPECT_EQ(protocol_.TakeEnd(source_),
            absl::OutOfRangeError(
                "the server hung up with 95 bytes of replies missing"));
}

TEST_F(EchoProtocolTest, AnotherConnectionGoesOnWithTheNextRequest) {
  Send(0, 3);
  const std::vector<std::byte> bytes = Replies(4);
  ASSERT_TRUE(Take(std::span(bytes).first(5)).ok());
  protocol_.Begin();
  EXPECT_EQ(protocol_.in_flight(), 0u);
  static_cast<void>(protocol_.Fill(1, source_));
  EXPECT_TRUE(Take(std::span(bytes).subspan(3 * kSize)).ok());
  EXPECT_EQ(source_.answered, 1u);
}

}  // namespace
}  // namespace ringway::loadgen
