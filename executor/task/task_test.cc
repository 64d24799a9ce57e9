// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/task.h"

#include <sys/resource.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

constexpr int kMillion = 1'000'000;

static_assert(!std::is_copy_constructible_v<Task<int>>);
static_assert(std::is_nothrow_move_constructible_v<Task<int>>);
static_assert(std::is_nothrow_move_assignable_v<Task<int>>);

Task<int> Give(int value) { co_return value; }

Task<int> GiveAndNote(bool* started) {
  *started = true;
  co_return 1;
}

TEST(Task, DoesNothingUntilAwaited) {
  VirtualTimeExecutor executor;
  bool started = false;
  Task<int> task = GiveAndNote(&started);
  EXPECT_FALSE(started);
  EXPECT_EQ(*executor->Run(std::move(task)), 1);
  EXPECT_TRUE(started);
}

Task<int> Hold(std::shared_ptr<int> held) { co_return *held; }

TEST(Task, DestroysItsArgumentsWhenDroppedUnstarted) {
  auto held = std::make_shared<int>(1);
  {
    Task<int> task = Hold(held);
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Task, DestroysItsArgumentsWhenAssignedOver) {
  auto first = std::make_shared<int>(1), second = std::make_shared<int>(2);
  Task<int> task = Hold(first);
  task = Hold(second);
  EXPECT_EQ(first.use_count(), 1);
  EXPECT_EQ(second.use_count(), 2);
}

TEST(Task, IsInvalidOnceMovedFrom) {
  Task<int> task = Give(1);
  Task<int> moved = std::move(task);
  EXPECT_FALSE(task.valid());
  EXPECT_TRUE(moved.valid());
}

Task<std::unique_ptr<int>> GiveUnique() { co_return std::make_unique<int>(7); }
Task<std::pair<int, std::string>> GiveBraced() { co_return {3, "three"}; }

Task<int> AwaitMoveOnlyAndBraced() {
  std::unique_ptr<int> unique = co_await GiveUnique();
  std::pair<int, std::string> braced = co_await GiveBraced();
  co_return *unique + braced.first;
}

TEST(Task, GivesMoveOnlyAndBracedValues) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(AwaitMoveOnlyAndBraced()), 10);
}

Task<void> Throw(std::string what) {
  throw std::runtime_error(what);
  co_return;
}

Task<std::string> Catch() {
  try {
    co_await Throw("from the child");
  } catch (const std::runtime_error& e) {
    co_return e.what();
  }
  co_return "nothing was thrown";
}

TEST(Task, ThrowsToTheTaskThatAwaitsIt) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(Catch()), "from the child");
}

struct NoteEnd {
  NoteEnd(std::vector<std::string>* l, std::string n)
      : log(l), name(std::move(n)) {}
  ~NoteEnd() { log->push_back(name); }
  std::vector<std::string>* log;
  std::string name;
};

Task<void> InnerOfChain(std::vector<std::string>* log) {
  NoteEnd end(log, "inner");
  co_await Yield();
}
Task<void> OuterOfChain(std::vector<std::string>* log) {
  NoteEnd end(log, "outer");
  co_await InnerOfChain(log);
  log->push_back("back in outer");
}

TEST(Task, EndsItsChildBeforeItContinues) {
  VirtualTimeExecutor executor;
  std::vector<std::string> log;
  EXPECT_TRUE(executor->Run(OuterOfChain(&log)).ok());
  EXPECT_EQ(log, (std::vector<std::string>{"inner", "back in outer", "outer"}));
}

Task<int> AwaitTwice() {
  Task<int> task = Give(1);
  co_await std::move(task);
  co_return co_await std::move(task);
}

TEST(TaskDeathTest, AwaitedTwiceDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(AwaitTwice()));
      },
      "awaited that had been moved from, or awaited before");
}

// --- A million awaits that end at once. The stack limit of the test is 8 MiB;
// one frame each would need more than ten times that.

const char* StackPosition() {
  return static_cast<const char*>(__builtin_frame_address(0));
}

// How far the stack moved during the awaits.
class StackExtent {
 public:
  void Note() {
    const char* here = StackPosition();
    if (low_ == nullptr || here < low_) low_ = here;
    if (high_ == nullptr || here > high_) high_ = here;
  }
  ptrdiff_t bytes() const { return high_ - low_; }

 private:
  const char* low_ = nullptr;
  const char* high_ = nullptr;
};

