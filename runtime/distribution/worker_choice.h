// SPDX-License-Identifier: Apache-2.0
//
// WorkerChoice: which worker gets the next connection, where one thread accepts
// for all.

#ifndef RINGWAY_RUNTIME_DISTRIBUTION_WORKER_CHOICE_H_
#define RINGWAY_RUNTIME_DISTRIBUTION_WORKER_CHOICE_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringway {

// How connections are distributed. In each case a worker that has not yet taken
// what it was given before, or is full, gets the next one only if all others
// are no better.
enum class Balancing : uint8_t {
  kLeastConnections,
  kRoundRobin,
  kChunked,  // several in a row for the same worker, for its caches
};

namespace internal {

struct WorkerLoad {
  size_t connections = 0;
  uint64_t untaken = 0;  // given to it, and not taken yet
  bool full = false;
  bool excluded = false;  // it is not to be chosen
};

class WorkerChoice {
 public:
  // `chunk`: connections in a row, at least 1; for kChunked.
  WorkerChoice(Balancing balancing, size_t chunk)
      : balancing_(balancing), chunk_(chunk) {}

  // The index of the worker that gets the next connection; -1 if all are
  // excluded.
  int Next(std::span<const WorkerLoad> loads);

 private:
  bool IsBetter(const WorkerLoad& a, const WorkerLoad& b) const;

  const Balancing balancing_;
  const size_t chunk_;
  size_t next_ = 0;   // where the search begins
  size_t given_ = 0;  // in a row, to `last_`
  int last_ = -1;
};

}  // namespace internal
}  // namespace ringway

#endif  // RINGWAY_RUNTIME_DISTRIBUTION_WORKER_CHOICE_H_
