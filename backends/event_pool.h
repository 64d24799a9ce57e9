// SPDX-License-Identifier: Apache-2.0
//
// EventPool: the memory of multishot deliveries between the backend that makes
// them and the owner that takes them. Grows to the largest backlog there ever
// was, then allocates no more.

#ifndef RINGWAY_BACKENDS_EVENT_POOL_H_
#define RINGWAY_BACKENDS_EVENT_POOL_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "backends/operation.h"

namespace ringway {

class Backend;

// Closes or gives back what `event`, a delivery of `op` that nobody wants,
// holds.
void DisposeOf(const MultishotOperation& op, const MultishotEvent& event,
               Backend& backend);

class EventPool {
 public:
  // Appends a copy of `event` to what `op` has delivered.
  void Append(MultishotOperation& op, const MultishotEvent& event);

  // Moves the oldest delivery of `op` to `event`; false if there is none.
  bool Take(MultishotOperation& op, MultishotEvent& event);

 private:
  static constexpr size_t kChunk = 64;

  void Grow();

  MultishotEvent* free_ = nullptr;
  std::vector<std::unique_ptr<MultishotEvent[]>> chunks_;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_EVENT_POOL_H_
