// SPDX-License-Identifier: Apache-2.0
//
// Acceptor: the thread of a Runtime that accepts for all workers. It is a
// worker whose handlers pass each connection on.

#ifndef RINGWAY_RUNTIME_ACCEPTOR_H_
#define RINGWAY_RUNTIME_ACCEPTOR_H_

#include <cstddef>
#include <list>
#include <memory>
#include <vector>

#include "ringway/runtime/distribution/handover.h"
#include "ringway/runtime/worker.h"

namespace ringway::internal {

class Acceptor final : public Worker {
 public:
  // The arguments must outlive it.
  Acceptor(Runtime& runtime, const RuntimeConfig& config,
           const std::vector<std::unique_ptr<Worker>>& workers);

  // What passes on the connections of the listener with this index. Before it
  // is arranged; lives as long as this.
  const Server::Endpoint& EndpointFor(size_t listener);

 private:
  void OnServed() override;

  const RuntimeConfig& config_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  Handover handover_;
  std::list<Server::Endpoint> endpoints_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_ACCEPTOR_H_
