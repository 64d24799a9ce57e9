// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/stall_detector.h"

#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/runnable.h"
#include "ringway/core/thread_sanitizer.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"

namespace ringway {

// With external linkage, so that every compiler gives it a symbol. Computes
// until `done`; false after a minute.
[[gnu::noinline]] bool ComputeForStallTest(const std::function<bool()>& done) {
  const MonotonicTime limit = Clock::Real().Now() + absl::Minutes(1);
  while (!done()) {
    if (Clock::Real().Now() > limit) return false;
  }
  return true;
}

namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::Duration kBudget = absl::Milliseconds(20);

// Receives reports. Outlives its detector.
class Reports {
 public:
  void Add(const StallReport& report) {
    const std::lock_guard<std::mutex> lock(mutex_);
    reports_.push_back(report);
    size_.store(reports_.size(), std::memory_order_release);
  }
  size_t size() const { return size_.load(std::memory_order_acquire); }
  std::vector<StallReport> All() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return reports_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<StallReport> reports_;
  std::atomic<size_t> size_{0};
};

std::unique_ptr<StallDetector> MakeDetector(
    std::function<void(const StallReport&)> on_stall,
    absl::Duration budget = kBudget) {
  StallDetectorOptions options;
  options.budget = budget;
  options.on_stall = std::move(on_stall);
  absl::StatusOr<std::unique_ptr<StallDetector>> detector =
      StallDetector::Create(options);
  EXPECT_TRUE(detector.ok()) << detector.status();
  return *std::move(detector);
}

Task<void> Compute(std::function<bool()> done) {
  EXPECT_TRUE(ComputeForStallTest(done));
  co_return;
}

Task<void> RunNamed(Task<void> task, std::string name) {
  (co_await Spawn(std::move(task), name)).IgnoreError();
}

class StallDetectorTest : public testing::BackendConformance {
 protected:
  void SetUp() override {
    BackendConformance::SetUp();
    if (IsSkipped()) return;
    executor_ = std::make_unique<Executor>(
        std::make_unique<Loop>(MakeForTest()), ExecutorOptions());
  }
  // The executor ends before the system whose fds it uses.
  void TearDown() override { executor_.reset(); }

  Executor& executor() { return *executor_; }
  void Run(Task<void> task, const std::string& name) {
    executor_->Run(RunNamed(std::move(task), name)).IgnoreError();
  }
  std::function<void(const StallReport&)> ToReports() {
    return [this](const StallReport& report) { reports_.Add(report); };
  }

  Reports reports_;

