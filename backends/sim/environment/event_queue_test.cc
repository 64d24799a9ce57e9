// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/environment/event_queue.h"

#include <functional>
#include <string>

#include "gtest/gtest.h"

namespace ringway::sim {
namespace {

MonotonicTime At(int64_t ns) { return MonotonicTime::FromNanoseconds(ns); }

TEST(EventQueue, RunsByTimeThenInTheOrderOfPlanning) {
  EventQueue queue;
  std::string log;
  queue.Add(At(2), [&] { log += 'c'; });
  queue.Add(At(1), [&] { log += 'a'; });
  queue.Add(At(2), [&] { log += 'd'; });
  queue.Add(At(1), [&] { log += 'b'; });
  while (queue.RunOne(At(2))) {
  }
  EXPECT_EQ(log, "abcd");
}

TEST(EventQueue, RunsNothingBeforeItsTime) {
  EventQueue queue;
  EXPECT_TRUE(queue.next().is_infinite());
  queue.Add(At(2), [] { FAIL(); });
  EXPECT_EQ(queue.next(), At(2));
  EXPECT_FALSE(queue.RunOne(At(1)));
}

TEST(EventQueue, RunsWhatAnEventHasPlanned) {
  EventQueue queue;
  int left = 3;
  std::function<void()> again = [&] {
    if (--left > 0) queue.Add(At(1), again);
  };
  queue.Add(At(1), again);
  while (queue.RunOne(At(1))) {
  }
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace ringway::sim
