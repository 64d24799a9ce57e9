// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/select.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

Task<std::unique_ptr<int>> GivePointer(int value) {
  co_return std::make_unique<int>(value);
}

// --- Several kinds of things.

Task<void> SelectOfFour(int winner) {
  Event event;
  Task<int> task = GiveAfter(absl::Hours(2), 7);
  JoinHandle<int> handle =
      Spawn(GiveAfter(absl::Seconds(winner == 2 ? 1 : 10), 5));
  if (winner == 1) event.Set();
  auto first =
      co_await Select(Sleep(winner == 0 ? absl::Seconds(1) : absl::Hours(1)),
                      event.Wait(), handle, std::move(task));
  EXPECT_EQ(first.index, static_cast<size_t>(winner));
  EXPECT_EQ(std::get<0>(first.results).ok(), winner == 0);
  EXPECT_EQ(std::get<1>(first.results).ok(), winner == 1);
  EXPECT_EQ(std::get<2>(first.results).ok(), winner == 2);
  EXPECT_EQ(*std::get<3>(first.results), 7);  // cancelled, it ended with a 7
  // Losing has ended the wait for the other task, not the task itself.
  if (winner != 2) {
    EXPECT_EQ(std::get<2>(first.results).status().code(),
              StatusCode::kCancelled);
    const absl::StatusOr<int> value = co_await handle;
    EXPECT_EQ(*value, 5);
  }
}

TEST(Select, TakesWhateverCanBeAwaitedAndExactlyOneWins) {
  VirtualTimeExecutor executor;
  for (int winner = 0; winner < 3; ++winner) {
    const MonotonicTime start = executor.Now();
    EXPECT_TRUE(executor->Run(SelectOfFour(winner)).ok());
    EXPECT_LE(executor.Now() - start, absl::Seconds(10));
  }
  EXPECT_FALSE(executor->loop().alive());
}

Task<void> SelectOfOne() {
  auto first = co_await Select(GivePointer(3));
  EXPECT_EQ(first.index, 0u);
  EXPECT_EQ(**std::get<0>(first.results), 3);
}

TEST(Select, OfOneWaitsForThat) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(SelectOfOne()).ok());
}

Task<void> SelectOfSetEvents() {
  Event a, b;
  a.Set();
  b.Set();
  auto first = co_await Select(a.Wait(), b.Wait());
  EXPECT_EQ(first.index, 0u);
  EXPECT_TRUE(std::get<1>(first.results).ok());  // it was ready too
}

TEST(Select, OfSeveralThatAreReadyTakesTheFirstAndKeepsTheResultsOfTheOthers) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(SelectOfSetEvents()).ok());
}

Task<void> SelectWithYield() {
  auto first = co_await Select(Sleep(absl::Hours(1)), Yield());
  EXPECT_EQ(first.index, 1u);
  EXPECT_TRUE(std::get<1>(first.results).ok());
}

TEST(Select, TakesAnAwaitableWithoutAResult) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_TRUE(executor->Run(SelectWithYield()).ok());
  EXPECT_EQ(executor.Now(), start);
}

Task<void> SelectAgainAndAgain(Event* event, int* rounds) {
  while (!event->is_set()) {
    auto first = co_await Select(event->Wait(), Sleep(absl::Seconds(1)));
    if (first.index == 1) ++*rounds;
  }
}

TEST(Select, InALoopLeavesNothingBehind) {
  VirtualTimeExecutor executor;
  Event event;
  int rounds = 0;
  executor->Spawn(SetAfter(absl::Milliseconds(1'000'500), &event)).Detach();
  EXPECT_TRUE(executor->Run(SelectAgainAndAgain(&event, &rounds)).ok());
  EXPECT_EQ(rounds, 1000);
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
  EXPECT_FALSE(executor->loop().alive());
}

// --- Cancelling, throwing.

Task<absl::Status> SelectForEver(Event* event) {
  auto first = co_await Select(event->Wait(), Sleep(absl::InfiniteDuration()));
  EXPECT_EQ(std::get<0>(first.results).code(), StatusCode::kCancelled);
  co_return std::get<1>(first.results);
}