Task<int> GiveOne(StackExtent* stack) {
  stack->Note();
  co_return 1;
}

Task<int64_t> AwaitChildren(StackExtent* stack) {
  int64_t sum = 0;
  for (int i = 0; i < kMillion; ++i) {
    const int one = co_await GiveOne(stack);
    sum += one;
  }
  co_return sum;
}

TEST(Task, AwaitingAMillionChildrenKeepsTheStackFlat) {
  VirtualTimeExecutor executor;
  StackExtent stack;
  EXPECT_EQ(*executor->Run(AwaitChildren(&stack)), kMillion);
  EXPECT_LT(stack.bytes(), 1024);
}

Task<int> ThrowAndNote(StackExtent* stack) {
  stack->Note();
  throw 1;
  co_return 0;
}

// Fewer, as each takes microseconds, and tens of them with a sanitizer.
constexpr int kThrows = kMillion / 100;

Task<int64_t> AwaitThrowingChildren(StackExtent* stack) {
  int64_t caught = 0;
  for (int i = 0; i < kThrows; ++i) {
    try {
      co_await ThrowAndNote(stack);
    } catch (int one) {
      caught += one;
    }
  }
  co_return caught;
}

TEST(Task, AwaitingChildrenThatThrowKeepsTheStackFlat) {
  VirtualTimeExecutor executor;
  StackExtent stack;
  EXPECT_EQ(*executor->Run(AwaitThrowingChildren(&stack)), kThrows);
  EXPECT_LT(stack.bytes(), 1024);
}

Task<void> AwaitReadyEvent(StackExtent* stack, Event* event) {
  for (int i = 0; i < kMillion; ++i) {
    const absl::Status status = co_await event->Wait();
    EXPECT_TRUE(status.ok());
    stack->Note();
  }
}

TEST(Task, AwaitingAReadyEventAMillionTimesKeepsTheStackFlat) {
  VirtualTimeExecutor executor;
  StackExtent stack;
  Event event;
  event.Set();
  EXPECT_TRUE(executor->Run(AwaitReadyEvent(&stack, &event)).ok());
  EXPECT_LT(stack.bytes(), 1024);
}

Task<void> YieldOften(StackExtent* stack) {
  for (int i = 0; i < kMillion / 10; ++i) {
    co_await Yield();
    stack->Note();
  }
}

TEST(Task, YieldingOftenKeepsTheStackFlat) {
  VirtualTimeExecutor executor;
  StackExtent stack;
  EXPECT_TRUE(executor->Run(YieldOften(&stack)).ok());
  EXPECT_LT(stack.bytes(), 1024);
}

Task<int64_t> Depth(int n) {
  if (n == 0) co_return 0;
  const int64_t rest = co_await Depth(n - 1);
  co_return rest + 1;
}

TEST(Task, NestsAHundredThousandDeep) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(Depth(100'000)), 100'000);
}

// --- Fairness: a task whose awaits all end at once does not delay others.

Task<void> CountTurns(const bool* done, int* turns) {
  while (!*done) {
    ++*turns;
    co_await Yield();
  }
}

Task<void> RunBeside(Task<int64_t> busy, int* turns) {
  bool done = false;
  JoinHandle<void> other = Spawn(CountTurns(&done, turns));
  co_await std::move(busy);
  done = true;
  static_cast<void>(co_await other);
}

TEST(Task, AwaitingAMillionChildrenLetsOthersHaveTheirTurn) {
  VirtualTimeExecutor executor;
  StackExtent stack;
  int turns = 0;
  EXPECT_TRUE(executor->Run(RunBeside(AwaitChildren(&stack), &turns)).ok());
  EXPECT_GE(turns, kMillion / 1000);
}

Task<int64_t> AwaitEventWithoutEnd(Event* event, const int* others_turns) {
  int64_t awaits = 0;
  for (; *others_turns < 10; ++awaits) {
    const absl::Status status = co_await event->Wait();
    EXPECT_TRUE(status.ok());
  }
  co_return awaits;
}

TEST(Task, AwaitingAReadyEventWithoutEndLetsOthersHaveTheirTurn) {
  VirtualTimeExecutor executor;
  Event event;
  event.Set();
  int turns = 0;
  EXPECT_TRUE(
      executor->Run(RunBeside(AwaitEventWithoutEnd(&event, &turns), &turns))
          .ok());
  EXPECT_EQ(turns, 10);
}

}  // namespace
}  // namespace ringway
