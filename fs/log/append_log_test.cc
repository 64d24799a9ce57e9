// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/log/append_log.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/fs/log/testing/log_tasks.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::AppendAll;
using testing::FsTest;
using testing::OpenLog;
using testing::ReadRecords;
using testing::SmallSegments;
using testing::ValueOf;

using AppendLogTest = FsTest;

// --- Appending

TEST_P(AppendLogTest, RecordsAreThereWhenItIsOpenedAgain) {
  auto main = [&]() -> Task<void> {
    const std::vector<std::string> records = {
        "first", "", std::string(100'000, 'x'), std::string("\0\0", 2)};
    AppendLog log = co_await OpenLog(PathOf("log"));
    EXPECT_EQ(log.recovered().records, 0u);
    EXPECT_EQ(log.first_sequence(), log.durable_end());
    for (uint64_t i = 0; i < records.size(); ++i)
      EXPECT_EQ(ValueOf(co_await log.Append(records[i])), i + 1);
    EXPECT_EQ(ValueOf(co_await ReadRecords(log)), records);
    EXPECT_TRUE((co_await log.Close()).ok());
    AppendLog again = co_await OpenLog(PathOf("log"));
    EXPECT_EQ(again.recovered().records, 4u);
    EXPECT_EQ(again.recovered().bytes, 100'007u);
    EXPECT_EQ(again.recovered().dropped_bytes, 0u);
    EXPECT_EQ(again.recovered().why_dropped, "");
    EXPECT_EQ(ValueOf(co_await ReadRecords(again)), records);
    EXPECT_EQ(ValueOf(co_await again.Append("fifth")), 5u);
    const std::vector<std::string> fifth(1, "fifth");
    EXPECT_EQ(ValueOf(co_await ReadRecords(again, 5)), fifth);
  };
  Run(main());
}

TEST_P(AppendLogTest, ManyTasksShareASync) {
  constexpr size_t kWriters = 64;
  constexpr size_t kEach = 10;
  auto main = [&]() -> Task<void> {
    AppendLog log = co_await OpenLog(PathOf("log"));
    std::vector<JoinHandle<std::vector<uint64_t>>> writers;
    for (size_t i = 0; i < kWriters; ++i)
      writers.push_back(Spawn(AppendAll(log, i, kEach)));
    std::vector<uint64_t> all;
    for (JoinHandle<std::vector<uint64_t>>& writer : writers) {
      const std::vector<uint64_t> sequences = ValueOf(co_await writer);
      EXPECT_EQ(sequences.size(), kEach);
      EXPECT_TRUE(std::is_sorted(sequences.begin(), sequences.end()));
      all.insert(all.end(), sequences.begin(), sequences.end());
    }
    std::sort(all.begin(), all.end());
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], i + 1);
    const AppendLogStats stats = log.stats();
    EXPECT_EQ(stats.records, kWriters * kEach);
    EXPECT_LE(stats.groups, 2 * kEach + 2) << "they did not share";
    EXPECT_EQ(stats.waiting_bytes, 0u);
    EXPECT_EQ(ValueOf(co_await ReadRecords(log)).size(), kWriters * kEach);
  };
  Run(main());
}

TEST_P(AppendLogTest, ASegmentIsFollowedByAnother) {
  auto main = [&]() -> Task<void> {
    std::vector<std::string> records;
    for (int i = 0; i < 40; ++i)
      records.push_back(absl::StrCat(i, std::string(700, 'x')));
    AppendLog log = co_await OpenLog(PathOf("log"), SmallSegments());
    for (const std::string& record : records)
      EXPECT_TRUE((co_await log.Append(record)).ok());
    EXPECT_GT(log.stats().segments, 5u);
    EXPECT_EQ(ValueOf(co_await Stat(PathOf("log/00000000000000000003.log")))
                  .is_regular(),
              true);
    EXPECT_EQ(ValueOf(co_await ReadRecords(log)), records);
    EXPECT_TRUE((co_await log.Close()).ok());
    AppendLog again = co_await OpenLog(PathOf("log"), SmallSegments());
    EXPECT_EQ(again.recovered().segments, log.stats().segments);
    EXPECT_EQ(ValueOf(co_await ReadRecords(again)), records);
  };
  Run(main());
}

// --- Limits

TEST_P(AppendLogTest, LimitsAreNamed) {
  auto main = [&]() -> Task<void> {
    AppendLogOptions options;
    options.max_record_bytes = 100;
    options.max_waiting_bytes = 120;
    AppendLog log = co_await OpenLog(PathOf("log"), options);
    const absl::Status status =
        (co_await log.Append(std::string(101, 'x'))).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(
        status.message(), absl::StrCat("101 bytes for the log ", PathOf("log"),
                                       ", whose max_record_bytes is 100")))
        << status;
    EXPECT_EQ(ValueOf(co_await log.Append(std::string(100, 'x'))), 1u);
    options.max_waiting_bytes = 119;
    Task<absl::StatusOr<AppendLog>> open =
        AppendLog::Open(PathOf("log"), options);
    const absl::Status bad = (co_await std::move(open)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(bad)) << bad;
    EXPECT_TRUE(absl::StrContains(bad.message(),
                                  "max_waiting_bytes is 119, not 120 to"))
        << bad;
  };
  Run(main());
}

