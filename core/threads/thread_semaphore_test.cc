// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/threads/thread_semaphore.h"

#include <atomic>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringway::internal {
namespace {

TEST(ThreadSemaphore, GivesAsManyTokensAsWereReleased) {
  ThreadSemaphore tokens;
  EXPECT_FALSE(tokens.TryAcquire());
  EXPECT_FALSE(tokens.Acquire(absl::ZeroDuration()));
  tokens.Release(2);
  EXPECT_TRUE(tokens.TryAcquire());
  EXPECT_TRUE(tokens.Acquire(absl::ZeroDuration()));
  EXPECT_FALSE(tokens.TryAcquire());
  EXPECT_FALSE(tokens.Acquire(absl::Milliseconds(1)));
  tokens.Release();
  EXPECT_TRUE(tokens.Acquire(absl::InfiniteDuration()));
}

// Waits that are over in time, or not, meet releases; no token is lost.
TEST(ThreadSemaphore, LosesNoTokenToAWaitThatIsOver) {
  constexpr int kThreads = 3;
  constexpr int kTokens = 3'000;
  ThreadSemaphore tokens;
  std::atomic<int> n_taken{0};
  std::atomic<int> n_late{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      while (n_taken < kTokens) {
        if (tokens.Acquire(absl::Microseconds(20 * t))) {
          ++n_taken;
        } else {
          ++n_late;
        }
      }
    });
  }
  for (int i = 0; i < kTokens; ++i) {
    tokens.Release();
    if (i % 16 == 0) std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(n_taken, kTokens);
  EXPECT_FALSE(tokens.TryAcquire());
}

TEST(ThreadSemaphore, WakesAllWhoWait) {
  ThreadSemaphore tokens, waiting;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      waiting.Release();
      tokens.Acquire();
    });
  }
  for (int t = 0; t < 4; ++t) waiting.Acquire();
  tokens.Release(4);
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(tokens.TryAcquire());
}

}  // namespace
}  // namespace ringway::internal
