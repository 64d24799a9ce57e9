// SPDX-License-Identifier: Apache-2.0
//
// Metrics that several threads use at the same time, and forks.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/metrics/cells.h"
#include "ringway/core/metrics/metric_registry.h"

namespace ringway {
namespace {

TEST(MetricThreads, NothingIsLost) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 20'000;
  MetricRegistry registry;
  Counter counter = *registry.AddCounter("a_total", "A.");
  Gauge gauge = *registry.AddGauge("g", "G.");
  Distribution sizes = *registry.AddDistribution("sizes", "Sizes.");
  std::atomic<bool> done{false};
  std::thread scraper([&] {
    uint64_t last = 0;
    while (!done.load(std::memory_order_relaxed)) {
      MetricsText page;
      registry.WriteTo(page);
      const uint64_t now = counter.value();
      EXPECT_GE(now, last);
      last = now;
    }
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kRounds; ++j) {
        counter.Increment();
        gauge.Add(2);
        gauge.Subtract(1);
        sizes.Record(0.5);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done = true;
  scraper.join();
  EXPECT_EQ(counter.value(), uint64_t{kThreads} * kRounds);
  EXPECT_EQ(gauge.value(), kThreads * kRounds);
  MetricsText page;
  registry.WriteTo(page);
  EXPECT_TRUE(absl::StrContains(
      page.text(), absl::StrCat("sizes_sum ", kThreads * kRounds / 2, "\n")));
}

// A thread's counts stay where they are when it ends, for the next thread.
TEST(MetricThreads, ThreadsThatEndLeaveNoMemoryBehind) {
  MetricRegistry registry;
  Counter counter = *registry.AddCounter("a_total", "A.");
  const auto cells_of_a_thread = [&] {
    internal::ThreadCells* cells = nullptr;
    std::thread([&] {
      counter.Increment();
      cells = internal::this_threads_cells;
    }).join();
    return cells;
  };
  internal::ThreadCells* const first = cells_of_a_thread();
  for (int i = 1; i < 100; ++i) EXPECT_EQ(cells_of_a_thread(), first);
  EXPECT_EQ(counter.value(), 100u);
}

TEST(MetricThreads, ValuesMoveBetweenThreads) {
  MetricRegistry registry;
  Gauge gauge = *registry.AddGauge("g", "G.");
  std::thread([&] { gauge.Add(3); }).join();
  gauge.Subtract(4);
  EXPECT_EQ(gauge.value(), -1);
  std::thread([&] { gauge.Set(10); }).join();
  EXPECT_EQ(gauge.value(), 10);
}

// What a thread_local object's destructor counts at the very end of a thread
// may be lost, and harms nothing.
TEST(MetricThreads, CountingAtTheVeryEndOfAThreadIsSafe) {
  MetricRegistry registry;
  struct CountsInTheEnd {
    Counter counter;
    ~CountsInTheEnd() { counter.Increment(); }
  };
  static Counter counter = *registry.AddCounter("a_total", "A.");
  std::thread([] {
    thread_local CountsInTheEnd last{counter};  // destroyed after the cells
    static_cast<void>(last);
    counter.Increment();
  }).join();
  EXPECT_EQ(counter.value(), 1u);
  counter = Counter();
}

TEST(MetricThreads, MetricsAreMadeAndDroppedAnywhere) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int j = 0; j < 200; ++j) {
        MetricRegistry registry;
        Counter counter = *registry.AddCounter("a_total", "A.");
        counter.Increment(2);
        EXPECT_EQ(counter.value(), 2u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// The lock is free in the child, whatever other threads did with it at the
// time, and the values are those of the parent.
TEST(MetricThreads, AForkedChildGoesOnCounting) {
  MetricRegistry registry;
  Counter counter = *registry.AddCounter("a_total", "A.");
  counter.Increment(2);
  std::atomic<bool> done{false};
  std::thread busy([&] {
    while (!done.load(std::memory_order_relaxed)) {
      MetricRegistry other;
      Counter another = *other.AddCounter("a_total", "A.");
      another.Increment();
    }
  });
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      counter.Increment();
      Counter more = *registry.AddCounter("b_total", "B.");
      more.Increment();
      _exit(counter.value() == 3 && more.value() == 1 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  done = true;
  busy.join();
  EXPECT_EQ(counter.value(), 2u);
}

}  // namespace
}  // namespace ringway
