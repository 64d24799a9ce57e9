// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/when.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

// --- WhenAll.

Task<absl::Duration> AllOfThree(const Clock* clock) {
  const MonotonicTime start = clock->Now();
  Task<int> a = GiveAfter(absl::Seconds(2), 7);
  Task<void> b = []() -> Task<void> { co_return; }();
  Task<absl::Status> c = SleepOnce(absl::Seconds(1));
  auto [x, y, z] = co_await WhenAll(std::move(a), std::move(b), std::move(c));
  EXPECT_EQ(*x, 7);
  EXPECT_TRUE(y.ok());
  EXPECT_TRUE(z.ok());
  co_return clock->Now() - start;
}

TEST(WhenAll, RunsItsTasksTogetherAndGivesTheirResultsInOrder) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(AllOfThree(&executor.clock())), absl::Seconds(2));
}

Task<void> AllOfVector() {
  std::vector<Task<std::unique_ptr<int>>> tasks;
  struct Local {
    static Task<std::unique_ptr<int>> Give(int i) {
      static_cast<void>(co_await Sleep(absl::Seconds(10 - i)));
      co_return std::make_unique<int>(i);
    }
  };
  for (int i = 0; i < 10; ++i) tasks.push_back(Local::Give(i));
  const std::vector<absl::StatusOr<std::unique_ptr<int>>> results =
      co_await WhenAll(std::move(tasks));
  EXPECT_EQ(results.size(), 10u);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(**results[i], i);
}

TEST(WhenAll, OverAVectorGivesResultsInOrder) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(AllOfVector()).ok());
}

Task<void> AllOfNothing() {
  std::vector<Task<int>> none;
  const std::vector<absl::StatusOr<int>> results =
      co_await WhenAll(std::move(none));
  EXPECT_TRUE(results.empty());
  co_await WhenAll();
}

TEST(WhenAll, OfNothingEndsAtOnce) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(AllOfNothing()).ok());
}

Task<void> AllWithThrowing(const Clock* clock, std::string* log) {
  const MonotonicTime start = clock->Now();
  std::string caught;
  try {
    Task<void> late = ThrowAfter(absl::Seconds(2), "first in order");
    Task<void> early = ThrowAfter(absl::Seconds(1), "first in time");
    Task<absl::Status> longest = NoteEnd(absl::Seconds(4), log, 'a');
    co_await WhenAll(std::move(late), std::move(early), std::move(longest));
  } catch (const std::runtime_error& e) {
    caught = e.what();
  }
  EXPECT_EQ(caught, "first in order");
  EXPECT_EQ(*log, "a");  // it was not cancelled
  EXPECT_EQ(clock->Now() - start, absl::Seconds(5));
}

TEST(WhenAll, ThrowsOnlyWhenAllHaveEnded) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(AllWithThrowing(&executor.clock(), &log)).ok());
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

Task<std::string> AllOfNoting(std::string* log) {
  Task<absl::Status> a = NoteEnd(absl::Milliseconds(1), log, 'a');
  Task<absl::Status> b = NoteEnd(absl::Hours(1), log, 'b');
  Task<absl::Status> c = NoteEnd(absl::Hours(1), log, 'c');
  auto [x, y, z] = co_await WhenAll(std::move(a), std::move(b), std::move(c));
  EXPECT_TRUE(x.ok());
  EXPECT_EQ(y.code(), StatusCode::kCancelled);
  EXPECT_EQ(z.code(), StatusCode::kCancelled);
  co_return *log;
}

Task<void> CancelAllOfNoting(const Clock* clock, std::string* log) {
  const MonotonicTime start = clock->Now();
  JoinHandle<std::string> parent = Spawn(AllOfNoting(log));
  static_cast<void>(co_await Sleep(absl::Milliseconds(10)));
  parent.Cancel();
  const absl::StatusOr<std::string> seen = co_await parent;
  EXPECT_EQ(*seen, "aBC");  // all were gone when the WhenAll ended
  EXPECT_EQ(clock->Now() - start, absl::Milliseconds(1010));
}

TEST(WhenAll, WhenCancelledCancelsItsTasksAndWaitsForThem) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(CancelAllOfNoting(&executor.clock(), &log)).ok());
}

Task<void> StartNothing(bool* started) {
  struct Local {
    static Task<void> Note(bool* started) {
      *started = true;
      co_return;
    }
  };
  Executor::Current()->current_task()->RequestCancel();
  Task<void> task = Local::Note(started);
  auto [result] = co_await WhenAll(std::move(task));
  EXPECT_EQ(result.code(), StatusCode::kCancelled);
}

