// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/containers/strand.h"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

// Calls a function once, and is then destroyed.
class Call : public StrandNode {
 public:
  static void Post(Strand& strand, std::function<void()> fn) {
    strand.Post(*new Call(std::move(fn)));
  }

 private:
  explicit Call(std::function<void()> fn)
      : StrandNode(&Run), fn_(std::move(fn)) {}
  static void Run(StrandNode& node) {
    const std::unique_ptr<Call> self(static_cast<Call*>(&node));
    self->fn_();
  }

  const std::function<void()> fn_;
};

TEST(Strand, RunsAtOnceWhenIdle) {
  Strand strand;
  int n = 0;
  for (int i = 1; i <= 3; ++i) {
    Call::Post(strand, [&] { ++n; });
    EXPECT_EQ(n, i);
  }
}

TEST(Strand, WhatAFunctionPostsRunsAfterIt) {
  Strand strand;
  std::vector<int> order;
  Call::Post(strand, [&] {
    Call::Post(strand, [&] {
      order.push_back(2);
      Call::Post(strand, [&] { order.push_back(4); });
    });
    Call::Post(strand, [&] { order.push_back(3); });
    order.push_back(1);
  });
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 4}));
}

TEST(Strand, ANodeMayBePostedAgainByItsFunction) {
  struct Again : StrandNode {
    explicit Again(Strand& s) : StrandNode(&Run), strand(s) {}
    static void Run(StrandNode& node) {
      Again& self = static_cast<Again&>(node);
      if (++self.n < 5) self.strand.Post(self);
    }
    Strand& strand;
    int n = 0;
  };
  Strand strand;
  Again again(strand);
  strand.Post(again);
  EXPECT_EQ(again.n, 5);
}

// The mutex that this is instead of would hang here.
TEST(Strand, NoThreadWaitsForOneThatIsStoppedInAFunction) {
  Strand strand;
  std::binary_semaphore stopped{0}, go_on{0};
  int n_late = 0;
  std::thread slow([&] {
    Call::Post(strand, [&] {
      stopped.release();
      go_on.acquire();
    });
  });
  stopped.acquire();
  for (int i = 0; i < 3; ++i) Call::Post(strand, [&] { ++n_late; });
  go_on.release();
  slow.join();
  EXPECT_EQ(n_late, 3);
}

// The functions use what they share without a lock, which the thread sanitizer
// checks, too.
TEST(Strand, RunsEachOnceInTheOrderOfItsThread) {
  constexpr size_t kThreads = 4;
  constexpr int kEach = 5'000;
  Strand strand;
  std::vector<int> next(kThreads, 0);
  int n_run = 0, n_out_of_order = 0;
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          Call::Post(strand, [&, t, i] {
            if (next[t]++ != i) ++n_out_of_order;
            ++n_run;
          });
        }
      });
    }
  }
  // A thread that has run all others' functions sees what they wrote.
  Call::Post(strand, [&] {
    EXPECT_EQ(n_run, static_cast<int>(kThreads) * kEach);
    EXPECT_EQ(n_out_of_order, 0);
  });
}

TEST(Strand, NeverRunsTwoAtATime) {
  Strand strand;
  std::atomic<int> n_inside{0};
  std::atomic<int> n_together{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 2'000; ++i) {
          Call::Post(strand, [&] {
            if (++n_inside != 1) ++n_together;
            --n_inside;
          });
        }
      });
    }
  }
  EXPECT_EQ(n_together, 0);
}

}  // namespace
}  // namespace ringway
