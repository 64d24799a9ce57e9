// SPDX-License-Identifier: Apache-2.0
//
// Completions: the handling of operations that all backends share: their
// start, deliveries and end, with the counters.

#ifndef RINGWAY_BACKENDS_COMMON_COMPLETIONS_H_
#define RINGWAY_BACKENDS_COMMON_COMPLETIONS_H_

#include <cstdint>
#include <optional>

#include "ringway/backends/backend.h"
#include "ringway/backends/common/delivery_pool.h"
#include "ringway/backends/operation.h"
#include "ringway/core/runnable.h"

namespace ringway {

class Completions {
 public:
  // Takes `op` from its loop; it is then in flight.
  void Begin(Operation& op) {
    op.state = OpState::kInFlight;
    ++stats_.submitted;
    ++stats_.in_flight;
  }

  // The first step of every Cancel(). Returns the outcome if nothing is left
  // to do: `op` is not active, or was queued and ends here, in `done`, or is
  // being cancelled already. Otherwise marks the operation, which is in
  // flight.
  std::optional<CancelOutcome> BeginCancel(Operation& op, RunnableList& done);

  // True if a delivery can be added; false if there is no memory for one. Never
  // throws.
  [[nodiscard]] bool Reserve() { return deliveries_.Reserve(); }

  // Adds `delivery` to those of `op`. Requires a successful Reserve() since
  // the last one (checked).
  void Deliver(DeliveringOperation& op, const Delivery& delivery,
               RunnableList& done) {
    deliveries_.Append(op, delivery);
    ++stats_.deliveries;
    if (!op.notice.linked()) done.PushBack(op.notice);
  }

  // Moves the oldest delivery of `op` to `delivery`; false if there is none.
  bool Take(DeliveringOperation& op, Delivery& delivery) {
    return deliveries_.Take(op, delivery);
  }

  // Ends `op`, which must be in no list.
  void Finish(Operation& op, int32_t result, RunnableList& done) {
    op.result = result;
    op.backend.needs_rearm = false;
    ++stats_.completed;
    --stats_.in_flight;
    End(op, done);
  }

  // For the counters that the backend maintains itself.
  BackendStats& stats() { return stats_; }

 private:
  static void End(Operation& op, RunnableList& done) {
    op.state = OpState::kDone;
    Runnable& end = EndOf(op);
    if (!end.linked()) done.PushBack(end);
  }

  DeliveryPool deliveries_;
  BackendStats stats_;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_COMPLETIONS_H_
