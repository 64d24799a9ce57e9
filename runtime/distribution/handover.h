// SPDX-License-Identifier: Apache-2.0
//
// Handover: gives accepted connections to workers, from the thread that accepts
// for all of them.
//
//     acceptor's thread              workers' threads
//     Give(): chooses a worker --offer--> Take: serves it, if it is the first
//       1 ms later, not taken:
//       chooses another one ----offer--> Take
//
// So a worker that is busy with something else delays no connection for longer
// than a millisecond while another one is free.

#ifndef RINGWAY_RUNTIME_DISTRIBUTION_HANDOVER_H_
#define RINGWAY_RUNTIME_DISTRIBUTION_HANDOVER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tcp.h"
#include "ringway/runtime/distribution/worker_choice.h"

namespace ringway::internal {

// What a worker is to a Handover.
class HandoverTarget {
 public:
  // On the worker's thread: serves the connection with the handler of its
  // listener `endpoint`, an index. May throw std::bad_alloc after closing it.
  virtual void TakeOver(size_t endpoint, SocketFd fd) = 0;
  // How many of those have ended or were refused. Any thread.
  virtual uint64_t n_over() const = 0;
  virtual const ExecutorHandle& handle() const = 0;

 protected:
  ~HandoverTarget() = default;
};

// Threads: the acceptor's.
class Handover {
 public:
  // The time after which a connection that was not taken is offered to another
  // worker, too.
  static constexpr absl::Duration kPatience = absl::Milliseconds(1);

  struct Options {
    Balancing balancing;
    size_t chunk;
    size_t max_connections;  // of each target
    // If all are full, a connection waits here, or one of them refuses it.
    bool waits_when_full;
  };

  // `targets` must outlive it and the executors' ends.
  Handover(const std::vector<HandoverTarget*>& targets, const Options& options);
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  // Returns once a worker has taken the connection, or all have an offer.
  // Throws std::bad_alloc after closing it.
  Task<absl::Status> Give(size_t endpoint, net::TcpStream stream);

 private:
  struct Offer;
  struct Seat;
  struct Message;

  int Choose(const std::vector<bool>& asked);
  // Of the last Choose(): a worker has not yet taken what it was given, so it
  // may have less to do than it seems.
  bool AnyUntaken() const;
  // False if there is no memory for it.
  bool Send(int target, size_t endpoint, std::shared_ptr<Offer> offer);

  std::vector<std::shared_ptr<Seat>> seats_;
  const Options options_;
  WorkerChoice choice_;
  std::vector<WorkerLoad> loads_;  // of the last Choose()
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_DISTRIBUTION_HANDOVER_H_
