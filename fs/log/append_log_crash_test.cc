// SPDX-License-Identifier: Apache-2.0
//
// Power failures at random points of a log that several tasks use, with a disk
// that is slow, fails, is full and transfers less than it is asked for: every
// acknowledged record is there, in order, none twice, none torn.
//
//   RINGWAY_TEST_SCALE=1 bazel-bin/fs/log/append_log_crash_test
// has 10,000 of them.

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/test_seed.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/log/testing/log_history.h"
#include "ringway/fs/log/testing/simulated_machine.h"

namespace ringway::fs {
namespace {

using testing::LogHistory;
using testing::SimulatedMachine;

constexpr uint64_t kCrashes = 10'000;
constexpr uint64_t kLives = 20;  // of one disk
constexpr char kDirectory[] = "/log";

class Trial {
 public:
  explicit Trial(uint64_t seed) : machine_(seed) {
    options_.segment_bytes = machine_.rng().Between(4'096, 16'384);
    options_.max_record_bytes = 4'000;
    options_.max_waiting_bytes = machine_.rng().Between(4'020, 40'000);
  }

  // A life: opens the log, checks it, and uses it until the power fails.
  void Live() {
    SetConditions();
    machine_.Run(UseLog(), Operations(60));
    machine_.world().Crash(machine_.rng().Next());
    SetGoodConditions();
  }
  // The last one, in which nothing fails.
  void CheckAll() {
    bool checked = false;
    machine_.Run(OpenAndCheck(checked));
    if (!checked) history_.Complain(0, "can be read: nothing could");
  }

  const LogHistory& history() const { return history_; }
  const std::vector<std::string>& errors() { return machine_.world().errors(); }

 private:
  // At most the time that so many operations take, if each takes long.
  absl::Duration Operations(int64_t n) {
    return machine_.rng().Between(absl::ZeroDuration(),
                                  n * machine_.disk().latency_high);
  }
  void SetConditions() {
    Rng& rng = machine_.rng();
    sim::DiskConditions& disk = machine_.disk();
    disk.latency_high =
        rng.Between(absl::Microseconds(10), absl::Milliseconds(4));
    disk.short_transfer = rng.Chance(0.5) ? 0.2 : 0;
    disk.failure = rng.Chance(0.3) ? 0.01 : 0;
    disk.sync_failure = rng.Chance(0.3) ? 0.03 : 0;
    machine_.world().environment().faults.shuffle = rng.Chance(0.5);
    if (rng.Chance(0.2))
      machine_.world().files().set_capacity(rng.Between(4'096, 200'000));
  }
  void SetGoodConditions() {
    machine_.disk() = sim::DiskConditions();
    machine_.world().environment().faults = sim::Faults();
    machine_.world().files().set_capacity(uint64_t{1} << 40);
  }

  // Null if it could not be opened.
  Task<std::shared_ptr<AppendLog>> Open() {
    Task<absl::StatusOr<AppendLog>> open =
        AppendLog::Open(kDirectory, options_);
    absl::StatusOr<AppendLog> log = co_await std::move(open);
    if (absl::IsDataLoss(log.status()))
      history_.Complain(0, log.status().ToString());
    if (!log.ok()) co_return nullptr;
    co_return std::make_shared<AppendLog>(*std::move(log));
  }

  Task<void> OpenAndCheck(bool& checked) {
    const std::shared_ptr<AppendLog> log = co_await Open();
    if (log != nullptr) checked = co_await history_.Check(*log);
  }

  // Opens it again each time that it has failed.
  Task<void> UseLog() {
    for (int i = 0; i < 5; ++i) {
      const std::shared_ptr<AppendLog> log = co_await Open();
      if (log == nullptr) continue;
      const bool checked = co_await history_.Check(*log);
      if (!checked) continue;
      std::vector<JoinHandle<void>> users;
      const uint64_t n_writers = machine_.rng().Between(1, 8);
      for (uint64_t w = 0; w < n_writers; ++w)
        users.push_back(Spawn(Write(log)));
      users.push_back(Spawn(Truncate(log)));
      for (JoinHandle<void>& user : users) {
        const absl::Status joined = co_await user;
        if (!joined.ok()) co_return;
      }
    }
  }

  // Until the log fails, or the machine.
  Task<void> Write(std::shared_ptr<AppendLog> log) {
    while (true) {
      const std::string data = absl::StrCat(
          next_id_++, " ", std::string(machine_.rng().Below(3'000), 'x'));
      history_.Attempt(data);
      Task<absl::StatusOr<uint64_t>> append = log->Append(data);
      // Some are cancelled, at any point.
      const absl::Duration patience =
          machine_.rng().Chance(0.1) ? Operations(3) : absl::InfiniteDuration();
      Task<absl::StatusOr<uint64_t>> limited =
          WithTimeout(patience, std::move(append));
      const absl::StatusOr<uint64_t> sequence = co_await std::move(limited);
      if (sequence.ok()) {
        history_.Acknowledge(*sequence, data);
      } else if (!absl::IsDeadlineExceeded(sequence.status())) {
        co_return;
      }
    }
  }

  Task<void> Truncate(std::shared_ptr<AppendLog> log) {
    while (true) {
      const absl::Duration pause = Operations(20);
      const absl::Status slept = co_await Sleep(pause);
      if (!slept.ok()) co_return;
      const uint64_t before =
          machine_.rng().Between(log->first_sequence(), log->durable_end() + 1);
      history_.Truncate(before);
      Task<absl::Status> truncate = log->TruncateBefore(before);
      const absl::Status truncated = co_await std::move(truncate);
      // It may be the disk's failure, or the log's.
      const absl::StatusOr<uint64_t> alive = co_await log->Append(Marker());
      if (!alive.ok()) co_return;
      history_.Acknowledge(*alive, last_marker_);
    }
  }
  const std::string& Marker() {
    last_marker_ = absl::StrCat("marker ", next_id_++);
    history_.Attempt(last_marker_);
    return last_marker_;
  }

  SimulatedMachine machine_;
  AppendLogOptions options_;
  LogHistory history_;
  uint64_t next_id_ = 0;
  std::string last_marker_;
};

TEST(AppendLogCrash, EveryAcknowledgedRecordIsThereInOrderOnceAndWhole) {
  const uint64_t n_crashes = ringway::testing::Scaled(kCrashes);
  const uint64_t seed = TestSeed();
  uint64_t n_acknowledged = 0;
  for (uint64_t done = 0; done < n_crashes; done += kLives) {
    Trial trial(seed + done);
    for (uint64_t life = 0; life < kLives; ++life) {
      trial.Live();
      ASSERT_EQ(trial.history().violations(), "")
          << "seed " << seed + done << ", life " << life;
    }
    trial.CheckAll();
    ASSERT_EQ(trial.history().violations(), "") << "seed " << seed + done;
    EXPECT_TRUE(trial.errors().empty()) << trial.errors()[0];
    n_acknowledged += trial.history().acknowledged();
  }
  std::cout << n_crashes << " power failures, " << n_acknowledged
            << " records acknowledged or recovered\n";
  EXPECT_GT(n_acknowledged, n_crashes * 5) << "the test does nothing";
}

}  // namespace
}  // namespace ringway::fs
