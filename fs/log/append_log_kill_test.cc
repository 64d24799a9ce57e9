// SPDX-License-Identifier: Apache-2.0
//
// A process that appends to a log on the real file system is killed, again and
// again: what it had reported as acknowledged is there each time.
//
//   RINGWAY_TEST_SCALE=1 bazel-bin/fs/log/append_log_kill_test
// kills 100 on each backend.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/check.h"
#include "ringway/core/rng.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/test_seed.h"
#include "ringway/fs/log/append_log.h"
#include "ringway/fs/log/testing/log_history.h"
#include "ringway/fs/log/testing/log_tasks.h"

namespace ringway::fs {
namespace {

using testing::LogHistory;
using testing::OpenLog;

constexpr uint64_t kKills = 100;
constexpr size_t kWriters = 8;

AppendLogOptions Options() {
  AppendLogOptions options;
  options.segment_bytes = 16'384;
  return options;
}

std::unique_ptr<Executor> MakeExecutor(BackendKind kind) {
  ExecutorOptions options;
  options.loop.backend.kind = kind;
  absl::StatusOr<std::unique_ptr<Executor>> executor =
      Executor::Create(options);
  RINGWAY_CHECK(executor.ok(), "%s", executor.status().ToString().c_str());
  return *std::move(executor);
}

// --- The process that is killed

// Reports what it does, a line each: "+ DATA" before it appends, "= NUMBER
// DATA" when that is acknowledged, "< NUMBER" before it truncates. A line is
// written whole or not at all.
class Writer {
 public:
  Writer(int reports, uint64_t life) : reports_(reports), life_(life) {}

  Task<void> Run(std::string directory) {
    AppendLog log = co_await OpenLog(std::move(directory), Options());
    std::vector<JoinHandle<void>> writers;
    for (size_t i = 0; i < kWriters; ++i)
      writers.push_back(Spawn(Append(log, i)));
    for (JoinHandle<void>& writer : writers) (co_await writer).IgnoreError();
  }

 private:
  Task<void> Append(AppendLog& log, size_t writer) {
    for (int i = 0;; ++i) {
      const std::string data = absl::StrCat(life_, "-", writer, "-", i, "-",
                                            std::string(i % 500, 'x'));
      Report(absl::StrCat("+ ", data, "\n"));
      Task<absl::StatusOr<uint64_t>> append = log.Append(data);
      const absl::StatusOr<uint64_t> sequence = co_await std::move(append);
      RINGWAY_CHECK(sequence.ok(), "%s", sequence.status().ToString().c_str());
      Report(absl::StrCat("= ", *sequence, " ", data, "\n"));
      if (*sequence % 50 != 0) continue;
      const uint64_t before = *sequence - 40;
      Report(absl::StrCat("< ", before, "\n"));
      Task<absl::Status> truncate = log.TruncateBefore(before);
      const absl::Status truncated = co_await std::move(truncate);
      RINGWAY_CHECK(truncated.ok(), "%s", truncated.ToString().c_str());
    }
  }

  void Report(const std::string& line) {
    const ssize_t n = write(reports_, line.data(), line.size());
    if (n != static_cast<ssize_t>(line.size())) _exit(1);  // no one reads
  }

  const int reports_;
  const uint64_t life_;
};

// --- The one that kills

class Killer {
 public:
  explicit Killer(BackendKind kind)
      : kind_(kind), rng_(TestSeed() + static_cast<uint64_t>(kind)) {
    std::string name = absl::StrCat(::testing::TempDir(), "/append_log_XXXXXX");
    RINGWAY_CHECK(mkdtemp(name.data()) != nullptr, "errno %d", errno);
    root_ = name;
  }
  ~Killer() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  // Starts a process, kills it, and checks the log.
  void Kill(uint64_t life) {
    int ends[2];
    RINGWAY_CHECK(pipe(ends) == 0, "errno %d", errno);
    const pid_t child = fork();
    RINGWAY_CHECK(child >= 0, "fork: errno %d", errno);
    if (child == 0) {
      close(ends[0]);
      Writer writer(ends[1], life);
      (void)MakeExecutor(kind_)->Run(writer.Run(directory()));
      _exit(1);
    }
    close(ends[1]);
    const UniqueFd reports(ends[0]);
    ReadReports(reports.get(), child, rng_.Below(20'000));
    int status = 0;
    RINGWAY_CHECK(waitpid(child, &status, 0) == child, "errno %d", errno);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    Check();
  }

  // A process has the log open. Others are refused until it is killed.
  void ExpectOneAtATime() {
    int ends[2];
    RINGWAY_CHECK(pipe(ends) == 0, "errno %d", errno);
    const pid_t child = fork();
    RINGWAY_CHECK(child >= 0, "fork: errno %d", errno);
    if (child == 0) {
      Writer writer(ends[1], /*life=*/0);
      (void)MakeExecutor(kind_)->Run(writer.Run(directory()));
      _exit(1);
    }
    close(ends[1]);
    const UniqueFd reports(ends[0]);
    char byte;
    RINGWAY_CHECK(read(reports.get(), &byte, 1) == 1, "it has not begun");
    const absl::Status refused = TryToOpen();
    EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), directory())) << refused;
    EXPECT_EQ(kill(child, SIGKILL), 0);
    RINGWAY_CHECK(waitpid(child, nullptr, 0) == child, "errno %d", errno);
    const absl::Status opened = TryToOpen();
    EXPECT_TRUE(opened.ok()) << opened;
  }

