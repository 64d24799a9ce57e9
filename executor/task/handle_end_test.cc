// SPDX-License-Identifier: Apache-2.0
//
// Handles that outlive their executor, for example in a map that is destroyed
// after the executor, or on the main thread after the worker's end.
//
// A JoinHandle aborted there; an Interval used the loop's memory after it had
// been freed; a CancelToken aborted because it was dropped on another thread
// than its own, which had ended. Tests usually keep handles in coroutines'
// locals, which are destroyed first.

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/interval.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

// The handles that the program keeps.
struct Handles {
  JoinHandle<absl::Status> running;
  JoinHandle<std::shared_ptr<int>> ended;
  JoinHandle<absl::Status> not_started;
  std::unique_ptr<Interval> interval;
  std::optional<CancelSource> source;
  std::optional<CancelToken> token;
  std::weak_ptr<int> result;  // of `ended`
};

Task<std::shared_ptr<int>> Give(std::shared_ptr<int> value) { co_return value; }

Task<void> MakeHandles(Handles* h) {
  auto value = std::make_shared<int>(7);
  h->result = value;
  h->running = Spawn(SleepOnce(absl::Hours(1)));
  h->ended = Spawn(Give(std::move(value)));
  h->interval = std::make_unique<Interval>(absl::Seconds(1));
  h->source.emplace();
  h->token = h->source->token();
  co_await Yield();
  h->not_started = Spawn(SleepOnce(absl::Hours(1)));
}

ExecutorOptions WithoutGrace() {
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  return options;
}

// Ends the executor, and its thread if it has a separate one.
void MakeAndEnd(bool on_worker, Handles* handles) {
  auto main = [&] {
    VirtualTimeExecutor executor(WithoutGrace());
    EXPECT_TRUE(executor->Run(MakeHandles(handles)).ok());
    EXPECT_TRUE(handles->running.valid());
    EXPECT_FALSE(handles->result.expired());
  };
  if (on_worker) {
    std::thread(main).join();
  } else {
    main();
  }
}

class HandleOutlivesItsExecutor : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { MakeAndEnd(GetParam(), &handles_); }
  Handles handles_;
};

INSTANTIATE_TEST_SUITE_P(AndIsDestroyed, HandleOutlivesItsExecutor,
                         testing::Bool(), [](const auto& param) {
                           return param.param ? "AfterItsThread"
                                              : "OnItsThread";
                         });

template <typename T>
Task<absl::Status> Join(JoinHandle<T>* handle) {
  if constexpr (std::is_same_v<T, absl::Status>) {
    co_return co_await *handle;
  } else {
    absl::StatusOr<T> joined = co_await *handle;
    co_return joined.status();
  }
}

