// SPDX-License-Identifier: Apache-2.0
//
// Random uses of a log on every backend, compared with a list of strings.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/rng.h"
#include "ringway/executor/testing/test_seed.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/log/testing/log_tasks.h"
#include "ringway/fs/testing/fs_fixture.h"

namespace ringway::fs {
namespace {

using testing::FsTest;
using testing::OpenLog;
using testing::ReadRecords;
using testing::ValueOf;

class AppendLogModelTest : public FsTest {
 protected:
  static constexpr int kSteps = 150;

  AppendLogModelTest() {
    options_.segment_bytes = rng_.Between(4'096, 20'000);
    options_.max_record_bytes = 9'000;
    options_.max_waiting_bytes = rng_.Between(9'020, 100'000);
  }

  Task<void> Step() {
    switch (rng_.Below(8)) {
      case 0:
        co_await Reopen();
        break;
      case 1:
        co_await Truncate();
        break;
      case 2:
      case 3:
        co_await ReadFromSomewhere();
        break;
      default:
        co_await AppendSome();
    }
  }

  Task<void> Reopen() {
    if (log_.has_value()) {
      EXPECT_TRUE((co_await log_->Close()).ok());
    }
    log_.emplace(co_await OpenLog(PathOf("log"), options_));
    EXPECT_EQ(log_->durable_end(), records_.size() + 1);
    EXPECT_EQ(log_->recovered().records, records_.size() + 1 - First());
    EXPECT_EQ(log_->recovered().dropped_bytes, 0u);
    EXPECT_EQ(First(), first_) << "other than before";
  }

  Task<void> Truncate() {
    const uint64_t before = rng_.Between(First(), records_.size() + 1);
    EXPECT_TRUE((co_await log_->TruncateBefore(before)).ok());
    EXPECT_GE(First(), first_);
    EXPECT_LE(First(), before);
    first_ = First();
  }

  // Several at the same time, in order.
  Task<void> AppendSome() {
    std::vector<std::string> data;
    for (uint64_t n = rng_.Between(1, 6); n > 0; --n) {
      const size_t size = rng_.Below(rng_.Chance(0.2) ? 9'000 : 300);
      data.push_back(std::string(size, static_cast<char>('a' + n)));
    }
    std::vector<JoinHandle<absl::StatusOr<uint64_t>>> appends;
    for (const std::string& one : data)
      appends.push_back(Spawn(log_->Append(one)));
    for (size_t i = 0; i < data.size(); ++i) {
      records_.push_back(data[i]);
      EXPECT_EQ(ValueOf(co_await appends[i]), records_.size());
    }
    EXPECT_EQ(log_->durable_end(), records_.size() + 1);
  }

  Task<void> ReadFromSomewhere() {
    const uint64_t from = rng_.Between(First(), records_.size() + 1);
    const std::vector<std::string> expected(
        records_.begin() + static_cast<ptrdiff_t>(from - 1), records_.end());
    const absl::StatusOr<std::vector<std::string>> read =
        co_await ReadRecords(*log_, from);
    EXPECT_TRUE(ValueOf(read) == expected) << "from " << from;
  }

  uint64_t First() const { return log_->first_sequence(); }

  Rng rng_{TestSeed()};
  AppendLogOptions options_;
  std::optional<AppendLog> log_;
  std::vector<std::string> records_;  // all that there ever were
  uint64_t first_ = 1;
};

TEST_P(AppendLogModelTest, IsAListOfStrings) {
  SCOPED_TRACE(absl::StrCat("seed ", TestSeed()));
  auto main = [&]() -> Task<void> {
    co_await Reopen();
    for (int i = 0; i < kSteps && !HasFailure(); ++i) co_await Step();
    log_.reset();
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(AppendLogModelTest);

}  // namespace
}  // namespace ringway::fs
