// SPDX-License-Identifier: Apache-2.0
//
// Faults: the fault rates of a simulated world. By default there are none: no
// latency, everything arrives, operations end in the order of their start.
//
// Faults respect the contract of Backend: an operation still ends exactly
// once, with a result that its system call could have returned.

#ifndef RINGWAY_BACKENDS_SIM_ENVIRONMENT_FAULTS_H_
#define RINGWAY_BACKENDS_SIM_ENVIRONMENT_FAULTS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/time/time.h"
#include "ringway/core/compiler.h"

namespace ringway::sim {

// Probabilities are from 0 to 1, per operation.
struct Faults {
  Faults() {}

  // All faults, often enough that a run of a hundred operations gets most of
  // them.
  static Faults All();

  // Fails with one of its documented errnos: see fault_table.h.
  double failure = 0;
  // Runs late, or reports its result late, by up to `delay`.
  double late = 0;
  absl::Duration delay = absl::Milliseconds(5);
  // Transfers fewer bytes than it could.
  double short_transfer = 0;
  // A cancel takes up to `delay` to take effect; the result may come first.
  double cancel_race = 0;
  // Simultaneous completions are reported, and waiters of one description are
  // retried, in random order.
  bool shuffle = false;
};

// Makes the n-th of the operations that can fail do so, for tests that
// iterate over all of them. Counts these operations.
struct SingleFailure {
  SingleFailure() {}

  // The errno, one of `possible`, with which the next operation fails; 0 if
  // it does not.
  int ErrorOfNext(std::span<const int> possible);

  uint64_t n = 0;        // from 1; 0: none fails
  size_t which = 0;      // index of the errno; beyond the last: none
  uint64_t started = 0;  // operations that can fail, so far
  bool happened = false;
};

// Of operations on files and on names. How much a disk takes:
// FileStore::set_capacity().
struct DiskConditions {
  DiskConditions() {}

  // All of it, often enough that a run of a hundred operations gets most of it.
  static DiskConditions Bad();

  // Until an operation takes effect, drawn for each.
  absl::Duration latency_low;
  absl::Duration latency_high;
  // Probabilities as in Faults, for these operations alone; of an fsync,
  // which drops what it should have made durable, one of its own.
  double failure = 0;
  double sync_failure = 0;
  double short_transfer = 0;
};

struct NetworkConditions {
  NetworkConditions() {}

  static NetworkConditions Bad();

  // One-way latency, drawn for every segment and datagram. Segments of a
  // stream stay in order, datagrams do not.
  absl::Duration latency_low;
  absl::Duration latency_high;
  // Per direction of a stream; 0: no limit.
  uint64_t bytes_per_second = 0;
  // Per datagram.
  double datagram_loss = 0;
  // Per send on a TCP connection; the connection is reset.
  double reset = 0;
  // Bytes that a stream buffers before its sender must wait, and a datagram
  // socket before it drops.
  size_t stream_buffer_bytes = 64 * 1024;
  size_t datagram_buffer_bytes = 208 * 1024;
  // The timeout of a connect across a partition.
  absl::Duration connect_timeout = absl::Seconds(127);
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_ENVIRONMENT_FAULTS_H_
