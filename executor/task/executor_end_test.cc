// SPDX-License-Identifier: Apache-2.0
//
// The end of an executor: no task is left running, waiting or leaked.

#include <dirent.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

Task<int> Give(int value) { co_return value; }

Task<int> Hold(std::shared_ptr<int> held) { co_return *held; }

int CountOpenFds() {
  DIR* dir = opendir("/proc/self/fd");
  int n = 0;
  while (readdir(dir) != nullptr) ++n;
  closedir(dir);
  return n;
}

struct NoteDestruction {
  explicit NoteDestruction(int* n) : count(n) {}
  NoteDestruction(NoteDestruction&& other) noexcept
      : count(std::exchange(other.count, nullptr)) {}
  ~NoteDestruction() {
    if (count != nullptr) ++*count;
  }
  int* count;
};

Task<absl::Status> SleepHolding(NoteDestruction) {
  co_return co_await Sleep(absl::InfiniteDuration());
}
Task<absl::Status> ReceiveHolding(NoteDestruction, int socket) {
  char buffer[16];
  ReceiveOp receive(socket, buffer);
  const absl::StatusOr<std::string> bytes = co_await receive;
  co_return bytes.status();
}
Task<absl::Status> WaitHolding(NoteDestruction, Event* event) {
  co_return co_await event->Wait();
}
Task<absl::Status> JoinHolding(NoteDestruction note) {
  Task<absl::Status> task = SleepHolding(std::move(note));
  JoinHandle<absl::Status> child = Spawn(std::move(task));
  co_return co_await child;
}

Task<void> ParkEverywhere(SocketPair* sockets, Event* event, int* destroyed) {
  NoteDestruction a(destroyed), b(destroyed), c(destroyed), d(destroyed);
  Spawn(SleepHolding(std::move(a))).Detach();
  Spawn(ReceiveHolding(std::move(b), sockets->near_end.get())).Detach();
  Spawn(WaitHolding(std::move(c), event)).Detach();
  Spawn(JoinHolding(std::move(d))).Detach();
  // Into the kernel with them.
  for (int i = 0; i < 3; ++i)
    static_cast<void>(co_await Sleep(absl::ZeroDuration()));
}

TEST(ExecutorEnd, CancelsParkedTasksAndLetsThemRunToTheirEnds) {
  const int fds_before = CountOpenFds();
  int destroyed = 0;
  {
    SocketPair sockets;
    Event event;
    auto executor = Executor::Create();
    ASSERT_TRUE(executor.ok()) << executor.status();
    ASSERT_TRUE(
        (*executor)->Run(ParkEverywhere(&sockets, &event, &destroyed)).ok());
    EXPECT_EQ(destroyed, 0);
    const MonotonicTime start = Clock::Real().Now();
    executor->reset();
    EXPECT_LT(Clock::Real().Now() - start, absl::Seconds(2));
  }
  EXPECT_EQ(destroyed, 4);
  EXPECT_EQ(CountOpenFds(), fds_before);
}

// Ignores cancellation: every await fails at once, and it continues.
Task<void> IgnoreCancels(NoteDestruction) {
  while (true) static_cast<void>(co_await Sleep(absl::Hours(1)));
}
Task<void> IgnoreCancelsInAChild(NoteDestruction note) {
  co_await IgnoreCancels(std::move(note));
}
// Waits under a shield for an event that is never set.
Task<void> WaitShielded(NoteDestruction, Event* event) {
  Shield shield;
  static_cast<void>(co_await event->Wait());
}
Task<void> ReceiveShielded(NoteDestruction, int socket) {
  Shield shield;
  char buffer[16];
  ReceiveOp receive(socket, buffer);
  static_cast<void>(co_await receive);
}

