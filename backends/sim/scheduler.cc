// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/scheduler.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace ringway::sim {

void Scheduler::Add(SimBackend& backend, std::function<bool()> turn) {
  loops_.push_back({&backend, std::move(turn)});
}

void Scheduler::Clear() {
  loops_.clear();
  awake_.clear();
}

absl::Status Scheduler::Run(absl::FunctionRef<bool()> done, MonotonicTime limit,
                            uint64_t max_turns) {
  world_.driven_ = true;
  const auto undriven = absl::MakeCleanup([this] { world_.driven_ = false; });
  // The caller may have given work to any of them.
  for (Loop& loop : loops_) loop.restless = true;
  Environment& environment = world_.environment();
  for (const uint64_t last = turns_ + max_turns; !done();) {
    environment.Settle();
    if (Loop* loop = PickAwake(); loop != nullptr) {
      if (turns_ == last) {
        return absl::ResourceExhaustedError(absl::StrCat(
            "still running after ", max_turns, " turns\n", Waits()));
      }
      ++turns_;
      loop->restless = !loop->turn();
      continue;
    }
    const MonotonicTime next = NextWake();
    if (next.is_infinite()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "all loops are blocked and no event can wake one\n", Waits()));
    }
    if (next > limit) {
      return absl::DeadlineExceededError(
          absl::StrCat("the time limit has passed\n", Waits()));
    }
    environment.clock.AdvanceTo(next);
  }
  return absl::OkStatus();
}

Scheduler::Loop* Scheduler::PickAwake() {
  awake_.clear();
  const MonotonicTime now = world_.environment().now();
  for (Loop& loop : loops_) {
    if (loop.restless || loop.backend->wake_time() <= now) {
      awake_.push_back(&loop);
    }
  }
  if (awake_.empty()) return nullptr;
  return awake_[world_.environment().rng.Below(awake_.size())];
}

MonotonicTime Scheduler::NextWake() const {
  MonotonicTime next = world_.environment().events.next();
  for (const Loop& loop : loops_) {
    next = std::min(next, loop.backend->wake_time());
  }
  return next;
}

std::string Scheduler::Waits() const { return world_.DescribeWaits(); }

}  // namespace ringway::sim
