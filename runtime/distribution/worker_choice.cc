// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/distribution/worker_choice.h"

namespace ringway::internal {

bool WorkerChoice::IsBetter(const WorkerLoad& a, const WorkerLoad& b) const {
  if (a.full != b.full) return b.full;
  if (a.untaken != b.untaken) return a.untaken < b.untaken;
  return balancing_ == Balancing::kLeastConnections &&
         a.connections < b.connections;
}

int WorkerChoice::Next(std::span<const WorkerLoad> loads) {
  // Among equals the first from next_ on, so that they take turns.
  int best = -1;
  for (size_t i = 0; i < loads.size(); ++i) {
    const size_t candidate = (next_ + i) % loads.size();
    if (loads[candidate].excluded) continue;
    if (best < 0 ||
        IsBetter(loads[candidate], loads[static_cast<size_t>(best)]))
      best = static_cast<int>(candidate);
  }
  if (best < 0) return best;
  given_ = best == last_ ? given_ + 1 : 1;
  last_ = best;
  const bool stays = balancing_ == Balancing::kChunked && given_ < chunk_;
  next_ = static_cast<size_t>(best) + (stays ? 0 : 1);
  if (!stays) given_ = 0;
  return best;
}

}  // namespace ringway::internal
