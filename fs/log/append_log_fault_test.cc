// SPDX-License-Identifier: Apache-2.0
//
// A log on a disk that fails, is full or stands still.

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/sim/network/stream_socket.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/log/testing/log_history.h"
#include "ringway/fs/log/testing/log_tasks.h"
#include "ringway/fs/log/testing/simulated_machine.h"
#include "ringway/net/tcp.h"

namespace ringway::fs {
namespace {

using testing::LogHistory;
using testing::OpenLog;
using testing::ReadRecords;
using testing::SimulatedMachine;
using testing::SmallSegments;
using testing::ValueOf;

constexpr char kDirectory[] = "/log";

// --- Failures

TEST(AppendLogFault, ASyncThatFailsIsTheEndOfTheLog) {
  SimulatedMachine machine(/*seed=*/7);
  auto main = [&]() -> Task<void> {
    AppendLog log = co_await OpenLog(kDirectory);
    EXPECT_TRUE((co_await log.Append("safe")).ok());
    machine.disk().sync_failure = 1;
    JoinHandle<absl::StatusOr<uint64_t>> first = Spawn(log.Append("lost"));
    JoinHandle<absl::StatusOr<uint64_t>> second =
        Spawn(log.Append("lost, too"));
    const absl::Status failed = (co_await first).status();
    EXPECT_NE(ErrnoOf(failed), 0) << failed;
    EXPECT_TRUE(absl::StrContains(failed.message(), "sync of /log/")) << failed;
    EXPECT_EQ((co_await second).status(), failed);
    machine.disk().sync_failure = 0;
    EXPECT_EQ((co_await log.Append("later")).status(), failed);
    EXPECT_EQ(co_await log.TruncateBefore(1), failed);
    EXPECT_EQ(co_await log.Close(), failed);
    EXPECT_EQ(log.durable_end(), 2u);
    AppendLog again = co_await OpenLog(kDirectory);
    const std::vector<std::string> safe(1, "safe");
    EXPECT_EQ(ValueOf(co_await ReadRecords(again)), safe);
    EXPECT_EQ(ValueOf(co_await again.Append("more")), 2u);
  };
  EXPECT_TRUE(machine.Run(main()));
}

TEST(AppendLogFault, AFullDiskIsTheEndOfTheLogButNotOfItsRecords) {
  SimulatedMachine machine(/*seed=*/7);
  auto main = [&]() -> Task<void> {
    machine.world().files().set_capacity(40'000);
    AppendLog log = co_await OpenLog(kDirectory, SmallSegments());
    const std::string record(1'000, 'x');
    uint64_t n = 0;
    absl::Status status;
    while (status.ok()) {
      status = (co_await log.Append(record)).status();
      if (status.ok()) ++n;
    }
    EXPECT_EQ(ErrnoOf(status), ENOSPC) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "/log/")) << status;
    EXPECT_GT(n, 10u);
    EXPECT_EQ((co_await log.Append("")).status(), status);
    machine.world().files().set_capacity(80'000);
    AppendLog again = co_await OpenLog(kDirectory, SmallSegments());
    EXPECT_EQ(ValueOf(co_await ReadRecords(again)).size(), n);
    EXPECT_EQ(ValueOf(co_await again.Append(record)), n + 1);
  };
  EXPECT_TRUE(machine.Run(main()));
}

// What a log is used for, with its names and segments.
constexpr uint64_t kRecords = 9;
Task<void> Exchange(LogHistory& history) {
  AppendLogOptions options = SmallSegments();
  Task<absl::StatusOr<AppendLog>> open = AppendLog::Open(kDirectory, options);
  absl::StatusOr<AppendLog> log = co_await std::move(open);
  if (absl::IsDataLoss(log.status()))
    history.Complain(0, log.status().ToString());
  if (!log.ok()) co_return;
  const bool checked = co_await history.Check(*log);
  if (!checked) co_return;
  static int next_id = 0;
  for (uint64_t round = 0; round < kRecords / 3; ++round) {
    std::vector<std::string> data;
    std::vector<JoinHandle<absl::StatusOr<uint64_t>>> appends;
    for (int i = 0; i < 3; ++i)
      data.push_back(absl::StrCat(next_id++, std::string(1'400, 'x')));
    for (const std::string& one : data) {
      history.Attempt(one);
      appends.push_back(Spawn(log->Append(one)));
    }
    for (size_t i = 0; i < appends.size(); ++i) {
      const absl::StatusOr<uint64_t> sequence = co_await appends[i];
      if (sequence.ok()) history.Acknowledge(*sequence, data[i]);
    }
  }
  history.Truncate(8);
  (co_await log->TruncateBefore(8)).IgnoreError();
  (co_await log->Close()).IgnoreError();
}

// Each operation fails once, with each errno that it may have. Then there is a
// power failure, or not.
TEST(AppendLogFault, WhicheverOperationFailsNothingAcknowledgedIsLost) {
  uint64_t n_failures = 0;
  for (size_t which = 0; which < 2; ++which) {
    bool is_reached = true;
    for (uint64_t n = 1; is_reached; ++n) {
      SimulatedMachine machine(n);
      LogHistory history;
      EXPECT_TRUE(machine.Run(Exchange(history)));
      sim::SingleFailure& failure = machine.world().environment().failure;
      failure = sim::SingleFailure();
      failure.n = n;
      failure.which = which;
      EXPECT_TRUE(machine.Run(Exchange(history)));
      is_reached = failure.started >= n;
      n_failures += failure.happened ? 1 : 0;
      failure = sim::SingleFailure();
      if ((n + which) % 2 == 0) machine.world().Crash(n);
      EXPECT_TRUE(machine.Run(Exchange(history)));
      EXPECT_TRUE(machine.Run(Exchange(history)));
      ASSERT_EQ(history.violations(), "")
          << "operation " << n << ", error " << which;
      ASSERT_GE(history.acknowledged(), 3 * kRecords) << "operation " << n;
      ASSERT_EQ(machine.world().leaks(), "") << "operation " << n;
    }
  }
  std::cout << n_failures << " failures\n";
  EXPECT_GT(n_failures, 60u);
}

// The same for a log that is made.
TEST(AppendLogFault, WhicheverOperationOfMakingItFailsItCanBeMadeAgain) {
  for (const bool power_fails : {false, true}) {
    for (uint64_t n = 1; n < 30; ++n) {
      SimulatedMachine machine(n);
      LogHistory history;
      sim::SingleFailure& failure = machine.world().environment().failure;
      failure.n = n;
      EXPECT_TRUE(machine.Run(Exchange(history)));
      failure = sim::SingleFailure();
      if (power_fails) machine.world().Crash(n);
      EXPECT_TRUE(machine.Run(Exchange(history)));
      EXPECT_TRUE(machine.Run(Exchange(history)));
      ASSERT_EQ(history.violations(), "") << n;
      ASSERT_GE(history.acknowledged(), 2 * kRecords) << n;
    }
  }
}

// --- A disk that stands still

TEST(AppendLogFault, ACancelDoesNotWaitForTheDisk) {
  SimulatedMachine machine(/*seed=*/7);
  auto main = [&]() -> Task<void> {
    AppendLog log = co_await OpenLog(kDirectory);
    machine.disk().latency_low = machine.disk().latency_high =
        absl::Seconds(10);
    const MonotonicTime start = machine.now();
    Task<absl::StatusOr<uint64_t>> append =
        WithTimeout(absl::Milliseconds(5), log.Append("late"));
    const absl::Status status = (co_await std::move(append)).status();
    EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
    EXPECT_EQ(machine.now() - start, absl::Milliseconds(5));
    EXPECT_EQ(ValueOf(co_await log.Append("next")), 2u);
    const std::vector<std::string> records = ValueOf(co_await ReadRecords(log));
    EXPECT_EQ(absl::StrJoin(records, " "), "late next");
  };
  EXPECT_TRUE(machine.Run(main()));
}

Task<void> Echo(net::TcpStream& stream) {
  std::array<std::byte, 16> buffer;
  while (true) {
    const absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok() || *n == 0) co_return;
    const absl::Status sent =
        co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return;
  }
}

TEST(AppendLogFault, AStalledDiskDelaysNoSocket) {
  SimulatedMachine machine(/*seed=*/7);
  auto main = [&]() -> Task<void> {
    sim::World& world = machine.world();
    auto [near_end, far_end] =
        sim::StreamSocket::MakePair(world.environment(), world.network(), 0);
    net::TcpStream client = net::TcpStream::Adopt(
        CurrentLoop(), UniqueFd(world.fds().Open(near_end, "the test")));
    net::TcpStream server = net::TcpStream::Adopt(
        CurrentLoop(), UniqueFd(world.fds().Open(far_end, "the test")));
    AppendLog log = co_await OpenLog(kDirectory, SmallSegments());
    JoinHandle<void> echo = Spawn(Echo(server));
    machine.disk().latency_low = machine.disk().latency_high =
        absl::Milliseconds(100);
    std::vector<JoinHandle<std::vector<uint64_t>>> writers;
    for (size_t i = 0; i < 8; ++i)
      writers.push_back(Spawn(testing::AppendAll(log, i, 3)));
    absl::Duration longest;
    int rounds = 0;
    for (; log.durable_end() < 25; ++rounds) {
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
      const MonotonicTime start = machine.now();
      std::array<std::byte, 16> buffer = {};
      EXPECT_TRUE((co_await client.Write(buffer)).ok());
      EXPECT_EQ(ValueOf(co_await client.Read(buffer)), buffer.size());
      longest = std::max(longest, machine.now() - start);
    }
    EXPECT_GE(rounds, 300);
    EXPECT_LE(longest, absl::Milliseconds(1));
    echo.Cancel();
    (co_await echo).IgnoreError();
    for (JoinHandle<std::vector<uint64_t>>& writer : writers)
      EXPECT_EQ(ValueOf(co_await writer).size(), 3u);
  };
  EXPECT_TRUE(machine.Run(main()));
}

}  // namespace
}  // namespace ringway::fs
