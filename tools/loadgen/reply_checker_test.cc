// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/reply_checker.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/tools/loadgen/payload.h"

namespace ringway::loadgen {
namespace {

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

TEST(ReplyChecker, CountsRepliesHoweverTheyAreCut) {
  constexpr size_t kReplies = 20;
  const std::vector<std::byte> bytes = Replies(kReplies);
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    ReplyChecker checker(kConnection, kSize, /*verify=*/true);
    size_t complete = 0;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      const absl::StatusOr<size_t> n = checker.Take(
          std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)),
          kReplies);
      ASSERT_TRUE(n.ok()) << n.status();
      complete += *n;
      EXPECT_EQ(complete, std::min(at + piece, bytes.size()) / kSize);
    }
    EXPECT_EQ(checker.complete(), kReplies);
  }
}

TEST(ReplyChecker, NamesTheByteThatDiffers) {
  std::vector<std::byte> bytes = Replies(3);
  bytes[2 * kSize + 5] ^= std::byte{1};
  ReplyChecker checker(kConnection, kSize, /*verify=*/true);
  ASSERT_TRUE(checker.Take(std::span(bytes).first(2 * kSize + 3), 3).ok());
  const absl::Status status =
      checker.Take(std::span(bytes).subspan(2 * kSize + 3), 3).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(
      status.message().starts_with("byte 5 of the reply to request 2 is 0x"))
      << status;
}

TEST(ReplyChecker, FindsRepliesThatWereSwapped) {
  std::vector<std::byte> bytes = Replies(2);
  std::rotate(bytes.begin(), bytes.begin() + kSize, bytes.end());
  ReplyChecker checker(kConnection, kSize, /*verify=*/true);
  EXPECT_TRUE(absl::IsDataLoss(checker.Take(bytes, 2).status()));
}

TEST(ReplyChecker, FindsBytesBeyondTheLastReply) {
  const std::vector<std::byte> bytes = Replies(3);
  ReplyChecker checker(kConnection, kSize, /*verify=*/true);
  ASSERT_TRUE(checker.Take(std::span(bytes).first(kSize + 4), 2).ok());
  const absl::Status status =
      checker.Take(std::span(bytes).subspan(kSize + 4, kSize), 2).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(status.message(), "the server sent 4 bytes too many");
}

TEST(ReplyChecker, WithoutVerifyingOnlyCounts) {
  const std::vector<std::byte> bytes(3 * kSize);
  ReplyChecker checker(kConnection, kSize, /*verify=*/false);
  EXPECT_EQ(*checker.Take(bytes, 3), 3u);
  EXPECT_TRUE(absl::IsDataLoss(checker.Take(bytes, 3).status()));
}

TEST(ReplyChecker, TellsHowMuchIsMissing) {
  const std::vector<std::byte> bytes = Replies(2);
  ReplyChecker checker(kConnection, kSize, /*verify=*/true);
  ASSERT_TRUE(checker.Take(std::span(bytes).first(kSize + 1), 5).ok());
  EXPECT_EQ(checker.ClosedEarly(5),
            absl::OutOfRangeError(
                "the server hung up with 95 bytes of replies missing"));
}

TEST(ReplyChecker, GoesOnWithAnotherReply) {
  const std::vector<std::byte> bytes = Replies(4);
  ReplyChecker checker(kConnection, kSize, /*verify=*/true);
  ASSERT_TRUE(checker.Take(std::span(bytes).first(5), 1).ok());
  checker.SkipTo(3);
  const absl::StatusOr<size_t> n =
      checker.Take(std::span(bytes).subspan(3 * kSize), 4);
  ASSERT_TRUE(n.ok()) << n.status();
  EXPECT_EQ(*n, 1u);
  EXPECT_EQ(checker.complete(), 4u);
}

}  // namespace
}  // namespace ringway::loadgen
