// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/cancel_token.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

const absl::Status kReason = absl::AbortedError("the site was closed");

Task<void> CancelAfter(absl::Duration delay, CancelSource* source) {
  static_cast<void>(co_await Sleep(delay));
  source->Cancel(kReason);
}

// Logs its name when it runs.
class Note : public CancelListener {
 public:
  Note(const CancelToken& token, std::string* log, char name)
      : CancelListener(&Write), log_(log), name_(name) {
    token.AddListener(*this);
  }
  ~Note() {
    if (linked()) Unlink();
  }

 private:
  static void Write(CancelListener& listener) {
    Note& self = static_cast<Note&>(listener);
    self.log_->push_back(self.name_);
  }

  std::string* const log_;
  const char name_;
};

// --- Sources and tokens by themselves.

TEST(CancelToken, IsCancelledWithItsSourceForTheFirstReason) {
  CancelSource source;
  const CancelToken token = source.token();
  EXPECT_FALSE(token.cancelled());
  EXPECT_TRUE(token.reason().ok());
  source.Cancel(kReason);
  source.Cancel();
  EXPECT_TRUE(token.cancelled());
  EXPECT_TRUE(source.cancelled());
  EXPECT_EQ(token.reason(), kReason);
}

TEST(CancelToken, OutlivesItsSourceWhichCancelsNothingByEnding) {
  auto source = std::make_unique<CancelSource>();
  const std::vector<CancelToken> copies(3, source->token());
  source.reset();
  for (const CancelToken& token : copies) EXPECT_FALSE(token.cancelled());
}

TEST(CancelToken, OfAChildIsCancelledWithTheParentForItsReason) {
  CancelSource parent;
  CancelSource child = parent.token().Child();
  CancelSource grandchild(child.token());
  parent.Cancel(kReason);
  EXPECT_EQ(child.token().reason(), kReason);
  EXPECT_EQ(grandchild.token().reason(), kReason);
}

TEST(CancelToken, OfAParentIsNotCancelledWithTheChild) {
  CancelSource parent;
  CancelSource child = parent.token().Child();
  child.Cancel(kReason);
  EXPECT_FALSE(parent.cancelled());
  parent.Cancel();
  EXPECT_EQ(child.token().reason(), kReason);
}

TEST(CancelToken, OfAChildOfACancelledParentIsCancelled) {
  CancelSource parent;
  parent.Cancel(kReason);
  CancelSource child(parent.token());
  EXPECT_EQ(child.token().reason(), kReason);
}

TEST(CancelToken, StaysReachableThroughAGenerationWhoseSourceIsGone) {
  CancelSource parent;
  auto child = std::make_unique<CancelSource>(parent.token());
  CancelSource grandchild(child->token());
  child.reset();
  parent.Cancel(kReason);
  EXPECT_EQ(grandchild.token().reason(), kReason);
}

TEST(CancelToken, MayOutliveTheWholeFamily) {
  auto parent = std::make_unique<CancelSource>();
  auto child = std::make_unique<CancelSource>(parent->token());
  const CancelToken token = child->token();
  parent.reset();
  child.reset();
  EXPECT_FALSE(token.cancelled());
}

TEST(CancelSource, CancelTravelsFromTheInnermostOutwardsTheNewestFirst) {
  std::string log;
  CancelSource root;
  Note first(root.token(), &log, 'r');
  Note second(root.token(), &log, 'R');
  CancelSource a(root.token());
  Note of_a(a.token(), &log, 'a');
  CancelSource aa(a.token());
  Note of_aa(aa.token(), &log, '1');
  CancelSource b(root.token());
  Note of_b(b.token(), &log, 'b');
  root.Cancel();
  EXPECT_EQ(log, "b1aRr");
  root.Cancel();
  EXPECT_EQ(log, "b1aRr");  // once
}

TEST(CancelSource, TellsWhoComesLateAtOnceAndWhoHasGoneNothing) {
  std::string log;
  CancelSource source;
  { Note gone(source.token(), &log, 'g'); }
  source.Cancel();
  EXPECT_EQ(log, "");
  Note late(source.token(), &log, 'l');
  EXPECT_EQ(log, "l");
}

TEST(CancelToken, OfNoSourceIsNeverCancelled) {
  const CancelToken none;
  CancelSource child = none.Child();
  std::string log;
  Note note(none, &log, 'n');
  child.Cancel(kReason);
  EXPECT_EQ(child.token().reason(), kReason);
  EXPECT_FALSE(none.cancelled());
  EXPECT_EQ(none.reason(), absl::OkStatus());
  EXPECT_EQ(log, "");
}