TEST(WhenAll, InACancelledTaskStartsNothing) {
  VirtualTimeExecutor executor;
  bool started = false;
  EXPECT_TRUE(executor->Run(StartNothing(&started)).ok());
  EXPECT_FALSE(started);
}

Task<void> AllWithOneRefused() {
  Task<int> a = GiveAfter(absl::Seconds(1), 1);
  Task<int> b = GiveAfter(absl::Seconds(1), 2);
  auto [x, y] = co_await WhenAll(std::move(a), std::move(b));
  EXPECT_EQ(*x, 1);
  EXPECT_EQ(y.status().code(), StatusCode::kResourceExhausted);
}

TEST(WhenAll, SaysWhichTaskCouldNotBeSpawned) {
  ExecutorOptions options;
  options.max_tasks = 2;
  VirtualTimeExecutor executor(options);
  EXPECT_TRUE(executor->Run(AllWithOneRefused()).ok());
}

// A runtime that polls the whole of a WhenAll on any wake-up can take a
// sibling's end for the end of a sleep.
Task<absl::Duration> SleepAndMeasure(const Clock* clock,
                                     absl::Duration duration) {
  const MonotonicTime start = clock->Now();
  static_cast<void>(co_await Sleep(duration));
  co_return clock->Now() - start;
}

Task<void> SleepInAllAndAny(const Clock* clock) {
  Task<absl::Duration> sleep = SleepAndMeasure(clock, absl::Seconds(1));
  Task<int> sibling = GiveAfter(absl::Milliseconds(50), 1);
  auto [slept, unused] = co_await WhenAll(std::move(sleep), std::move(sibling));
  EXPECT_EQ(*slept, absl::Seconds(1));

  struct Local {
    static Task<absl::Duration> SleepWhileSiblingsEnd(const Clock* clock) {
      Task<int> a = GiveAfter(absl::Milliseconds(50), 1);
      JoinHandle<int> finished = Spawn(std::move(a));
      co_return co_await SleepAndMeasure(clock, absl::Seconds(1));
    }
  };
  Task<absl::Duration> winner = Local::SleepWhileSiblingsEnd(clock);
  Task<int> loser = GiveAfter(absl::Seconds(2), 1);
  auto race = co_await WhenAny(std::move(winner), std::move(loser));
  EXPECT_EQ(race.index, 0u);
  EXPECT_EQ(*std::get<0>(race.results), absl::Seconds(1));
}

TEST(WhenAll, ASleepInsideIsNotCutShortByASiblingsEnd) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(SleepInAllAndAny(&executor.clock())).ok());
}

// --- WhenAny.

Task<void> AnyOfThree(const Clock* clock, std::string* log) {
  const MonotonicTime start = clock->Now();
  Task<absl::Status> a = NoteEnd(absl::Hours(1), log, 'a');
  Task<int> b = GiveAfter(absl::Seconds(1), 5);
  Task<absl::Status> c = NoteEnd(absl::Hours(2), log, 'c');
  auto race = co_await WhenAny(std::move(a), std::move(b), std::move(c));
  EXPECT_EQ(race.index, 1u);
  EXPECT_EQ(*std::get<1>(race.results), 5);
  EXPECT_EQ(std::get<0>(race.results).code(), StatusCode::kCancelled);
  EXPECT_EQ(std::get<2>(race.results).code(), StatusCode::kCancelled);
  EXPECT_EQ(*log, "AC");
  EXPECT_EQ(clock->Now() - start, absl::Seconds(2));  // they cleaned up
}

TEST(WhenAny, CancelsTheLosersAndWaitsForThem) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(AnyOfThree(&executor.clock(), &log)).ok());
}

Task<size_t> AnyOfVector() {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 5; ++i)
    tasks.push_back(GiveAfter(absl::Seconds(i == 3 ? 1 : 2), i));
  auto race = co_await WhenAny(std::move(tasks));
  EXPECT_EQ(race.results.size(), 5u);
  EXPECT_EQ(*race.results[3], 3);
  co_return race.index;
}

TEST(WhenAny, OverAVectorNamesTheFirstToEnd) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(AnyOfVector()), 3u);
}

// Both end in one turn, the second first.
Task<size_t> AnyOfTwoInOneTurn() {
  Task<int> late = GiveAfter(absl::Milliseconds(1000), 1);
  Task<int> early = GiveAfter(absl::Microseconds(999'999), 2);
  auto race = co_await WhenAny(std::move(late), std::move(early));
  EXPECT_EQ(*std::get<0>(race.results), 1);
  EXPECT_EQ(*std::get<1>(race.results), 2);
  co_return race.index;
}

Task<size_t> RaceBesideALongTurn(VirtualTimeExecutor* executor) {
  JoinHandle<size_t> race = Spawn(AnyOfTwoInOneTurn());
  static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  executor->Advance(absl::Seconds(5));  // both are due when this turn is over
  const absl::StatusOr<size_t> index = co_await race;
  co_return *index;
}

TEST(WhenAny, KeepsALosersResultThatCameInTheSameTurn) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(RaceBesideALongTurn(&executor)), 1u);
}

