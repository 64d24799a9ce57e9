// SPDX-License-Identifier: Apache-2.0
//
// FailingAllocation: makes the n-th heap allocation fail, once, or all from
// there on.
//
// Linking it replaces operator new and related functions for the whole
// binary, so production code needs no hook.
//
//   const uint64_t n = FailEachAllocation([] {
//     std::unique_ptr<Thing> thing = MakeThing();
//   });
//   EXPECT_GT(n, 0u);

#ifndef RINGWAY_BACKENDS_TESTING_FAILING_ALLOCATION_H_
#define RINGWAY_BACKENDS_TESTING_FAILING_ALLOCATION_H_

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace ringway::testing {

// Threads: counts and fails the allocations of the thread that made it. One at
// a time.
class FailingAllocation {
 public:
  // The `n`-th allocation from now on (1 is the next) throws std::bad_alloc,
  // or returns null if it is nothrow.
  explicit FailingAllocation(uint64_t n) : FailingAllocation(n, n) {}
  // All allocations from the `first` to the `last` fail.
  FailingAllocation(uint64_t first, uint64_t last);
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;

  bool happened() const;
};

// The same for threads started meanwhile: the `n`-th allocation of each
// fails, once. They need not have ended.
//
// Threads: one of these at a time.
class FailingAllocationInNewThreads {
 public:
  explicit FailingAllocationInNewThreads(uint64_t n);
  ~FailingAllocationInNewThreads();
  FailingAllocationInNewThreads(const FailingAllocationInNewThreads&) = delete;
  FailingAllocationInNewThreads& operator=(
      const FailingAllocationInNewThreads&) = delete;

  // Of any of them.
  bool happened() const;
};

// Allocations of any thread that have not been freed.
uint64_t LiveAllocations();

// Calls `work` with its first allocation failing, then with its second, and
// so on until none is left to fail; and once before that, for one-time
// initialisation. `work` may only throw std::bad_alloc and must not leak
// memory or fds; otherwise the test fails. Returns the number of failed
// allocations.
uint64_t FailEachAllocation(absl::FunctionRef<void()> work);

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_FAILING_ALLOCATION_H_
