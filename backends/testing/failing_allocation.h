// SPDX-License-Identifier: Apache-2.0
//
// FailingAllocation: makes the n-th heap allocation fail, once, or all from
// there on.
//
// Linking it replaces operator new and its kin for the whole binary, so
// production code has no hook for it.
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
  // The `n`-th allocation from now on (1 is the next) gives std::bad_alloc, or
  // null if it is one that must not throw.
  explicit FailingAllocation(uint64_t n) : FailingAllocation(n, n) {}
  // All from the `first` to the `last` fail.
  FailingAllocation(uint64_t first, uint64_t last);
  ~FailingAllocation();
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;

  bool happened() const;
};

// The same for threads that are made meanwhile: the `n`-th allocation of each
// fails, once. Their ends need not be awaited.
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

// Calls `work` while its first allocation fails, then its second, and so on
// until it has none left to fail; and once before that, for what is made only
// once. Nothing must come out of it but std::bad_alloc, and nothing must be
// left behind, neither memory nor fds: these are test failures. Returns how
// many allocations were made to fail.
uint64_t FailEachAllocation(absl::FunctionRef<void()> work);

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_FAILING_ALLOCATION_H_