TEST_P(AppendLogTest, AppendWaitsWhileTooMuchWaits) {
  auto main = [&]() -> Task<void> {
    AppendLogOptions options;
    options.max_record_bytes = 1'000;
    options.max_waiting_bytes = 3'000;
    AppendLog log = co_await OpenLog(PathOf("log"), options);
    std::vector<JoinHandle<absl::StatusOr<uint64_t>>> appends;
    const std::string record(980, 'x');
    for (int i = 0; i < 20; ++i) appends.push_back(Spawn(log.Append(record)));
    size_t most = 0;
    for (size_t i = 0; i < appends.size(); ++i) {
      most = std::max(most, log.stats().waiting_bytes);
      EXPECT_EQ(ValueOf(co_await appends[i]), i + 1);
    }
    EXPECT_GT(most, 0u);
    EXPECT_LE(most, 3'000u);
  };
  Run(main());
}

// --- Reading

TEST_P(AppendLogTest, AReaderGoesOnWithWhatBecomesDurable) {
  auto main = [&]() -> Task<void> {
    AppendLog log = co_await OpenLog(PathOf("log"), SmallSegments());
    LogReader reader = log.Read();
    for (uint64_t i = 1; i <= 30; ++i) {
      EXPECT_FALSE(ValueOf(co_await reader.Next()).has_value());
      const std::string record = absl::StrCat(i, std::string(700, 'x'));
      EXPECT_TRUE((co_await log.Append(record)).ok());
      const std::optional<LogEntry> entry = ValueOf(co_await reader.Next());
      EXPECT_TRUE(entry.has_value());
      EXPECT_EQ(entry->sequence, i);
      EXPECT_EQ(testing::AsString(entry->data), record);
    }
  };
  Run(main());
}

TEST_P(AppendLogTest, SegmentsOfOldRecordsAreDropped) {
  auto main = [&]() -> Task<void> {
    const std::string record(700, 'x');
    AppendLog log = co_await OpenLog(PathOf("log"), SmallSegments());
    for (int i = 0; i < 40; ++i)
      EXPECT_TRUE((co_await log.Append(record)).ok());
    LogReader old = log.Read();
    EXPECT_TRUE(ValueOf(co_await old.Next()).has_value());
    const uint64_t before = log.stats().segments;
    EXPECT_TRUE((co_await log.TruncateBefore(20)).ok());
    const uint64_t first = log.first_sequence();
    EXPECT_GT(first, 10u);
    EXPECT_LE(first, 20u);
    EXPECT_LT(log.stats().segments, before);
    EXPECT_FALSE((co_await Stat(PathOf("log/00000000000000000001.log"))).ok());
    EXPECT_EQ(ValueOf(co_await ReadRecords(log)).size(), 41 - first);
    const absl::Status dropped = (co_await ReadRecords(log, 3)).status();
    EXPECT_TRUE(absl::IsOutOfRange(dropped)) << dropped;
    // It has its segment open, but not the next one.
    absl::StatusOr<std::optional<LogEntry>> entry = co_await old.Next();
    EXPECT_EQ(ValueOf(entry)->sequence, 2u);
    EXPECT_TRUE((co_await log.TruncateBefore(1'000'000)).ok());
    EXPECT_EQ(log.stats().segments, 1u);
    EXPECT_TRUE((co_await log.Close()).ok());
    AppendLog again = co_await OpenLog(PathOf("log"), SmallSegments());
    EXPECT_EQ(again.first_sequence(), log.first_sequence());
    EXPECT_EQ(ValueOf(co_await again.Append(record)), 41u);
  };
  Run(main());
}

// --- Ends

TEST_P(AppendLogTest, CloseWaitsForAppendsAndThenItIsClosed) {
  auto main = [&]() -> Task<void> {
    AppendLog log = co_await OpenLog(PathOf("log"));
    JoinHandle<absl::StatusOr<uint64_t>> first = Spawn(log.Append("1"));
    JoinHandle<absl::StatusOr<uint64_t>> second = Spawn(log.Append("2"));
    (co_await Sleep(absl::ZeroDuration())).IgnoreError();
    EXPECT_TRUE((co_await log.Close()).ok());
    EXPECT_TRUE(first.done() && second.done());
    EXPECT_EQ(ValueOf(co_await first), 1u);
    EXPECT_EQ(ValueOf(co_await second), 2u);
    std::vector<absl::Status> closed;
    closed.push_back((co_await log.Append("3")).status());
    closed.push_back(co_await log.TruncateBefore(2));
    closed.push_back(co_await log.Close());
    for (const absl::Status& status : closed)
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    AppendLog moved = std::move(log);
    EXPECT_TRUE(absl::IsFailedPrecondition((co_await log.Append("")).status()));
  };
  Run(main());
}

TEST_P(AppendLogTest, ASecondOneIsRefusedUntilTheFirstIsClosed) {
  auto main = [&]() -> Task<void> {
    AppendLog log = co_await OpenLog(PathOf("log"));
    Task<absl::StatusOr<AppendLog>> open = AppendLog::Open(PathOf("log"));
    const absl::Status refused = (co_await std::move(open)).status();
    EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
    EXPECT_TRUE(absl::StrContains(
        refused.message(),
        absl::StrCat("the log ", PathOf("log"), " is open already")))
        << refused;
    EXPECT_EQ(ValueOf(co_await log.Append("x")), 1u);
    EXPECT_TRUE((co_await log.Close()).ok());
    AppendLog second = co_await OpenLog(PathOf("log"));
    EXPECT_EQ(ValueOf(co_await second.Append("y")), 2u);
    // One that was refused has not taken the lock from the other.
    open = AppendLog::Open(PathOf("log"));
    EXPECT_TRUE(absl::IsUnavailable((co_await std::move(open)).status()));
  };
  Run(main());
}

TEST_P(AppendLogTest, OneThatIsDroppedMayBeOpenedAtOnce) {
  auto main = [&]() -> Task<void> {
    for (uint64_t i = 1; i < 20; ++i) {
      AppendLog log = co_await OpenLog(PathOf("log"));
      EXPECT_EQ(ValueOf(co_await log.Append("x")), i);
    }
  };
  Run(main());
}

TEST_P(AppendLogTest, DroppingItLeavesAppendsToTheirEnd) {
  auto main = [&]() -> Task<void> {
    auto log = std::make_unique<AppendLog>(co_await OpenLog(PathOf("log")));
    JoinHandle<absl::StatusOr<uint64_t>> append = Spawn(log->Append("x"));
    log.reset();
    EXPECT_EQ(ValueOf(co_await append), 1u);
    AppendLog again = co_await OpenLog(PathOf("log"));
    EXPECT_EQ(again.recovered().records, 1u);
  };
  Run(main());
}

// Whatever is cancelled, the others are durable, without gaps.
TEST_P(AppendLogTest, ACancelledAppendHarmsNoOther) {
  auto main = [&]() -> Task<void> {
    AppendLogOptions options = SmallSegments();
    options.max_record_bytes = 1'000;
    options.max_waiting_bytes = 2'500;
    AppendLog log = co_await OpenLog(PathOf("log"), options);
    for (int round = 0; round < 10; ++round) {
      std::vector<JoinHandle<absl::StatusOr<uint64_t>>> appends;
      const std::string record(800, 'x');
      for (int i = 0; i < 10; ++i) appends.push_back(Spawn(log.Append(record)));
      for (int turns = 0; turns < round; ++turns)
        (co_await Sleep(absl::ZeroDuration())).IgnoreError();
      for (size_t i = 0; i < appends.size(); i += 2) appends[i].Cancel();
      for (size_t i = 0; i < appends.size(); ++i) {
        const absl::StatusOr<uint64_t> sequence = co_await appends[i];
        EXPECT_TRUE(sequence.ok() ||
                    (i % 2 == 0 && absl::IsCancelled(sequence.status())))
            << sequence.status();
      }
    }
    // What was cancelled last may be being written.
    EXPECT_TRUE((co_await log.Append("end")).ok());
    EXPECT_EQ(ValueOf(co_await ReadRecords(log)).size(), log.durable_end() - 1);
    EXPECT_GE(log.durable_end() - 1, 51u);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(AppendLogTest);

}  // namespace
}  // namespace ringway::fs
