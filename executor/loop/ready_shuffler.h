// SPDX-License-Identifier: Apache-2.0
//
// ReadyShuffler: runs what is ready in a random order, to find code that relies
// on the order in which tasks happen to run.
//
// The order of the ready queue is a promise to users (first come, first run),
// but hardly ever a thing to build on: the next version of a program awaits
// something more. A test suite that passes under a few seeds does not rely on
// it:
//
//   RINGWAY_SHUFFLE_SEED=random bazel test //server/...   # prints the seeds
//   RINGWAY_SHUFFLE_SEED=4711 bazel test //server:parser_test

#ifndef RINGWAY_EXECUTOR_LOOP_READY_SHUFFLER_H_
#define RINGWAY_EXECUTOR_LOOP_READY_SHUFFLER_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/core/runnable.h"

namespace ringway {

class ReadyShuffler {
 public:
  // What RINGWAY_SHUFFLE_SEED says: 0 when it is not set, a number of its own
  // for "random". InvalidArgument if it is anything but that or a number.
  static absl::StatusOr<uint64_t> SeedFromEnvironment();

  // Says on stderr how to repeat it.
  explicit ReadyShuffler(uint64_t seed);

  // Takes the next entry to run out of `ready`, or returns null. What becomes
  // ready meanwhile comes after what was, in an order of its own. Allocates.
  Runnable* PopNext(RunnableList& ready);

 private:
  void Shuffle(RunnableList& ready);

  std::mt19937_64 random_;
  std::vector<Runnable*> entries_;
  size_t left_ = 0;  // of what was shuffled last
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_READY_SHUFFLER_H_
