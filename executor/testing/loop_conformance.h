// SPDX-License-Identifier: Apache-2.0
//
// LoopConformance: a loop on each backend, for behaviour common to all.

#ifndef RINGWAY_EXECUTOR_TESTING_LOOP_CONFORMANCE_H_
#define RINGWAY_EXECUTOR_TESTING_LOOP_CONFORMANCE_H_

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::testing {

class LoopConformance : public BackendConformance {
 protected:
  void SetUp() override {
    BackendConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    MakeLoop(Options());
  }
  // The loop ends before the system whose fds it uses.
  void TearDown() override { loop_.reset(); }

  // Replaces the loop.
  void MakeLoop(const LoopOptions& options) {
    loop_.reset();
    loop_ = std::make_unique<Loop>(MakeForTest(options.backend), options);
  }
  void MakeLoop(const BackendOptions& options) {
    LoopOptions loop_options;
    loop_options.backend = options;
    MakeLoop(loop_options);
  }

  Loop& loop() { return *loop_; }
  MonotonicTime Now() const { return loop_->backend().clock().Now(); }

  // Turns until `done`; fails after a minute. Polls with short waits, because
  // the condition may come true in a turn that then blocks.
  void TurnUntil(const std::function<bool()>& done) {
    const MonotonicTime limit = Clock::Real().Now() + absl::Seconds(60);
    while (!done()) {
      ASSERT_LT(Clock::Real().Now(), limit) << "nothing came of it";
      loop_->Turn(Now() + absl::Milliseconds(1));
    }
  }

 private:
  std::unique_ptr<Loop> loop_;
};

}  // namespace ringway::testing

#endif  // RINGWAY_EXECUTOR_TESTING_LOOP_CONFORMANCE_H_