 private:
  std::unique_ptr<Executor> executor_;
};

TEST_P(StallDetectorTest, NamesATaskThatComputesOnce) {
  const std::unique_ptr<StallDetector> detector = MakeDetector(ToReports());
  const StallDetector::Watch watch = detector->Attach(executor(), "worker 3");
  MonotonicTime reported;
  Run(Compute([&] {
        if (reports_.size() == 0) return false;
        const MonotonicTime now = Clock::Real().Now();
        if (reported == MonotonicTime()) reported = now;
        return now - reported > 10 * kBudget;  // and not again
      }),
      "parser");

  EXPECT_EQ(detector->stalls(), 1u);
  ASSERT_THAT(reports_.All(), SizeIs(1));
  const StallReport report = reports_.All().front();
  EXPECT_EQ(report.loop, "worker 3");
  EXPECT_EQ(report.task, "parser");
  EXPECT_GT(report.duration, kBudget);
  EXPECT_THAT(report.stack, HasSubstr("ComputeForStallTest"));
  // The thread sanitizer runs handlers later, from its own functions.
  if (!kThreadSanitizer) EXPECT_THAT(report.stack, Not(HasSubstr("OnSignal")));
}

TEST_P(StallDetectorTest, ReportsEachStall) {
  const std::unique_ptr<StallDetector> detector = MakeDetector(ToReports());
  const StallDetector::Watch watch = detector->Attach(executor(), "worker");
  for (size_t i = 1; i <= 3; ++i)
    Run(Compute([&] { return reports_.size() >= i; }), "again");
  EXPECT_EQ(detector->stalls(), 3u);
}

Task<void> SleepInTheKernel(int* errnum) {
  timespec hour = {.tv_sec = 3600, .tv_nsec = 0};
  *errnum = nanosleep(&hour, nullptr) == 0 ? 0 : errno;
  co_return;
}

// Linux restarts no sleep after a handler has run: the header says so.
TEST_P(StallDetectorTest, NamesATaskThatSleepsInTheKernelAndInterruptsIt) {
  const std::unique_ptr<StallDetector> detector = MakeDetector(ToReports());
  const StallDetector::Watch watch = detector->Attach(executor(), "worker");
  int errnum = 0;
  Run(SleepInTheKernel(&errnum), "sleeper");
  EXPECT_EQ(errnum, EINTR);
  ASSERT_TRUE(ComputeForStallTest([&] { return reports_.size() == 1; }));
  EXPECT_EQ(reports_.All().front().task, "sleeper");
  EXPECT_THAT(reports_.All().front().stack, HasSubstr("SleepInTheKernel"));
}

Task<void> ReadBlocking(int fd, ssize_t* result) {
  char byte;
  *result = read(fd, &byte, 1);
  if (*result < 0) *result = -errno;
  co_return;
}

TEST_P(StallDetectorTest, InterruptsNoReadThatTheTaskBlocksIn) {
  testing::FdPair pipe = testing::MakePipe();
  const std::unique_ptr<StallDetector> detector =
      MakeDetector([&](const StallReport& report) {
        reports_.Add(report);
        EXPECT_EQ(write(pipe.second.get(), "x", 1), 1);
      });
  const StallDetector::Watch watch = detector->Attach(executor(), "worker");
  ssize_t result = 0;
  Run(ReadBlocking(pipe.first.get(), &result), "reader");
  EXPECT_EQ(result, 1);
  ASSERT_THAT(reports_.All(), SizeIs(1));
  EXPECT_EQ(reports_.All().front().task, "reader");
}

Task<void> SleepOnce(absl::Duration duration) {
  (co_await Sleep(duration)).IgnoreError();
}

TEST_P(StallDetectorTest, KnowsThatWaitingIsNoStall) {
  const std::unique_ptr<StallDetector> detector =
      MakeDetector(ToReports(), absl::Milliseconds(200));
  const StallDetector::Watch watch = detector->Attach(executor(), "worker");
  Run(SleepOnce(absl::Seconds(2)), "idle");
  EXPECT_THAT(reports_.All(), IsEmpty());
}

// A program may do something else between two calls of Run().
TEST_P(StallDetectorTest, KnowsThatTimeOutsideOfTurnsIsNoStall) {
  const std::unique_ptr<StallDetector> detector =
      MakeDetector(ToReports(), absl::Milliseconds(100));
  const StallDetector::Watch watch = detector->Attach(executor(), "worker");
  Run(SleepOnce(absl::ZeroDuration()), "short");
  const MonotonicTime began = Clock::Real().Now();
  EXPECT_TRUE(ComputeForStallTest(
      [&] { return Clock::Real().Now() - began > absl::Milliseconds(500); }));
  EXPECT_THAT(reports_.All(), IsEmpty());
}

class SpinningEntry : public Runnable {
 public:
  explicit SpinningEntry(const Reports& reports)
      : Runnable(&OnTurn), reports_(reports) {}

 private:
  static void OnTurn(Runnable& entry) {
    const Reports& reports = static_cast<SpinningEntry&>(entry).reports_;
    EXPECT_TRUE(ComputeForStallTest([&] { return reports.size() > 0; }));
  }