Task<void> SpawnStubborn(SocketPair* sockets, Event* event, int* destroyed) {
  NoteDestruction a(destroyed), b(destroyed), c(destroyed), d(destroyed);
  Spawn(IgnoreCancels(std::move(a))).Detach();
  Spawn(IgnoreCancelsInAChild(std::move(b))).Detach();
  Spawn(WaitShielded(std::move(c), event)).Detach();
  Spawn(ReceiveShielded(std::move(d), sockets->near_end.get())).Detach();
  for (int i = 0; i < 3; ++i)
    static_cast<void>(co_await Sleep(absl::ZeroDuration()));
}

TEST(ExecutorEnd, DestroysTasksThatIgnoreCancelsAfterTheGrace) {
  const int fds_before = CountOpenFds();
  int destroyed = 0;
  {
    SocketPair sockets;
    Event event;
    ExecutorOptions options;
    options.shutdown_grace = absl::Milliseconds(20);
    auto executor = Executor::Create(options);
    ASSERT_TRUE(executor.ok()) << executor.status();
    ASSERT_TRUE(
        (*executor)->Run(SpawnStubborn(&sockets, &event, &destroyed)).ok());
    executor->reset();
  }
  EXPECT_EQ(destroyed, 4);
  EXPECT_EQ(CountOpenFds(), fds_before);
}

TEST(ExecutorEnd, WithoutGraceDestroysEverythingAtOnce) {
  int destroyed = 0;
  {
    SocketPair sockets;
    Event event;
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    auto executor = Executor::Create(options);
    ASSERT_TRUE(executor.ok()) << executor.status();
    ASSERT_TRUE(
        (*executor)->Run(SpawnStubborn(&sockets, &event, &destroyed)).ok());
  }
  EXPECT_EQ(destroyed, 4);
}

// Frames are destroyed in slot order, whatever they refer to. Here the owner
// of the event, of the handle and of the cancelling guard is destroyed before
// their users.
struct CancelOnExit {
  explicit CancelOnExit(JoinHandle<absl::Status>* h) : handle(h) {}
  ~CancelOnExit() { handle->Cancel(); }
  JoinHandle<absl::Status>* handle;
};
struct SetOnExit {
  explicit SetOnExit(Event* e) : event(e) {}
  ~SetOnExit() { event->Set(); }
  Event* event;
};
struct SpawnOnExit {
  explicit SpawnOnExit(int* d) : destroyed(d) {}
  ~SpawnOnExit() {
    JoinHandle<absl::Status> handle =
        Spawn(SleepHolding(NoteDestruction(destroyed)));
    handle.Cancel();
  }
  int* destroyed;
};

Task<void> WaitForEventOf(Event* event) {
  Shield shield;
  static_cast<void>(co_await event->Wait());
}
Task<void> JoinHandleOf(JoinHandle<absl::Status>* handle) {
  Shield shield;
  static_cast<void>(co_await *handle);
}
Task<absl::Status> SleepShielded() {
  Shield shield;
  co_return co_await Sleep(absl::InfiniteDuration());
}

Task<void> OwnWhatOthersWaitFor(int* destroyed, bool* parked) {
  Shield shield;
  Event event;
  Event never;
  SetOnExit set_on_exit(&never);
  JoinHandle<absl::Status> sleeper = Spawn(SleepShielded());
  CancelOnExit cancel_on_exit(&sleeper);
  SpawnOnExit spawn_on_exit(destroyed);
  Spawn(WaitForEventOf(&event)).Detach();
  Spawn(WaitForEventOf(&never)).Detach();
  Spawn(JoinHandleOf(&sleeper)).Detach();
  co_await Yield();
  *parked = true;
  static_cast<void>(co_await Sleep(absl::InfiniteDuration()));
}

Task<void> SpawnOwner(int* destroyed) {
  bool parked = false;
  Spawn(OwnWhatOthersWaitFor(destroyed, &parked)).Detach();
  while (!parked) co_await Yield();
}

TEST(ExecutorEnd, DestroysFramesThatReferToEachOther) {
  int destroyed = 0;
  {
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    VirtualTimeExecutor executor(options);
    EXPECT_TRUE(executor->Run(SpawnOwner(&destroyed)).ok());
  }
  EXPECT_EQ(destroyed, 1);  // a late spawn was refused
}

