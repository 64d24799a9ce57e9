// SPDX-License-Identifier: Apache-2.0
//
// What AppendLog::Open() makes of logs that were left in any state.

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/log/log_record.h"
#include "ringway/fs/log/testing/log_tasks.h"
#include "ringway/fs/path_ops.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using internal::kRecordHeaderBytes;
using internal::kSegmentHeaderBytes;
using testing::FsTest;
using testing::OpenLog;
using testing::ReadRecords;
using testing::SmallSegments;
using testing::ValueOf;

constexpr char kFirst[] = "log/00000000000000000001.log";
constexpr char kSecond[] = "log/00000000000000000002.log";
constexpr char kThird[] = "log/00000000000000000003.log";

class AppendLogRecoveryTest : public FsTest {
 protected:
  // Makes a log with these records, each in a group of its own, or all in one.
  Task<void> MakeLog(std::vector<std::string> records,
                     AppendLogOptions options = AppendLogOptions(),
                     bool in_one_group = false) {
    AppendLog log = co_await OpenLog(PathOf("log"), options);
    std::vector<JoinHandle<absl::StatusOr<uint64_t>>> appends;
    for (const std::string& record : records) {
      if (in_one_group) {
        appends.push_back(Spawn(log.Append(record)));
      } else {
        EXPECT_TRUE((co_await log.Append(record)).ok());
      }
    }
    for (JoinHandle<absl::StatusOr<uint64_t>>& append : appends)
      EXPECT_TRUE((co_await append).ok());
    EXPECT_TRUE((co_await log.Close()).ok());
  }

  Task<absl::Status> TryToOpen() {
    Task<absl::StatusOr<AppendLog>> open = AppendLog::Open(PathOf("log"));
    co_return (co_await std::move(open)).status();
  }

  // Expects that the log is refused as damaged, with this in the message, and
  // not changed.
  Task<void> ExpectDataLoss(std::string text) {
    const std::string before = co_await ContentOf(PathOf(kFirst));
    const absl::Status status = co_await TryToOpen();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
    EXPECT_EQ(co_await ContentOf(PathOf(kFirst)), before);
  }

  // Where the records of one segment end.
  static std::vector<size_t> EndsOf(const std::vector<std::string>& records) {
    std::vector<size_t> ends;
    size_t end = kSegmentHeaderBytes;
    for (const std::string& record : records)
      ends.push_back(end += kRecordHeaderBytes + record.size());
    return ends;
  }

