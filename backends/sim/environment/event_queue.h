// SPDX-License-Identifier: Apache-2.0
//
// EventQueue: the scheduled events of a simulated world, ordered by time and,
// at the same time, by the order of scheduling.

#ifndef RINGWAY_BACKENDS_SIM_ENVIRONMENT_EVENT_QUEUE_H_
#define RINGWAY_BACKENDS_SIM_ENVIRONMENT_EVENT_QUEUE_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::sim {

class EventQueue {
 public:
  using Function = absl::AnyInvocable<void()>;

  // Events cannot be removed: one that may be obsolete must check when it
  // runs.
  void Add(MonotonicTime time, Function run) {
    heap_.push_back({time, next_sequence_++, std::move(run)});
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }

  // When the next event is due; infinite if there is none.
  MonotonicTime next() const {
    return heap_.empty() ? MonotonicTime::Infinite() : heap_.front().time;
  }

  // Runs the next event if it is due. It may add others.
  bool RunOne(MonotonicTime now) {
    if (next() > now || heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    Function run = std::move(heap_.back().run);
    heap_.pop_back();
    run();
    return true;
  }

  // Drops all events without running them.
  void Clear() { heap_.clear(); }

 private:
  struct Event {
    MonotonicTime time;
    uint64_t sequence;
    Function run;
  };

  static bool Later(const Event& a, const Event& b) {
    return std::pair(a.time, a.sequence) > std::pair(b.time, b.sequence);
  }

  std::vector<Event> heap_;
  uint64_t next_sequence_ = 0;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_ENVIRONMENT_EVENT_QUEUE_H_
