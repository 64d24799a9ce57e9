// SPDX-License-Identifier: Apache-2.0
//
// Faults: what goes wrong in a simulated world, and how often. By default
// nothing does: no time passes on the way, everything arrives, order is the
// order of starting.
//
// None of it breaks the contract of Backend: an operation still ends exactly
// once, with a result that its system call might have had.

#ifndef RINGWAY_BACKENDS_SIM_ENVIRONMENT_FAULTS_H_
#define RINGWAY_BACKENDS_SIM_ENVIRONMENT_FAULTS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/time/time.h"
#include "ringway/core/compiler.h"

namespace ringway::sim {

// Probabilities are from 0 to 1, of each operation.
struct Faults {
  Faults() {}

  // Everything at once, often enough that a run of a hundred operations meets
  // most of it.
  static Faults All();

  // Fails with an errno of those documented for it: see fault_table.h.
  double failure = 0;
  // Is carried out late, or has its result reported late, by up to `delay`.
  double late = 0;
  absl::Duration delay = absl::Milliseconds(5);
  // Transfers fewer bytes than it could.
  double short_transfer = 0;
  // A cancel takes up to `delay` to arrive, and the result may come first.
  double cancel_race = 0;
  // What completes together is reported in a random order, and what waits for
  // one thing is tried in one.
  bool shuffle = false;
};

// One operation that fails, for going through all of them: of those that can
// fail, the n-th. Counts them on the way.
struct SingleFailure {
  SingleFailure() {}

  // The errno, one of `possible`, that the next operation fails with; 0 if it
  // does not.
  int ErrorOfNext(std::span<const int> possible);

  uint64_t n = 0;        // 1 is the first; 0: none fails
  size_t which = 0;      // of the errnos it may fail with; beyond them: none
  uint64_t started = 0;  // operations that can fail, so far
  bool happened = false;
};

struct NetworkConditions {
  NetworkConditions() {}

  static NetworkConditions Bad();

  // One way, drawn for every segment and datagram. Segments of one stream stay
  // in order, datagrams do not.
  absl::Duration latency_low;
  absl::Duration latency_high;
  // Of one direction of a stream; 0: no limit.
  uint64_t bytes_per_second = 0;
  // Of each datagram.
  double datagram_loss = 0;
  // Of each send on a TCP connection, which it breaks.
  double reset = 0;
  // Bytes a stream takes before its sender has to wait, and a datagram socket
  // holds before it drops.
  size_t stream_buffer_bytes = 64 * 1024;
  size_t datagram_buffer_bytes = 208 * 1024;
  // How long an attempt to connect across a partition lasts.
  absl::Duration connect_timeout = absl::Seconds(127);
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_ENVIRONMENT_FAULTS_H_