TEST(CancelSource, CanBeMoved) {
  CancelSource source;
  const CancelToken token = source.token();
  CancelSource moved = std::move(source);
  moved.Cancel(kReason);
  EXPECT_EQ(token.reason(), kReason);
}

TEST(CancelSourceDeathTest, CancelledForNoReasonDiesWithAMessage) {
  EXPECT_DEATH(CancelSource().Cancel(absl::OkStatus()),
               "a cancel needs a reason");
}

TEST(CancelSourceDeathTest, OnAnotherThreadDiesWithAMessage) {
  EXPECT_DEATH(
      {
        CancelSource source;
        std::thread([&] { source.Cancel(); }).join();
      },
      "a CancelSource");
}

// --- Waiting for a cancel.

Task<absl::Duration> WaitForCancel(CancelToken token, const Clock* clock) {
  const MonotonicTime start = clock->Now();
  const absl::Status waited = co_await token.Cancelled();
  EXPECT_TRUE(waited.ok());
  co_return clock->Now() - start;
}

Task<void> WaitTwice(const Clock* clock) {
  CancelSource source;
  JoinHandle<absl::Duration> waiter =
      Spawn(WaitForCancel(source.token(), clock));
  co_await CancelAfter(absl::Seconds(3), &source);
  const absl::StatusOr<absl::Duration> waited = co_await waiter;
  EXPECT_EQ(*waited, absl::Seconds(3));
  const absl::Duration again = co_await WaitForCancel(source.token(), clock);
  EXPECT_EQ(again, absl::ZeroDuration());
}

TEST(CancelToken, CanBeAwaited) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(WaitTwice(&executor.clock())).ok());
}

Task<absl::Status> WaitFor(CancelToken token) {
  co_return co_await token.Cancelled();
}

Task<void> CancelTheWaiter() {
  CancelSource source;
  JoinHandle<absl::Status> waiter = Spawn(WaitFor(source.token()));
  co_await Yield();
  waiter.Cancel();
  const absl::Status status = co_await waiter;
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_FALSE(source.cancelled());
}

TEST(CancelToken, AWaitForItEndsWithTheWaitingTasksOwnCancel) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelTheWaiter()).ok());
}

// --- Tasks under a token.

Task<absl::Status> RunUnder(CancelSource* source, Task<absl::Status> task) {
  JoinHandle<void> canceller = Spawn(CancelAfter(absl::Seconds(1), source));
  absl::Status status = co_await WithToken(source->token(), std::move(task));
  static_cast<void>(co_await canceller);
  co_return status;
}

Task<absl::Status> CleanUpFor(absl::Duration duration, bool* cleaned_up) {
  const absl::Status status = co_await Sleep(absl::Hours(1));
  Shield shield;
  static_cast<void>(co_await Sleep(duration));
  *cleaned_up = true;
  co_return status;
}

TEST(WithToken, CancelsTheTaskWaitsForItAndGivesTheReason) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  CancelSource source;
  bool cleaned_up = false;
  EXPECT_EQ(executor->Run(
                RunUnder(&source, CleanUpFor(absl::Seconds(5), &cleaned_up))),
            kReason);
  EXPECT_TRUE(cleaned_up);
  EXPECT_EQ(executor.Now() - start, absl::Seconds(6));
}

TEST(WithToken, GivesTheResultOfATaskThatEndsBefore) {
  VirtualTimeExecutor executor;
  CancelSource source;
  EXPECT_EQ(
      *executor->Run(WithToken(source.token(), GiveAfter(absl::Seconds(1), 5))),
      5);
  source.Cancel();  // nobody listens any more
}

Task<absl::Status> RunUnderNoToken() {
  const CancelToken none;
  EXPECT_EQ(co_await WithToken(none, Sleep(absl::Seconds(1))),
            absl::OkStatus());
  EXPECT_EQ(*co_await WithToken(none, GiveAfter(absl::Seconds(1), 5)), 5);
  co_return absl::OkStatus();
}

// A handler begins with such a token, and takes that of the drain once it has
// answered for the first time.
TEST(WithToken, OfNoSourceLimitsNothing) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(executor->Run(RunUnderNoToken()), absl::OkStatus());
}

TEST(WithToken, GivesAResultThatCameInSpiteOfTheCancel) {
  VirtualTimeExecutor executor;
  CancelSource source;
  struct Local {
    static Task<absl::StatusOr<int>> Run(CancelSource* source) {
      Spawn(CancelAfter(absl::Seconds(1), source)).Detach();
      co_return co_await WithToken(source->token(),
                                   GiveAfter(absl::Hours(1), 5));
    }
  };
  EXPECT_EQ(*executor->Run(Local::Run(&source)), 5);
}

Task<void> SetStarted(bool* started) {
  *started = true;
  co_return;
}

