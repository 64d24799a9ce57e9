// SPDX-License-Identifier: Apache-2.0
//
// RingEntry: one task of a ring, from its start to its last callback. Lives
// in the ring's slab, so its address is stable and its memory is reused.

#ifndef RINGWAY_EXECUTOR_RING_RING_ENTRY_H_
#define RINGWAY_EXECUTOR_RING_RING_ENTRY_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "ringway/backends/operation.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/operation_deadline.h"
#include "ringway/executor/ring/context.h"
#include "ringway/executor/ring/payload.h"
#include "ringway/executor/ring/ring_message.h"

namespace ringway::internal {

class RingCore;
struct RingEntry;

// An operation that ends once.
struct OneShotWork : Operation {
  explicit OneShotWork(RingEntry& e) : Operation(&Run), entry(e) {}
  static void Run(Runnable& runnable);
  RingEntry& entry;
};

// An operation that delivers before it ends.
struct MultishotWork : DeliveringOperation {
  explicit MultishotWork(RingEntry& e) : DeliveringOperation(&Run), entry(e) {}
  static void Run(Runnable& runnable);
  RingEntry& entry;
};

// A task that is not an operation: a timer, or a message in flight. Its timer
// is armed until it is settled, with an infinite deadline if necessary, so
// that a run until done waits for it.
struct TimedWork : Runnable {
  explicit TimedWork(RingEntry& e) : Runnable(&Run), entry(e) {
    timer.on_fired = this;
  }
  static void Run(Runnable& runnable);

  // True if its result is known or its time has come; the callback is about
  // to run.
  bool ended() const { return settled || linked(); }

  RingEntry& entry;
  LoopTimer timer;
  MonotonicTime due = MonotonicTime::Infinite();  // a timer's
  MonotonicTime deadline = MonotonicTime::Infinite();
  bool is_message = false;
  RingMessage* message = nullptr;  // while it is in flight
  MessagePayload payload;          // returned by a failed message
  bool settled = false;
  int32_t result = 0;
};

struct RingEntry {
  template <typename Work>
  RingEntry(RingCore& c, const Context& to, std::in_place_type_t<Work> kind)
      : core(c), context(to), work(kind, *this) {}

  OneShotWork* one_shot() { return std::get_if<OneShotWork>(&work); }
  MultishotWork* multishot() { return std::get_if<MultishotWork>(&work); }
  TimedWork* timed() { return std::get_if<TimedWork>(&work); }
  // Null if it is not an operation.
  Operation* operation() {
    if (OneShotWork* op = one_shot()) return op;
    return multishot();
  }

  // The result of its operation, which has ended: -ETIME if the deadline
  // ended it.
  int32_t Settle() {
    return deadline.has_value() ? deadline->Settle(*operation())
                                : operation()->result;
  }

  RingCore& core;
  const Context context;
  std::variant<OneShotWork, MultishotWork, TimedWork> work;
  std::optional<OperationDeadline> deadline;  // an operation's
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_RING_RING_ENTRY_H_