Task<void> CancelASelect() {
  Event event;
  JoinHandle<absl::Status> handle = Spawn(SelectForEver(&event));
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  handle.Cancel();
  const absl::Status status = co_await handle;
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
}

TEST(Select, WhenCancelledCancelsThemAll) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelASelect()).ok());
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

Task<int> Throw() {
  throw std::runtime_error("thrown");
  co_return 0;
}

Task<void> SelectWithThrower() {
  static_cast<void>(co_await Select(Sleep(absl::Hours(1)), Throw()));
}

TEST(Select, ThrowsWhatTheWinnerThrew) {
  VirtualTimeExecutor executor;
  EXPECT_THROW(static_cast<void>(executor->Run(SelectWithThrower())),
               std::runtime_error);
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

// --- Any number.

Task<void> SelectOfHandles() {
  std::vector<JoinHandle<int>> handles;
  for (int i = 0; i < 5; ++i)
    handles.push_back(Spawn(GiveAfter(absl::Seconds(i == 3 ? 1 : 2), i)));
  auto first = co_await Select(std::span(handles));
  EXPECT_EQ(first.index, 3u);
  EXPECT_EQ(*first.results[3], 3);
  EXPECT_FALSE(handles[3].valid());  // joined
  EXPECT_EQ(first.results[0].status().code(), StatusCode::kCancelled);
  const absl::StatusOr<int> other = co_await handles[0];
  EXPECT_EQ(*other, 0);
}

TEST(Select, OverHandlesJoinsTheFirstToEnd) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(SelectOfHandles()).ok());
}

Task<void> SelectOfTasks() {
  std::vector<Task<std::unique_ptr<int>>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(GivePointer(i));
  auto first = co_await Select(std::move(tasks));
  EXPECT_EQ(first.index, 0u);
  EXPECT_EQ(**first.results[4], 4);
}

TEST(Select, OverTasksKeepsTheResultsOfAll) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(SelectOfTasks()).ok());
}

// --- The loser loses no bytes.

// Two receives and a timer race; the sender may be in time for either. Then
// the bytes that are in no result are read.
Task<std::string> RaceTwoReceives(SocketPair* sockets, bool send_first,
                                  bool send_second) {
  char first_buffer[64], second_buffer[64];
  if (send_first) sockets[0].SendFromFarEnd("first");
  JoinHandle<absl::Status> sender;
  struct Local {
    static Task<absl::Status> SendSoon(SocketPair* sockets, bool send) {
      absl::Status slept = co_await Sleep(absl::ZeroDuration());
      if (send) sockets->SendFromFarEnd("second");
      co_return slept;
    }
  };
  sender = Spawn(Local::SendSoon(&sockets[1], send_second));
  ReceiveOp first(sockets[0].near_end.get(), first_buffer);
  ReceiveOp second(sockets[1].near_end.get(), second_buffer);
  auto race = co_await Select(first, second, Sleep(absl::Microseconds(50)));
  static_cast<void>(co_await sender);
  std::string received;
  if (std::get<0>(race.results).ok()) received += *std::get<0>(race.results);
  if (std::get<1>(race.results).ok()) received += *std::get<1>(race.results);
  for (int i = 0; i < 2; ++i) {
    const ssize_t n = recv(sockets[i].near_end.get(), first_buffer,
                           sizeof(first_buffer), MSG_DONTWAIT);
    if (n > 0) received.append(first_buffer, n);
  }
  co_return received;
}

TEST(Select, ReceivesThatLoseLoseNoBytes) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  for (int round = 0; round < 1000; ++round) {
    SocketPair sockets[2];
    const bool send_first = round % 2 == 0, send_second = round % 3 == 0;
    std::string sent;
    if (send_first) sent += "first";
    if (send_second) sent += "second";
    ASSERT_EQ(
        *(*executor)->Run(RaceTwoReceives(sockets, send_first, send_second)),
        sent);
  }
}

}  // namespace
}  // namespace ringway
