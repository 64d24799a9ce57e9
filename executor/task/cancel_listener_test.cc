// SPDX-License-Identifier: Apache-2.0
//
// Which cancel listeners of a task run, when, and in which order.

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

// Logs its name when it runs; unlinks itself when it is destroyed.
class Note : public CancelListener {
 public:
  Note(std::string* log, char name)
      : CancelListener(&Write), log_(log), name_(name) {}
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

TaskContext& Self() { return *Executor::Current()->current_task(); }

Task<absl::Status> SleepWithTwoNotes(std::string* log) {
  Note outer(log, 'o');
  Self().AddCancelListener(outer);
  Note inner(log, 'i');
  Self().AddCancelListener(inner);
  {
    Note gone(log, 'g');
    Self().AddCancelListener(gone);
  }
  const absl::Status status = co_await Sleep(absl::Hours(1));
  log->push_back('w');
  co_return status;
}

Task<void> CancelTwice(std::string* log) {
  JoinHandle<absl::Status> task = Spawn(SleepWithTwoNotes(log));
  co_await Yield();
  task.Cancel();
  task.Cancel();
  EXPECT_EQ(*log, "io");  // told inside Cancel(), before the task goes on
  const absl::Status status = co_await task;
  EXPECT_TRUE(absl::IsCancelled(status));
}

TEST(CancelListener, TheNewestIsToldFirstAndEachOnce) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(CancelTwice(&log)).ok());
  EXPECT_EQ(log, "iow");
}

Task<void> CancelThenAdd(std::string* log) {
  Self().RequestCancel();
  Note late(log, 'l');
  Self().AddCancelListener(late);
  EXPECT_EQ(*log, "l");
  EXPECT_FALSE(late.linked());
  co_return;
}

TEST(CancelListener, OfACancelledTaskIsToldAtOnce) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(CancelThenAdd(&log)).ok());
}

Task<void> CancelUnderShields(std::string* log) {
  Note note(log, 'n');
  Self().AddCancelListener(note);
  {
    Shield outer;
    {
      Shield inner;
      Self().RequestCancel();
    }
    EXPECT_EQ(*log, "");
  }
  EXPECT_EQ(*log, "n");
  { Shield again; }
  EXPECT_EQ(*log, "n");
  co_return;
}

TEST(CancelListener, UnderShieldsIsToldWhenTheLastOneGoes) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(CancelUnderShields(&log)).ok());
}

Task<void> NeverCancelled(std::string* log) {
  Note note(log, 'n');
  Self().AddCancelListener(note);
  { Shield shield; }
  co_await Yield();
}

TEST(CancelListener, OfATaskThatIsNotCancelledHearsNothing) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(NeverCancelled(&log)).ok());
  EXPECT_EQ(log, "");
}

Task<void> Throw(bool claim) {
  if (claim) Self().ClaimException();
  throw std::runtime_error("thrown");
  co_return;
}

Task<void> ThrowDetached(bool claim) {
  Spawn(Throw(claim)).Detach();
  co_await Yield();
}

TEST(ClaimException, KeepsADetachedTasksExceptionFromTheHandler) {
  int reported = 0;
  ExecutorOptions options;
  options.on_detached_exception = [&](const std::exception_ptr&) {
    ++reported;
  };
  VirtualTimeExecutor executor(options);
  EXPECT_TRUE(executor->Run(ThrowDetached(/*claim=*/true)).ok());
  EXPECT_EQ(reported, 0);
  EXPECT_TRUE(executor->Run(ThrowDetached(/*claim=*/false)).ok());
  EXPECT_EQ(reported, 1);
}

}  // namespace
}  // namespace ringway