Task<void> AnyWithThrowing(std::string* log) {
  std::string caught;
  try {
    Task<absl::Status> loser = NoteEnd(absl::Hours(1), log, 'a');
    Task<void> winner = ThrowAfter(absl::Seconds(1), "winner");
    static_cast<void>(co_await WhenAny(std::move(loser), std::move(winner)));
  } catch (const std::runtime_error& e) {
    caught = e.what();
  }
  EXPECT_EQ(caught, "winner");
  EXPECT_EQ(*log, "A");
}

TEST(WhenAny, ThrowsOnlyWhenTheLosersAreGone) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(AnyWithThrowing(&log)).ok());
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

Task<void> AnyOfThrowers() {
  std::string caught;
  try {
    // The loser throws too when cancelled, and is first in order.
    Task<void> loser = ThrowAfter(absl::Hours(1), "loser");
    Task<void> winner = ThrowAfter(absl::Seconds(1), "winner");
    static_cast<void>(co_await WhenAny(std::move(loser), std::move(winner)));
  } catch (const std::runtime_error& e) {
    caught = e.what();
  }
  EXPECT_EQ(caught, "winner");
}

TEST(WhenAny, ThrowsWhatTheFirstToEndThrew) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(AnyOfThrowers()).ok());
}

Task<absl::Status> AnyOfNoting(std::string* log) {
  Task<absl::Status> a = NoteEnd(absl::Hours(1), log, 'a');
  Task<absl::Status> b = NoteEnd(absl::Hours(1), log, 'b');
  auto race = co_await WhenAny(std::move(a), std::move(b));
  EXPECT_EQ(*log, "AB");
  EXPECT_EQ(std::get<0>(race.results).code(), StatusCode::kCancelled);
  EXPECT_EQ(std::get<1>(race.results).code(), StatusCode::kCancelled);
  co_return absl::OkStatus();
}

Task<void> CancelAnyOfNoting(std::string* log) {
  JoinHandle<absl::Status> parent = Spawn(AnyOfNoting(log));
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  parent.Cancel();
  const absl::Status status = co_await parent;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(*log, "AB");
}

TEST(WhenAny, WhenCancelledCancelsItsTasksAndWaitsForThem) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(CancelAnyOfNoting(&log)).ok());
}

TEST(WhenAnyDeathTest, OfNothingDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        std::vector<Task<int>> none;
        static_cast<void>(executor->Run(WhenAny(std::move(none))));
      },
      "WhenAny.. of no tasks would never end");
}

// --- The loser of a race loses no bytes.

Task<absl::StatusOr<std::string>> Receive(int socket) {
  char buffer[64];
  ReceiveOp receive(socket, buffer);
  co_return co_await receive;
}

Task<std::string> RaceAReceive(SocketPair* sockets, bool send_during) {
  struct Local {
    static Task<void> End(SocketPair* sockets, bool send) {
      static_cast<void>(co_await Sleep(absl::ZeroDuration()));
      if (send) sockets->SendFromFarEnd("bytes");
    }
  };
  Task<absl::StatusOr<std::string>> receive = Receive(sockets->near_end.get());
  Task<void> end = Local::End(sockets, send_during);
  auto race = co_await WhenAny(std::move(receive), std::move(end));
  const absl::StatusOr<std::string>& received = std::get<0>(race.results);
  if (received.ok()) co_return *received;
  EXPECT_EQ(received.status().code(), StatusCode::kCancelled);
  if (!send_during) sockets->SendFromFarEnd("bytes");
  const absl::StatusOr<std::string> next =
      co_await Receive(sockets->near_end.get());
  co_return *next;
}

TEST(WhenAny, BytesSentAfterTheLoserWasCancelledReachTheNextReader) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  SocketPair sockets;
  EXPECT_EQ(*(*executor)->Run(RaceAReceive(&sockets, false)), "bytes");
}

TEST(WhenAny, BytesThatRaceTheCancelAreInTheResultOrReachTheNextReader) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  for (int round = 0; round < 1000; ++round) {
    SocketPair sockets;
    ASSERT_EQ(*(*executor)->Run(RaceAReceive(&sockets, true)), "bytes");
  }
}

}  // namespace
}  // namespace ringway
