// SPDX-License-Identifier: Apache-2.0
//
// WithToken() of an awaitable: the token ends the wait, not the task.

#include <random>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/deadline.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

const absl::Status kDraining = absl::UnavailableError("the server drains");

Task<void> CancelLater(absl::Duration delay, CancelSource* source) {
  static_cast<void>(co_await Sleep(delay));
  source->Cancel(kDraining);
}

Task<absl::Status> WaitFor(Event* event, const CancelToken* token) {
  co_return co_await WithToken(*token, event->Wait());
}

Task<void> TokenEndsTheWait() {
  CancelSource source;
  Event event;
  Spawn(CancelLater(absl::Seconds(1), &source)).Detach();
  const MonotonicTime began = After(absl::ZeroDuration());
  const absl::Status ended = co_await WithToken(source.token(), event.Wait());
  EXPECT_EQ(ended, kDraining);
  EXPECT_EQ(After(absl::ZeroDuration()) - began, absl::Seconds(1));
  EXPECT_FALSE(event.awaited());

  // It never begins any more; the task is not cancelled and waits for others.
  event.Set();
  EXPECT_EQ(co_await WithToken(source.token(), event.Wait()), kDraining);
  EXPECT_TRUE((co_await event.Wait()).ok());
  EXPECT_TRUE((co_await Sleep(absl::Seconds(1))).ok());
}

TEST(TokenAwait, EndsTheWaitWithTheReason) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(TokenEndsTheWait()).ok());
}

Task<void> ResultIsKept() {
  CancelSource source;
  Event event;
  event.Set();
  EXPECT_TRUE((co_await WithToken(source.token(), event.Wait())).ok());

  event.Reset();
  JoinHandle<absl::Status> waits = Spawn(WaitFor(&event, &source.token()));
  co_await Yield();
  event.Set();  // both in one turn: the result came first
  source.Cancel(kDraining);
  EXPECT_TRUE((co_await waits).ok());

  CancelSource other;
  event.Reset();
  waits = Spawn(WaitFor(&event, &other.token()));
  co_await Yield();
  other.Cancel(kDraining);
  event.Set();
  EXPECT_EQ(co_await waits, kDraining);
}

TEST(TokenAwait, KeepsAResultThatCameFirst) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(ResultIsKept()).ok());
}

Task<void> TaskIsCancelled() {
  CancelSource source;
  Event event;
  JoinHandle<absl::Status> waits = Spawn(WaitFor(&event, &source.token()));
  co_await Yield();
  waits.Cancel();
  source.Cancel(kDraining);
  EXPECT_TRUE(absl::IsCancelled(co_await waits));

  // One that is cancelled already says so, whatever its token.
  waits = Spawn(WaitFor(&event, &source.token()));
  EXPECT_EQ(co_await waits, kDraining);
}

TEST(TokenAwait, IsCancelledWithItsTask) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(TaskIsCancelled()).ok());
}

Task<void> WithADeadline() {
  CancelSource source;
  Event event;
  absl::Status ended = co_await WithTimeout(
      absl::Seconds(1), WithToken(source.token(), event.Wait()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(ended)) << ended;
  Spawn(CancelLater(absl::Seconds(1), &source)).Detach();
  ended = co_await WithTimeout(absl::Seconds(2),
                               WithToken(source.token(), event.Wait()));
  EXPECT_EQ(ended, kDraining);
}

TEST(TokenAwait, NestsWithADeadline) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(WithADeadline()).ok());
}

Task<void> DropUnawaited() {
  CancelSource source;
  Event event;
  static_cast<void>(WithToken(source.token(), event.Wait()));
  source.Cancel(kDraining);
  co_return;
}

TEST(TokenAwait, ThatIsNeverAwaitedDoesNothing) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(DropUnawaited()).ok());
}

Task<void> Forever() {
  CancelSource source;
  Event event;
  static_cast<void>(co_await WithToken(source.token(), event.Wait()));
}

TEST(TokenAwait, CanBeDestroyedWithItsExecutor) {
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  VirtualTimeExecutor executor(options);
  executor->Spawn(Forever()).Detach();
  EXPECT_TRUE(executor->Run(SleepOnce(absl::Seconds(1))).ok());
}

// --- Operations: two-phase, and nothing is lost.

Task<void> SendSlowly(SocketPair* sockets, std::string bytes,
                      std::minstd_rand* random) {
  for (const char byte : bytes) {
    static_cast<void>(co_await Sleep(absl::Microseconds(1 + (*random)() % 40)));
    sockets->SendFromFarEnd(std::string(1, byte));
  }
}

Task<std::string> ReceiveAll(SocketPair* sockets, size_t n_bytes,
                             std::minstd_rand* random, int* n_ended) {
  std::string received;
  while (received.size() < n_bytes) {
    CancelSource source;
    JoinHandle<void> canceller =
        Spawn(CancelLater(absl::Microseconds(1 + (*random)() % 40), &source));
    char buffer[64];
    absl::StatusOr<std::string> bytes = co_await WithToken(
        source.token(), ReceiveOp(sockets->near_end.get(), buffer));
    if (bytes.ok()) received += *bytes;
    *n_ended += bytes.status() == kDraining;
    (co_await canceller).IgnoreError();
  }
  co_return received;
}

TEST(TokenAwait, OfManyReceivesThatRaceTheirTokensLosesNoByte) {
  SocketPair sockets;
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  std::minstd_rand random(7);
  std::string sent;
  for (int i = 0; i < 500; ++i) sent.push_back(static_cast<char>('a' + i % 26));
  int n_ended = 0;
  (*executor)->Spawn(SendSlowly(&sockets, sent, &random)).Detach();
  const absl::StatusOr<std::string> received =
      (*executor)->Run(ReceiveAll(&sockets, sent.size(), &random, &n_ended));
  EXPECT_EQ(*received, sent);
  EXPECT_GT(n_ended, 0);
}

}  // namespace
}  // namespace ringway
