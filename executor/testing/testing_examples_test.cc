// SPDX-License-Identifier: Apache-2.0
//
// The examples of docs/testing.md, compiled and run.

#include <random>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/quoted_examples.h"
#include "ringway/executor/testing/task_test.h"

namespace {

using ringway::Channel;
using ringway::JoinHandle;
using ringway::MonotonicTime;
using ringway::Sleep;
using ringway::Spawn;
using ringway::Task;

// --- The first example.

// Sends `n` numbers, a second apart.
Task<absl::Status> Count(int n, Channel<int>* numbers) {
  for (int i = 0; i < n; ++i) {
    absl::Status waited = co_await Sleep(absl::Seconds(1));
    if (!waited.ok()) co_return waited;
    absl::Status sent = co_await numbers->Send(i);
    if (!sent.ok()) co_return sent;
  }
  numbers->Close();
  co_return absl::OkStatus();
}

RINGWAY_TEST(Count, SendsANumberASecond) {
  const MonotonicTime began = Now();
  Channel<int> numbers(1);
  JoinHandle<absl::Status> counting = Spawn(Count(2, &numbers));
  absl::StatusOr<int> first = co_await numbers.Receive();
  RINGWAY_ASSERT_OK(first);
  EXPECT_EQ(*first, 0);
  EXPECT_EQ(Now() - began, absl::Seconds(1));
  RINGWAY_ASSERT_OK(co_await numbers.Receive());
  RINGWAY_ASSERT_OK(co_await counting);
}

// --- A fixture.

class CounterTest : public ringway::TaskTest {
 protected:
  Channel<int> numbers_{4};
  std::minstd_rand random_{static_cast<unsigned>(ringway::TestSeed())};
};

RINGWAY_TEST_F(CounterTest, CanBeCancelledAtAnyTime) {
  for (int round = 0; round < 100; ++round) {
    JoinHandle<absl::Status> counting = Spawn(Count(3, &numbers_));
    const auto pause = absl::Milliseconds(random_() % 3'000);
    RINGWAY_ASSERT_OK(co_await Sleep(pause));
    counting.Cancel();
    absl::Status ended = co_await counting;
    EXPECT_TRUE(absl::IsCancelled(ended)) << ended;
    while (numbers_.TryReceive().ok()) {
    }
  }
}

RINGWAY_KERNEL_TEST_F(CounterTest, CountsInRealTime) {
  JoinHandle<absl::Status> counting = Spawn(Count(1, &numbers_));
  RINGWAY_ASSERT_OK(co_await counting);
}

// --- The document.

TEST(Examples, OfTheDocumentAreTheseHere) {
  ringway::testing::ExpectQuotes(
      "docs/testing.md", "executor/testing/testing_examples_test.cc", 4);
}

}  // namespace
