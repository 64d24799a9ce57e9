// SPDX-License-Identifier: Apache-2.0
//
// StartUp: lets a launch wait for the start of all workers.

#ifndef RINGWAY_RUNTIME_START_UP_H_
#define RINGWAY_RUNTIME_START_UP_H_

#include <condition_variable>
#include <mutex>

#include "absl/status/status.h"

namespace ringway::internal {

// Threads: any.
class StartUp {
 public:
  explicit StartUp(int n_workers) : left_(n_workers) {}

  // Once for each worker.
  void Report(absl::Status status);

  // Waits until all have reported, or one has failed.
  absl::Status Wait();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int left_;
  absl::Status failed_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_START_UP_H_
