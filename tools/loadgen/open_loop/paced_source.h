// SPDX-License-Identifier: Apache-2.0
//
// PacedSource: the pacing of an open loop for a connection: requests are sent
// when they are offered, and not when earlier ones have been answered.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_SOURCE_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_SOURCE_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "ringway/core/containers/circular_queue.h"
#include "ringway/core/time/clock.h"
#include "ringway/tools/loadgen/connection/in_flight.h"
#include "ringway/tools/loadgen/connection/request_source.h"
#include "ringway/tools/loadgen/open_loop/open_meter.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"

namespace ringway::loadgen {

class PacedSource final : public RequestSource {
 public:
  // For connection number `index`. At most `queue` requests are unanswered.
  // `clock` and `meter` must outlive it.
  PacedSource(const Clock& clock, int index, size_t queue, OpenMeter& meter)
      : clock_(clock), index_(index), queue_(queue), meter_(meter) {}

  // False if too many requests are unanswered already.
  //
  // Cost: no allocation once as many have been unanswered before.
  bool Offer(const PacedRequest& request);

  // Counts all unanswered requests as lost. After Connection::Run().
  void Abandon();

  // RequestSource: it does not end, its connections are cancelled.
  bool in_turns() const override { return false; }
  size_t Take(size_t most) override;
  void OnOldestAnswered(size_t n) override;
  void OnAnswered(uint64_t number) override;
  void OnFailed(uint64_t number, const absl::Status& why) override;
  void OnLost(uint64_t number) override;
  void OnStray() override { meter_.RecordStray(); }
  void OnReopened() override { meter_.RecordReopened(); }
  bool ended() const override { return false; }

 private:
  const Clock& clock_;
  const int index_;
  const size_t queue_;
  OpenMeter& meter_;
  internal::CircularQueue<PacedRequest> waiting_;
  InFlight<PacedRequest> sent_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_PACED_SOURCE_H_
