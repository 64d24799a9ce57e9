// SPDX-License-Identifier: Apache-2.0
//
// LoopTest: a fixture with a loop on the backend that production would pick.

#ifndef RINGWAY_EXECUTOR_TESTING_LOOP_FIXTURE_H_
#define RINGWAY_EXECUTOR_TESTING_LOOP_FIXTURE_H_

#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/operation.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::testing {

inline constexpr MonotonicTime kPast = MonotonicTime::FromNanoseconds(0);

struct Entry : Runnable {
  explicit Entry(std::function<void()> f)
      : Runnable([](Runnable& r) { static_cast<Entry&>(r).fn(); }),
        fn(std::move(f)) {}
  std::function<void()> fn;
};

struct CountedOperation : Operation {
  CountedOperation()
      : Operation([](Runnable& r) {
          ++static_cast<CountedOperation&>(r).completions;
        }) {}
  int completions = 0;
};

class LoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Loop>> loop = Loop::Create(LoopOptions());
    const int errnum = ErrnoOf(loop.status());
    if (errnum == EPERM || errnum == ENOSYS) {
      GTEST_SKIP() << "the kernel refuses every backend: " << loop.status();
    }
    ASSERT_TRUE(loop.ok()) << loop.status();
    loop_ = *std::move(loop);
  }

  static std::unique_ptr<Loop> MakeLoop(uint32_t ready_budget = 512) {
    LoopOptions options;
    options.ready_budget = ready_budget;
    return *Loop::Create(options);
  }

  void TearDown() override {
    if (loop_ != nullptr) loop_->DisarmTimer(overdue_);
  }

  // Turns until `done`. Polls with short waits, because the condition may
  // come true in a turn that then blocks.
  void TurnUntil(const std::function<bool()>& done) {
    while (!done()) {
      loop_->Turn(loop_->backend().clock().Now() + absl::Microseconds(200));
    }
  }

  // Turns until Stop(); blocks forever if a wake-up is lost.
  void TurnUntilStopped() {
    while (!stopped_) loop_->Turn(MonotonicTime::Infinite());
  }
  // For functions that the loop runs. An overdue timer, armed after the turn
  // has expired its timers, keeps the turn from blocking.
  void Stop() {
    stopped_ = true;
    overdue_.on_fired = &nothing_;
    loop_->Schedule(arm_overdue_);
  }

  std::unique_ptr<Loop> loop_;

 private:
  bool stopped_ = false;
  LoopTimer overdue_;
  Entry nothing_{[] {}};
  Entry arm_overdue_{[this] { loop_->ArmTimer(overdue_, kPast); }};
};

}  // namespace ringway::testing

#endif  // RINGWAY_EXECUTOR_TESTING_LOOP_FIXTURE_H_
