// SPDX-License-Identifier: Apache-2.0
//
// ReadyShuffler: runs ready entries in a random order, to find code that
// relies on the order in which tasks run.
//
// The FIFO order of the ready queue is guaranteed, but programs should not
// depend on it: one more await in the next version changes it. A test suite
// that passes under several seeds does not depend on it:
//
//   RINGWAY_SHUFFLE_SEED=random bazel test //server/...   # prints the seeds
//   RINGWAY_SHUFFLE_SEED=4711 bazel test //server:parser_test

#ifndef RINGWAY_EXECUTOR_LOOP_READY_SHUFFLER_H_
#define RINGWAY_EXECUTOR_LOOP_READY_SHUFFLER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/core/rng.h"
#include "ringway/core/runnable.h"

namespace ringway {

class ReadyShuffler {
 public:
  // The value of RINGWAY_SHUFFLE_SEED: 0 if it is not set, a random number
  // for "random". InvalidArgument for anything else that is not a number.
  static absl::StatusOr<uint64_t> SeedFromEnvironment();

  // Prints on stderr how to repeat the order.
  explicit ReadyShuffler(uint64_t seed);

  // Removes the next entry to run from `ready`, or returns null. Entries that
  // become ready later run after the earlier ones, shuffled separately.
  // Allocates.
  Runnable* PopNext(RunnableList& ready);

 private:
  void Shuffle(RunnableList& ready);

  Rng random_;
  std::vector<Runnable*> entries_;
  size_t left_ = 0;  // of the entries shuffled last
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_READY_SHUFFLER_H_