void ExpectEmpty(JoinHandleBase& handle, const absl::Status& joined) {
  EXPECT_EQ(joined.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(joined.message(), "the executor of this JoinHandle has ended");
  EXPECT_FALSE(handle.valid());
  EXPECT_TRUE(handle.done());
  EXPECT_EQ(handle.id(), TaskId());
  EXPECT_EQ(handle.exception(), nullptr);
  handle.Cancel();
  handle.Detach();
}

TEST_P(HandleOutlivesItsExecutor, AJoinHandleInAnyState) {
  EXPECT_TRUE(handles_.result.expired()) << "nothing can take it any more";
  VirtualTimeExecutor other;
  ExpectEmpty(handles_.running, other->Run(Join(&handles_.running)));
  ExpectEmpty(handles_.ended, handles_.ended.TakeResult().status());
  ExpectEmpty(handles_.not_started, handles_.not_started.TakeResult());
}

TEST_P(HandleOutlivesItsExecutor, AJoinHandleThatIsMovedOrDropped) {
  JoinHandle<absl::Status> moved = std::move(handles_.running);
  EXPECT_EQ(moved.TakeResult().code(), StatusCode::kFailedPrecondition);
  handles_.running = std::move(moved);
  handles_.ended = {};
}

Task<absl::Status> TickOf(Interval* interval) {
  co_return (co_await interval->Tick()).status();
}

TEST_P(HandleOutlivesItsExecutor, AnInterval) {
  VirtualTimeExecutor other;
  const absl::Status ticked = other->Run(TickOf(handles_.interval.get()));
  EXPECT_EQ(ticked.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(ticked.message(), "the loop of the Interval has ended");
  EXPECT_EQ(handles_.interval->period(), absl::Seconds(1));
  EXPECT_DEATH(handles_.interval->Reset(),
               "an Interval was used after the end of its loop");
}

TEST_P(HandleOutlivesItsExecutor, ACancelSourceAndItsToken) {
  CancelToken copy = *handles_.token;
  EXPECT_FALSE(copy.cancelled());
  handles_.source->Cancel();
  EXPECT_TRUE(copy.cancelled());
  handles_.source.reset();
  EXPECT_TRUE(handles_.token->Child().cancelled());
}

// --- Handles move, and the task knows where its own is.

Task<void> GrowAVector(std::vector<JoinHandle<absl::Status>>* handles) {
  for (int i = 0; i < 100; ++i)
    handles->push_back(Spawn(SleepOnce(absl::Hours(1))));
  std::swap(handles->front(), handles->back());
  co_return;
}

TEST(JoinHandleEnd, FindsHandlesWhereverTheyHaveMoved) {
  std::vector<JoinHandle<absl::Status>> handles;
  {
    VirtualTimeExecutor executor;
    EXPECT_TRUE(executor->Run(GrowAVector(&handles)).ok());
  }
  for (JoinHandle<absl::Status>& handle : handles) EXPECT_FALSE(handle.valid());
}

// A result that owns the handle of another task, and its own.
struct Ring {
  JoinHandle<std::shared_ptr<Ring>> other;
};
Task<std::shared_ptr<Ring>> GiveRing(std::shared_ptr<Ring> ring) {
  co_return ring;
}
Task<void> TieHandles(std::weak_ptr<Ring>* out) {
  auto first = std::make_shared<Ring>();
  auto second = std::make_shared<Ring>();
  *out = first;
  first->other = Spawn(GiveRing(second));
  second->other = Spawn(GiveRing(first));
  co_await Yield();
}

TEST(JoinHandleEnd, DestroysResultsThatHoldEachOthersHandles) {
  std::weak_ptr<Ring> ring;
  {
    VirtualTimeExecutor executor;
    EXPECT_TRUE(executor->Run(TieHandles(&ring)).ok());
    EXPECT_FALSE(ring.expired());
  }
  EXPECT_TRUE(ring.expired());
}

// --- A forked child has copies of all objects but is not their owner.

Task<void> SleepShielded(std::shared_ptr<int> held) {
  Shield shield;
  static_cast<void>(co_await Sleep(absl::Hours(1)));
  ADD_FAILURE() << *held;
}

int ExitCodeOf(const std::function<void()>& child) {
  const pid_t pid = fork();
  if (pid == 0) {
    child();
    _exit(7);
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ForkedChild, DropsHandlesAndExecutorWithoutATrace) {
  Handles handles;
  VirtualTimeExecutor executor(WithoutGrace());
  EXPECT_TRUE(executor->Run(MakeHandles(&handles)).ok());
  auto held = std::make_shared<int>(1);
  executor->Spawn(SleepShielded(held)).Detach();
  executor->Turn(executor.Now());

  EXPECT_EQ(ExitCodeOf([&] {
              handles.running = {};
              handles.interval.reset();
              handles.token.reset();
              executor.executor.reset();
              handles.source.reset();
              handles.ended = {};
              if (held.use_count() != 2) _exit(1);  // frames are the parent's
            }),
            7);
  EXPECT_TRUE(handles.running.valid());
  EXPECT_EQ(held.use_count(), 2);
}

}  // namespace
}  // namespace ringway
