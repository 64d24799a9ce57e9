// SPDX-License-Identifier: Apache-2.0
//
// MetricsWorker: the thread of a Runtime that serves its pages for operators,
// also while its workers are busy or draining.

#ifndef RINGWAY_RUNTIME_METRICS_WORKER_H_
#define RINGWAY_RUNTIME_METRICS_WORKER_H_

#include "ringway/runtime/serving/server.h"
#include "ringway/runtime/worker.h"

namespace ringway::internal {

class MetricsWorker final : public Worker {
 public:
  // The arguments must outlive it.
  MetricsWorker(Runtime& runtime, const RuntimeConfig& config);

  // What serves the pages.
  const Server::Endpoint& endpoint() const { return endpoint_; }

 private:
  const Server::Endpoint endpoint_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_METRICS_WORKER_H_