Task<absl::Status> FailOnceCancelled() {
  (co_await Sleep(absl::Hours(1))).IgnoreError();
  co_return absl::UnavailableError("reset");
}
Task<absl::Status> CancelWhatFails() {
  CancelSource source;
  auto handle = Spawn(source.token(), FailOnceCancelled());
  (co_await Sleep(absl::Seconds(1))).IgnoreError();
  source.Cancel();
  co_return co_await handle;
}

// As for WithTimeout(): an error that raced the cancel may be given only once.
TEST(WithToken, GivesAnErrorOfTheTasksOwnAlsoAfterTheCancel) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(executor->Run(CancelWhatFails()).code(),
            absl::StatusCode::kUnavailable);
}

TEST(WithToken, OfACancelledTokenNeverStartsTheTask) {
  VirtualTimeExecutor executor;
  CancelSource source;
  source.Cancel(kReason);
  bool started = false;
  EXPECT_EQ(executor->Run(WithToken(source.token(), SetStarted(&started))),
            kReason);
  EXPECT_FALSE(started);
}

Task<void> Throw() {
  static_cast<void>(co_await Sleep(absl::Hours(1)));
  throw std::runtime_error("thrown");
}

TEST(WithToken, ThrowsWhatTheTaskThrew) {
  VirtualTimeExecutor executor;
  CancelSource source;
  EXPECT_THROW(
      static_cast<void>(executor->Run(WithToken(source.token(), Throw()))),
      std::runtime_error);
}

Task<void> CancelTheOneWhoRuns(bool* cleaned_up) {
  CancelSource source;
  JoinHandle<absl::Status> handle =
      Spawn(source.token(), CleanUpFor(absl::Seconds(5), cleaned_up));
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  handle.Cancel();
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  source.Cancel(kReason);  // while it cleans up: no effect
  const absl::Status status = co_await handle;
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_TRUE(*cleaned_up);
}

TEST(WithToken, WhenCancelledCancelsTheTaskAndWaitsForIt) {
  VirtualTimeExecutor executor;
  bool cleaned_up = false;
  EXPECT_TRUE(executor->Run(CancelTheOneWhoRuns(&cleaned_up)).ok());
}

Task<absl::Status> ScopeOfSleepers(TaskScope& scope, int n) {
  for (int i = 0; i < n; ++i)
    scope.Spawn(SleepOnce(absl::InfiniteDuration())).Detach();
  co_return absl::OkStatus();
}

TEST(WithToken, EndsAWholeScope) {
  VirtualTimeExecutor executor;
  CancelSource source;
  Task<absl::Status> scope = WithScope(ScopeOfSleepers, 100);
  EXPECT_EQ(executor->Run(RunUnder(&source, std::move(scope))), kReason);
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

Task<void> CancelAThousand() {
  CancelSource source;
  std::vector<CancelSource> children;
  std::vector<JoinHandle<absl::Status>> tasks;
  for (int i = 0; i < 1000; ++i) {
    children.push_back(source.token().Child());
    tasks.push_back(
        Spawn(children.back().token(), SleepOnce(absl::InfiniteDuration())));
  }
  co_await Yield();
  children[500].Cancel();
  source.Cancel(kReason);
  for (int i = 0; i < 1000; ++i) {
    const absl::Status status = co_await tasks[i];
    EXPECT_EQ(status, i == 500 ? absl::CancelledError("") : kReason);
  }
}

TEST(WithToken, AThousandTasksUnderTokensOfTheirOwnEndTogether) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelAThousand()).ok());
  EXPECT_EQ(executor->stats().frames.live, 0u);
}

TEST(WithToken, CanBeDestroyedWithItsExecutor) {
  CancelSource source;
  {
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    VirtualTimeExecutor executor(options);
    executor
        ->Spawn(WithToken(source.token(), SleepOnce(absl::InfiniteDuration())))
        .Detach();
    EXPECT_TRUE(executor->Run(SleepOnce(absl::Seconds(1))).ok());
  }
  source.Cancel();  // nobody listens any more
}

TEST(CancelToken, MadeInAnExecutorMayOutliveIt) {
  std::unique_ptr<CancelSource> source;
  struct Local {
    static Task<void> Make(std::unique_ptr<CancelSource>* source) {
      *source = std::make_unique<CancelSource>();
      co_return;
    }
  };
  {
    VirtualTimeExecutor executor;
    EXPECT_TRUE(executor->Run(Local::Make(&source)).ok());
  }
  CancelSource child(source->token());
  source->Cancel(kReason);
  EXPECT_EQ(child.token().reason(), kReason);
}

}  // namespace
}  // namespace ringway