  const Reports& reports_;
};

TEST_P(StallDetectorTest, WatchesALoopWithoutTasks) {
  const std::unique_ptr<StallDetector> detector = MakeDetector(ToReports());
  Loop& loop = executor().loop();
  const StallDetector::Watch watch = detector->Attach(loop, "ring");
  SpinningEntry entry(reports_);
  loop.Schedule(entry);
  loop.Turn(MonotonicTime::FromNanoseconds(0));
  ASSERT_THAT(reports_.All(), SizeIs(1));
  EXPECT_EQ(reports_.All().front().loop, "ring");
  EXPECT_EQ(reports_.All().front().task, "");
  EXPECT_THAT(reports_.All().front().stack, HasSubstr("ComputeForStallTest"));
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StallDetectorTest);

std::unique_ptr<Executor> MakeExecutor() {
  absl::StatusOr<std::unique_ptr<Executor>> executor = Executor::Create();
  EXPECT_TRUE(executor.ok()) << executor.status();
  return *std::move(executor);
}

TEST(StallDetector, TellsTwoLoopsApart) {
  Reports reports;
  const std::unique_ptr<StallDetector> detector =
      MakeDetector([&](const StallReport& report) { reports.Add(report); });
  std::promise<void> attached;
  std::promise<void> over;
  std::thread quiet([&] {
    const std::unique_ptr<Executor> executor = MakeExecutor();
    const StallDetector::Watch watch = detector->Attach(*executor, "quiet");
    attached.set_value();
    over.get_future().wait();
  });
  std::thread second([&] {
    const std::unique_ptr<Executor> executor = MakeExecutor();
    const StallDetector::Watch watch = detector->Attach(*executor, "second");
    executor->Run(RunNamed(Compute([&] { return reports.size() == 2; }), "b"))
        .IgnoreError();
  });
  attached.get_future().wait();
  const std::unique_ptr<Executor> executor = MakeExecutor();
  const StallDetector::Watch watch = detector->Attach(*executor, "first");
  executor->Run(RunNamed(Compute([&] { return reports.size() == 2; }), "a"))
      .IgnoreError();
  second.join();
  over.set_value();
  quiet.join();

  std::string found;
  for (const StallReport& report : reports.All())
    found += report.loop + ":" + report.task + " ";
  EXPECT_THAT(found,
              ::testing::AnyOf("first:a second:b ", "second:b first:a "));
}

TEST(StallDetector, WatchesTwoLoopsOfOneThread) {
  Reports reports;
  const std::unique_ptr<StallDetector> detector =
      MakeDetector([&](const StallReport& report) { reports.Add(report); });
  const std::unique_ptr<Executor> first = MakeExecutor();
  const std::unique_ptr<Executor> second = MakeExecutor();
  const StallDetector::Watch first_watch = detector->Attach(*first, "first");
  StallDetector::Watch second_watch = detector->Attach(*second, "second");
  first->Run(RunNamed(Compute([&] { return reports.size() == 1; }), "a"))
      .IgnoreError();
  second->Run(RunNamed(Compute([&] { return reports.size() == 2; }), "b"))
      .IgnoreError();
  second_watch = StallDetector::Watch();
  first->Run(RunNamed(Compute([&] { return reports.size() == 3; }), "c"))
      .IgnoreError();
  ASSERT_THAT(reports.All(), SizeIs(3));
  EXPECT_EQ(reports.All()[0].task, "a");
  EXPECT_EQ(reports.All()[1].loop, "second");
  EXPECT_EQ(reports.All()[1].task, "b");
  EXPECT_EQ(reports.All()[2].task, "c");
}

// The stalled task itself ends the watch, while on_stall runs.
TEST(StallDetector, StopsWatchingInTheMiddleOfAStall) {
  std::atomic<bool> reported{false};
  std::promise<void> unwatched;
  const std::unique_ptr<StallDetector> detector =
      MakeDetector([&](const StallReport&) {
        reported.store(true);
        unwatched.get_future().wait();
      });
  const std::unique_ptr<Executor> executor = MakeExecutor();
  StallDetector::Watch watch = detector->Attach(*executor, "worker");
  const auto end_watch = [&] {
    if (!reported.load()) return false;
    watch = StallDetector::Watch();
    return true;
  };
  executor->Run(Compute(end_watch)).IgnoreError();
  unwatched.set_value();
}

// Stalls end, and watches with them, just when the detector asks.
TEST(StallDetector, SurvivesStallsThatEndAtAnyMoment) {
  const auto ignore = [](const StallReport&) {};
  const std::unique_ptr<StallDetector> detector =
      MakeDetector(ignore, absl::Milliseconds(1));
  const std::unique_ptr<Executor> executor = MakeExecutor();
  const uint64_t n = testing::Scaled(400);
  for (uint64_t i = 0; i < n; ++i) {
    const StallDetector::Watch watch = detector->Attach(*executor, "worker");
    const MonotonicTime end = Clock::Real().Now() + absl::Milliseconds(1) +
                              absl::Microseconds(i * 10 % 500);
    executor->Run(Compute([&] { return Clock::Real().Now() > end; }))
        .IgnoreError();
  }
}

TEST(StallDetector, PrintsAReportByDefault) {
  StallDetectorOptions options;
  options.budget = kBudget;
  ::testing::internal::CaptureStderr();
  absl::StatusOr<std::unique_ptr<StallDetector>> detector =
      StallDetector::Create(options);
  ASSERT_TRUE(detector.ok()) << detector.status();
  const std::unique_ptr<Executor> executor = MakeExecutor();
  {
    const StallDetector::Watch watch = (*detector)->Attach(*executor, "worker");
    const auto reported = [&] { return (*detector)->stalls() > 0; };
    executor->Run(RunNamed(Compute(reported), "parser")).IgnoreError();
  }
  detector->reset();  // after the report
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("ringway: \"worker\" has been in one turn for "));
  EXPECT_THAT(text, HasSubstr("ms, in the task \"parser\":\n    0x"));
}

TEST(FormatStall, SaysWhatIsMissing) {
  StallReport report;
  report.loop = "worker 1";
  report.duration = absl::Microseconds(120'900);
  EXPECT_EQ(FormatStall(report),
            "ringway: \"worker 1\" has been in one turn for 120ms; its stack "
            "could not be taken\n");
}

}  // namespace
}  // namespace ringway