  const LogHistory& history() const { return history_; }

 private:
  std::string directory() const { return absl::StrCat(root_, "/log"); }

  // Kills it after so many bytes, and reads the rest.
  void ReadReports(int fd, pid_t child, size_t n_bytes) {
    std::string text;
    std::array<char, 4'096> buffer;
    bool killed = false;
    while (true) {
      if (!killed && text.size() >= n_bytes) {
        EXPECT_EQ(kill(child, SIGKILL), 0);
        killed = true;
      }
      const ssize_t n = read(fd, buffer.data(), buffer.size());
      if (n <= 0) break;
      text.append(buffer.data(), static_cast<size_t>(n));
    }
    EXPECT_TRUE(killed) << "it ended by itself";
    for (const std::string_view line :
         absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      Note(line);
    }
  }

  void Note(std::string_view line) {
    const std::string_view rest = line.substr(2);
    const size_t space = rest.find(' ');
    uint64_t number = 0;
    if (line[0] == '+') return history_.Attempt(std::string(rest));
    RINGWAY_CHECK(absl::SimpleAtoi(rest.substr(0, space), &number), "%s",
                  std::string(line).c_str());
    if (line[0] == '<') return history_.Truncate(number);
    history_.Acknowledge(number, std::string(rest.substr(space + 1)));
  }

  void Check() {
    const std::unique_ptr<Executor> executor = MakeExecutor(kind_);
    auto main = [&]() -> Task<void> {
      Task<absl::StatusOr<AppendLog>> open =
          AppendLog::Open(directory(), Options());
      absl::StatusOr<AppendLog> log = co_await std::move(open);
      EXPECT_TRUE(log.ok()) << log.status();
      if (!log.ok()) co_return;
      const bool checked = co_await history_.Check(*log);
      EXPECT_TRUE(checked);
      EXPECT_TRUE((co_await log->Close()).ok());
    };
    EXPECT_TRUE(executor->Run(main()).ok());
    EXPECT_EQ(history_.violations(), "");
  }

  absl::Status TryToOpen() {
    absl::Status status;
    auto main = [&]() -> Task<void> {
      Task<absl::StatusOr<AppendLog>> open =
          AppendLog::Open(directory(), Options());
      status = (co_await std::move(open)).status();
    };
    EXPECT_TRUE(MakeExecutor(kind_)->Run(main()).ok());
    return status;
  }

  const BackendKind kind_;
  Rng rng_;
  std::string root_;
  LogHistory history_;
};

class AppendLogKillTest : public ::testing::TestWithParam<BackendKind> {};

TEST_P(AppendLogKillTest, WhatWasAcknowledgedIsThereAfterAKill) {
  ExecutorOptions options;
  options.loop.backend.kind = GetParam();
  if (!Executor::Create(options).ok()) GTEST_SKIP() << "no such backend here";
  Killer killer(GetParam());
  const uint64_t n_kills = ringway::testing::Scaled(kKills);
  for (uint64_t life = 0; life < n_kills && !HasFailure(); ++life)
    killer.Kill(life);
  std::cout << n_kills << " kills, " << killer.history().acknowledged()
            << " records acknowledged or recovered\n";
  EXPECT_GT(killer.history().acknowledged(), n_kills)
      << "the test does nothing";
}

TEST_P(AppendLogKillTest, OneProcessAtATimeHasItOpen) {
  ExecutorOptions options;
  options.loop.backend.kind = GetParam();
  if (!Executor::Create(options).ok()) GTEST_SKIP() << "no such backend here";
  Killer(GetParam()).ExpectOneAtATime();
}

INSTANTIATE_TEST_SUITE_P(Backends, AppendLogKillTest,
                         ::testing::Values(BackendKind::kUring,
                                           BackendKind::kEpoll),
                         [](const auto& param) {
                           return std::string(BackendKindName(param.param));
                         });

}  // namespace
}  // namespace ringway::fs