Task<void> OwnEndedTarget(bool* ended) {
  JoinHandle<absl::Status> target = Spawn(SleepOnce(absl::ZeroDuration()));
  Spawn(JoinHandleOf(&target)).Detach();
  while (!target.done()) co_await Yield();
  *ended = true;
  Shield shield;
  static_cast<void>(co_await Sleep(absl::InfiniteDuration()));
}
Task<void> YieldUntil(const bool* flag) {
  while (!*flag) co_await Yield();
}

// The target has ended and its joiner is scheduled when the executor ends.
TEST(ExecutorEnd, DestroysAJoinerThatWasWokenButHasNotRun) {
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  options.loop.ready_budget = 1;
  VirtualTimeExecutor executor(options);
  bool ended = false;
  executor->Spawn(OwnEndedTarget(&ended)).Detach();
  EXPECT_TRUE(executor->Run(YieldUntil(&ended)).ok());
}

Task<void> CleanUpWhenCancelled(absl::Status* cleaned_up) {
  static_cast<void>(co_await Sleep(absl::InfiniteDuration()));
  Shield shield;
  JoinHandle<absl::Status> farewell = Spawn(SleepOnce(absl::Seconds(1)));
  *cleaned_up = co_await farewell;
}

TEST(ExecutorEnd, LetsAShieldedTaskSpawnWhatItNeedsToCleanUp) {
  absl::Status cleaned_up = absl::UnknownError("not set");
  {
    VirtualTimeExecutor executor;
    executor->Spawn(CleanUpWhenCancelled(&cleaned_up)).Detach();
    EXPECT_TRUE(executor->Run(SleepOnce(absl::ZeroDuration())).ok());
  }
  EXPECT_TRUE(cleaned_up.ok()) << cleaned_up;
}

Task<void> SpawnForEver(int* bodies) {
  ++*bodies;
  static_cast<void>(co_await Sleep(absl::Hours(1)));
  if (*bodies < 1000) Spawn(SpawnForEver(bodies)).Detach();
}

TEST(ExecutorEnd, CancelsWhatIsSpawnedMeanwhileBeforeItStarts) {
  int bodies = 0;
  {
    VirtualTimeExecutor executor;
    executor->Spawn(SpawnForEver(&bodies)).Detach();
    EXPECT_TRUE(executor->Run(SleepOnce(absl::ZeroDuration())).ok());
  }
  EXPECT_EQ(bodies, 1);
}

Task<void> HoldHandles(int n) {
  std::vector<JoinHandle<absl::Status>> handles;
  for (int i = 0; i < n; ++i)
    handles.push_back(Spawn(SleepOnce(absl::Hours(1))));
  Shield shield;
  static_cast<void>(co_await Sleep(absl::InfiniteDuration()));
}

TEST(ExecutorEnd, DestroysHandlesInsideOtherTasksFrames) {
  ExecutorOptions options;
  options.shutdown_grace = absl::Seconds(1);
  VirtualTimeExecutor executor(options);
  executor->Spawn(HoldHandles(100)).Detach();
  EXPECT_TRUE(executor->Run(SleepOnce(absl::Seconds(1))).ok());
}

TEST(ExecutorEnd, DestroysTasksThatNeverStarted) {
  auto held = std::make_shared<int>(1);
  {
    VirtualTimeExecutor executor;
    executor->Spawn(Hold(held)).Detach();
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ExecutorEnd, TakesNoLongerThanItsTasks) {
  const MonotonicTime start = Clock::Real().Now();
  for (int i = 0; i < 20; ++i) {
    auto executor = Executor::Create();
    ASSERT_TRUE(executor.ok()) << executor.status();
    (*executor)->Spawn(SleepOnce(absl::InfiniteDuration())).Detach();
    ASSERT_TRUE((*executor)->Run(Give(1)).ok());
  }
  // Each has a grace of 5 s that must not be waited for.
  EXPECT_LT(Clock::Real().Now() - start, absl::Seconds(5));
}

}  // namespace
}  // namespace ringway
