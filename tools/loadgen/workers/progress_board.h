// SPDX-License-Identifier: Apache-2.0
//
// ProgressBoard: makes one Progress of those of several workers.

#ifndef RINGWAY_TOOLS_LOADGEN_WORKERS_PROGRESS_BOARD_H_
#define RINGWAY_TOOLS_LOADGEN_WORKERS_PROGRESS_BOARD_H_

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "ringway/tools/loadgen/load_options.h"

namespace ringway::loadgen {

// Threads: any.
class ProgressBoard {
 public:
  ProgressBoard(int workers, std::function<void(const Progress&)> show)
      : latest_(static_cast<size_t>(workers)), show_(std::move(show)) {}

  // How far `worker` is. When the first one tells, the sum of the latest of
  // all is shown.
  void Publish(int worker, const Progress& progress);
  // The same as a function; this must outlive it.
  std::function<void(const Progress&)> For(int worker) {
    return
        [this, worker](const Progress& progress) { Publish(worker, progress); };
  }

 private:
  std::mutex mutex_;
  std::vector<Progress> latest_;
  const std::function<void(const Progress&)> show_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_WORKERS_PROGRESS_BOARD_H_
