// SPDX-License-Identifier: Apache-2.0
//
// No wake-up is lost. Threads wake a task at random moments, while it runs,
// while its loop is about to block and while it is blocked, and sometimes
// wait for a reply: one lost wake-up hangs the test.
//
// RINGWAY_TEST_SCALE=100 makes it a long run.

#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/executor/remote/shared_channel.h"
#include "ringway/executor/remote/wake_handle.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"

namespace ringway {
namespace {

constexpr int kThreads = 2;

// Per test.
uint64_t Wakes() { return testing::Scaled(100'000); }

// A moment between none and the length of a turn.
void Dawdle(std::mt19937& random) {
  std::atomic<uint32_t> n{static_cast<uint32_t>(random()) % 1024};
  while (n.load(std::memory_order_relaxed) > 0)
    n.fetch_sub(1, std::memory_order_relaxed);
}

struct Asked {
  alignas(64) std::atomic<uint64_t> asked{0};
  alignas(64) std::atomic<uint64_t> answered{0};
};

// Sends `n` requests: a write, then `wake()`. One in four waits for the
// reply, so that the task runs out of work and its loop blocks.
template <typename Wake>
void Ask(Asked& mine, uint64_t n, uint32_t seed, Wake wake) {
  std::mt19937 random(seed);
  for (uint64_t i = 1; i <= n; ++i) {
    mine.asked.store(i, std::memory_order_relaxed);
    wake();
    if (i != n && random() % 4 != 0) continue;
    uint64_t answered = mine.answered.load(std::memory_order_acquire);
    while (answered < i) {
      mine.answered.wait(answered, std::memory_order_acquire);
      answered = mine.answered.load(std::memory_order_acquire);
    }
    Dawdle(random);
  }
}

void Answer(Asked& to, uint64_t answer) {
  to.answered.store(answer, std::memory_order_release);
  to.answered.notify_one();
}

Task<void> AnswerWakes(uint64_t wakes_each, uint64_t* waits) {
  Waker waker;
  std::vector<Asked> asked(kThreads);
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&asked, t, wakes_each, wake = waker.handle()] {
      Ask(asked[t], wakes_each, t, [&wake] { wake.Wake(); });
    });
  }
  std::mt19937 random(kThreads);
  uint64_t last[kThreads] = {};
  for (int done = 0; done < kThreads;) {
    EXPECT_TRUE((co_await waker.Wait()).ok());
    ++*waits;
    for (int t = 0; t < kThreads; ++t) {
      const uint64_t now = asked[t].asked.load(std::memory_order_relaxed);
      if (now == last[t]) continue;
      last[t] = now;
      done += now == wakes_each;
      Answer(asked[t], now);
    }
    if (random() % 4 == 0) Dawdle(random);
    if (random() % 4 == 0) co_await Yield();
  }
}

TEST(LostWake, NoneOfManyAtRandomMoments) {
  auto executor = *Executor::Create();
  const uint64_t each = Wakes() / kThreads;
  uint64_t waits = 0;

  EXPECT_TRUE(executor->Run(AnswerWakes(each, &waits)).ok());

  const LoopStats stats = executor->stats().loop;
  EXPECT_GT(waits, each / 8);
  EXPECT_LE(stats.backend.notifications, stats.turns);
  std::cout << executor->loop().backend().name() << ": " << each * kThreads
            << " wakes, " << stats.messages << " messages, "
            << stats.backend.notifications << " times asleep and rung for\n";
}

struct Question {
  int from;
  uint64_t number;
};

// The same by values: each of them has to arrive.
Task<void> AnswerValues(uint64_t values_each) {
  auto [sender, receiver] = MakeSharedChannel<Question>(1024);
  std::vector<Asked> asked(kThreads);
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&asked, t, values_each, to = sender]() mutable {
      uint64_t number = 0;
      Ask(asked[t], values_each, t, [&to, &number, t] {
        ++number;
        while (!to.TrySend(Question{t, number}).ok()) std::this_thread::yield();
      });
    });
  }
  std::mt19937 random(kThreads);
  uint64_t last[kThreads] = {};
  for (uint64_t n = 0; n < values_each * kThreads; ++n) {
    const auto question = co_await receiver.Receive();
    EXPECT_EQ(question->number, ++last[question->from]);
    Answer(asked[question->from], question->number);
    if (random() % 16 == 0) Dawdle(random);
  }
}

TEST(LostWake, NoneOfManyValuesThroughAChannel) {
  auto executor = *Executor::Create();
  EXPECT_TRUE(executor->Run(AnswerValues(Wakes() / kThreads)).ok());
}

}  // namespace
}  // namespace ringway
