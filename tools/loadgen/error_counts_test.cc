// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/error_counts.h"

#include <cerrno>
#include <set>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"

namespace ringway::loadgen {
namespace {

TEST(ErrorCounts, TellsKindsApart) {
  struct Case {
    absl::Status error;
    ErrorKind kind;
  };
  const std::vector<Case> cases = {
      {ErrnoToStatus(ECONNREFUSED, "connect"), ErrorKind::kRefused},
      {ErrnoToStatus(ENOENT, "connect"), ErrorKind::kRefused},
      {ErrnoToStatus(EAGAIN, "connect"), ErrorKind::kRefused},
      {ErrnoToStatus(ECONNRESET, "recv"), ErrorKind::kReset},
      {ErrnoToStatus(EPIPE, "send"), ErrorKind::kReset},
      {ErrnoToStatus(ETIMEDOUT, "connect"), ErrorKind::kTimedOut},
      {ErrnoToStatus(ETIME, "recv"), ErrorKind::kTimedOut},
      {absl::DeadlineExceededError("no reply within 5s"), ErrorKind::kTimedOut},
      {absl::OutOfRangeError("the server hung up"), ErrorKind::kClosedEarly},
      {absl::DataLossError("byte 3"), ErrorKind::kWrongReply},
      {ErrnoToStatus(EADDRNOTAVAIL, "connect"), ErrorKind::kLocalLimit},
      {ErrnoToStatus(EMFILE, "socket"), ErrorKind::kLocalLimit},
      {absl::ResourceExhaustedError("max_tasks"), ErrorKind::kLocalLimit},
      {ErrnoToStatus(ENETUNREACH, "connect"), ErrorKind::kOther},
      {absl::InternalError("?"), ErrorKind::kOther},
  };
  for (const Case &c : cases)
    EXPECT_EQ(ErrorKindOf(c.error), c.kind) << c.error;
}

TEST(ErrorCounts, KeepsTheFirstOfEachKind) {
  ErrorCounts errors;
  EXPECT_EQ(errors.total(), 0u);
  EXPECT_EQ(errors.first(), "");
  errors.Record(1, ErrnoToStatus(ECONNRESET, "recv"));
  errors.Record(2, absl::OutOfRangeError("the server hung up"));
  errors.Record(3, absl::OutOfRangeError("again"));
  EXPECT_EQ(errors.total(), 3u);
  EXPECT_EQ(errors.first(), "connection 1: recv: Connection reset by peer");
  EXPECT_EQ(errors.count(ErrorKind::kReset), 1u);
  EXPECT_EQ(errors.count(ErrorKind::kClosedEarly), 2u);
  EXPECT_EQ(errors.first(ErrorKind::kClosedEarly),
            "connection 2: the server hung up");
  EXPECT_EQ(errors.count(ErrorKind::kRefused), 0u);
  EXPECT_EQ(errors.first(ErrorKind::kRefused), "");
}

TEST(ErrorCounts, NamesEachKindDifferently) {
  std::set<std::string_view> names;
  for (const ErrorKind kind : kErrorKinds) names.insert(ErrorKindName(kind));
  EXPECT_EQ(names.size(), kErrorKinds.size());
}

TEST(ErrorCountsTest, AStatusOfHttpIsAKindOfItsOwn) {
  EXPECT_EQ(ErrorKindOf(BadStatusError(503)), ErrorKind::kBadStatus);
  EXPECT_EQ(BadStatusError(503).message(), "the status is 503");
  EXPECT_EQ(ErrorKindOf(absl::UnknownError("")), ErrorKind::kOther);
}

TEST(ErrorCountsTest, MergingKeepsTheFirstOnes) {
  ErrorCounts counts;
  counts.Record(1, absl::DataLossError("a"));
  ErrorCounts other;
  other.Record(2, absl::OutOfRangeError("b"));
  other.Record(3, absl::DataLossError("c"));
  counts.Merge(other);
  EXPECT_EQ(counts.total(), 3u);
  EXPECT_EQ(counts.count(ErrorKind::kWrongReply), 2u);
  EXPECT_EQ(counts.first(ErrorKind::kWrongReply), "connection 1: a");
  EXPECT_EQ(counts.first(ErrorKind::kClosedEarly), "connection 2: b");
  EXPECT_EQ(counts.first(), "connection 1: a");
  ErrorCounts none;
  none.Merge(counts);
  EXPECT_EQ(none.first(), "connection 1: a");
  EXPECT_EQ(none.total(), 3u);
}

}  // namespace
}  // namespace ringway::loadgen
