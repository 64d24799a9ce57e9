// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/workers/progress_board.h"

namespace ringway::loadgen {

void ProgressBoard::Publish(int worker, const Progress& progress) {
  const std::lock_guard<std::mutex> lock(mutex_);
  latest_[static_cast<size_t>(worker)] = progress;
  if (worker != 0) return;
  Progress sum = progress;
  for (size_t i = 1; i < latest_.size(); ++i) {
    sum.requests += latest_[i].requests;
    sum.errors += latest_[i].errors;
    sum.recent_ns.Merge(latest_[i].recent_ns);
  }
  show_(sum);
}

}  // namespace ringway::loadgen