  static std::vector<std::string> Large(size_t n) {
    std::vector<std::string> records;
    for (size_t i = 0; i < n; ++i)
      records.push_back(absl::StrCat(i, std::string(1'000, 'x')));
    return records;
  }
};

// --- Torn tails

TEST_P(AppendLogRecoveryTest, ATailThatIsTornAtAnyByteIsCutOff) {
  auto main = [&]() -> Task<void> {
    const std::vector<std::string> records = {"one", "", "three", "four"};
    const std::vector<size_t> ends = EndsOf(records);
    co_await MakeLog(records);
    const std::string whole = co_await ContentOf(PathOf(kFirst));
    EXPECT_EQ(whole.size(), ends.back());
    for (size_t n = kSegmentHeaderBytes; n <= whole.size(); ++n) {
      size_t left = 0;
      while (left < ends.size() && ends[left] <= n) ++left;
      const size_t end = left == 0 ? kSegmentHeaderBytes : ends[left - 1];
      co_await Make(kFirst, whole.substr(0, n));
      AppendLog log = co_await OpenLog(PathOf("log"));
      const LogRecovery& recovered = log.recovered();
      EXPECT_EQ(recovered.records, left) << n;
      EXPECT_EQ(recovered.dropped_bytes, n - end) << n;
      EXPECT_EQ(absl::StrContains(recovered.why_dropped, "is cut off"), n > end)
          << recovered.why_dropped;
      EXPECT_EQ(ValueOf(co_await log.Append("more")), left + 1);
      std::vector<std::string> expected(
          records.begin(), records.begin() + static_cast<long>(left));
      expected.push_back("more");
      EXPECT_EQ(ValueOf(co_await ReadRecords(log)), expected) << n;
      EXPECT_TRUE((co_await log.Close()).ok());
    }
  };
  Run(main());
}

TEST_P(AppendLogRecoveryTest, DamageToAnyByteOfTheLastGroupIsCutOff) {
  auto main = [&]() -> Task<void> {
    const std::vector<std::string> records = {"one", "two", "three"};
    const std::vector<size_t> ends = EndsOf(records);
    co_await MakeLog(records, AppendLogOptions(), /*in_one_group=*/true);
    const std::string whole = co_await ContentOf(PathOf(kFirst));
    for (size_t i = kSegmentHeaderBytes; i < whole.size(); ++i) {
      size_t left = 0;
      while (ends[left] <= i) ++left;
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x20);
      co_await Make(kFirst, damaged);
      AppendLog log = co_await OpenLog(PathOf("log"));
      EXPECT_EQ(log.recovered().records, left) << i;
      EXPECT_EQ(
          log.recovered().dropped_bytes,
          whole.size() - (left == 0 ? kSegmentHeaderBytes : ends[left - 1]));
      EXPECT_NE(log.recovered().why_dropped, "") << i;
      EXPECT_TRUE((co_await log.Close()).ok());
      EXPECT_EQ((co_await ContentOf(PathOf(kFirst))).size(),
                whole.size() - log.recovered().dropped_bytes);
    }
  };
  Run(main());
}

TEST_P(AppendLogRecoveryTest, ZerosBehindTheEndAreCutOff) {
  auto main = [&]() -> Task<void> {
    const std::vector<std::string> records = {"one"};
    co_await MakeLog(records);
    const std::string whole = co_await ContentOf(PathOf(kFirst));
    co_await Make(kFirst, whole + std::string(5'000, '\0'));
    AppendLog log = co_await OpenLog(PathOf("log"));
    EXPECT_EQ(log.recovered().records, 1u);
    EXPECT_EQ(log.recovered().dropped_bytes, 5'000u);
    EXPECT_EQ(log.recovered().why_dropped,
              absl::StrCat(PathOf(kFirst), " at offset ", whole.size(),
                           ": the checksum of record 2 is wrong"));
  };
  Run(main());
}

// --- Damage

TEST_P(AppendLogRecoveryTest, DamageBeforeALaterGroupIsDataLoss) {
  auto main = [&]() -> Task<void> {
    const std::vector<std::string> records = {"one", "two", "three"};
    const std::vector<size_t> ends = EndsOf(records);
    co_await MakeLog(records);
    const std::string whole = co_await ContentOf(PathOf(kFirst));
    for (size_t i = kSegmentHeaderBytes; i < ends[1]; ++i) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x20);
      co_await Make(kFirst, damaged);
      co_await ExpectDataLoss(absl::StrCat("record ", i < ends[0] ? 1 : 2));
    }
    co_await Make(kFirst, whole);
    EXPECT_TRUE((co_await TryToOpen()).ok());
  };
  Run(main());
}

TEST_P(AppendLogRecoveryTest, DamageBeforeAnotherSegmentIsDataLoss) {
  auto main = [&]() -> Task<void> {
    co_await MakeLog(Large(6), SmallSegments());
    const std::string whole = co_await ContentOf(PathOf(kFirst));
    // The last record of the first segment, and its end.
    std::string damaged = whole;
    damaged.back() = 'y';
    co_await Make(kFirst, damaged);
    co_await ExpectDataLoss("but there is another segment");
    co_await Make(kFirst, whole.substr(0, whole.size() - 1));
    co_await ExpectDataLoss("is cut off");
    // A whole record less.
    co_await Make(kFirst, whole.substr(0, whole.size() - 1'021));
    co_await ExpectDataLoss(
        "00002.log: it is segment 2 from record 5 on, not "
        "segment 2 from record 4 on");
  };
  Run(main());
}

TEST_P(AppendLogRecoveryTest, AMissingFileIsDataLoss) {
  auto main = [&]() -> Task<void> {
    co_await MakeLog(Large(10), SmallSegments());
    const std::string second = co_await ContentOf(PathOf(kSecond));
    EXPECT_TRUE((co_await RemoveFile(PathOf(kSecond))).ok());
    co_await ExpectDataLoss(absl::StrCat(PathOf(kSecond), " is missing"));
    co_await Make(kSecond, second);
    EXPECT_TRUE((co_await TryToOpen()).ok());
    EXPECT_TRUE((co_await RemoveFile(PathOf("log/first"))).ok());
    co_await ExpectDataLoss("/first is missing");
  };
  Run(main());
}

TEST_P(AppendLogRecoveryTest, AFileOfAnotherLogIsDataLoss) {
  auto main = [&]() -> Task<void> {
    co_await MakeLog(Large(10), SmallSegments());
    co_await Make(kFirst, co_await ContentOf(PathOf(kSecond)));
    co_await ExpectDataLoss("it is segment 2");
    co_await Make("log/first", "ring");
    co_await ExpectDataLoss("/first: its header is cut off");
    co_await Make("log/first", std::string(32, 'x'));
    co_await ExpectDataLoss("it does not begin as the file of a log");
  };
  Run(main());
}

// --- What was not finished

TEST_P(AppendLogRecoveryTest, ALogThatWasNotFinishedIsMade) {
  auto main = [&]() -> Task<void> {
    EXPECT_TRUE((co_await MakeDirectory(PathOf("log"))).ok());
    for (const size_t n : {0, 1, 31, 32}) {
      co_await Make(kFirst, std::string(n, '\0'));
      AppendLog log = co_await OpenLog(PathOf("log"));
      EXPECT_EQ(log.recovered().records, 0u);
      EXPECT_TRUE((co_await log.Close()).ok());
      EXPECT_TRUE((co_await RemoveFile(PathOf("log/first"))).ok());
    }
  };
  Run(main());
}

TEST_P(AppendLogRecoveryTest, ASegmentThatWasNotFinishedIsMade) {
  auto main = [&]() -> Task<void> {
    const std::vector<std::string> records = Large(5);
    co_await MakeLog(records, SmallSegments());
    const std::string second = co_await ContentOf(PathOf(kSecond));
    std::vector<std::string> expected(records.begin(), records.begin() + 4);
    for (const size_t n : {0, 1, 31, 32}) {
      std::string header = second.substr(0, n);
      if (n == 32) header[20] = 'x';
      co_await Make(kSecond, header);
      AppendLog log = co_await OpenLog(PathOf("log"), SmallSegments());
      EXPECT_EQ(ValueOf(co_await ReadRecords(log)), expected) << n;
      EXPECT_EQ(ValueOf(co_await log.Append(records[4])), 5u);
      EXPECT_TRUE((co_await log.Close()).ok());
      EXPECT_EQ(co_await ContentOf(PathOf(kSecond)), second) << n;
    }
    // With records in it, it is damaged.
    std::string damaged = second;
    damaged[20] = 'x';
    co_await Make(kSecond, damaged);
    co_await ExpectDataLoss("the checksum of its header is wrong");
  };
  Run(main());
}

TEST_P(AppendLogRecoveryTest, SegmentsThatWereDroppedAreRemoved) {
  auto main = [&]() -> Task<void> {
    co_await MakeLog(Large(14), SmallSegments());
    const std::string first = co_await ContentOf(PathOf(kFirst));
    const std::string second = co_await ContentOf(PathOf(kSecond));
    {
      AppendLog log = co_await OpenLog(PathOf("log"), SmallSegments());
      EXPECT_TRUE((co_await log.TruncateBefore(9)).ok());
      EXPECT_EQ(log.first_sequence(), 9u);
      EXPECT_TRUE((co_await log.Close()).ok());
    }
    co_await Make(kFirst, first);
    co_await Make(kSecond, second);
    AppendLog log = co_await OpenLog(PathOf("log"), SmallSegments());
    EXPECT_EQ(log.first_sequence(), 9u);
    EXPECT_EQ(log.recovered().records, 6u);
    for (const char* path : {kFirst, kSecond})
      EXPECT_EQ(ErrnoOf((co_await Stat(PathOf(path))).status()), ENOENT);
    EXPECT_TRUE((co_await Stat(PathOf(kThird))).ok());
  };
  Run(main());
}

TEST_P(AppendLogRecoveryTest, WhereThereIsNoDirectoryThereIsNoLog) {
  auto main = [&]() -> Task<void> {
    Task<absl::StatusOr<AppendLog>> open = AppendLog::Open(PathOf("none/log"));
    const absl::Status none = (co_await std::move(open)).status();
    EXPECT_EQ(ErrnoOf(none), ENOENT) << none;
    co_await Make("log", "a file");
    const absl::Status file = co_await TryToOpen();
    EXPECT_EQ(ErrnoOf(file), ENOTDIR) << file;
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(AppendLogRecoveryTest);

}  // namespace
}  // namespace ringway::fs
