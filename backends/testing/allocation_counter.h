// SPDX-License-Identifier: Apache-2.0
//
// Counts the heap allocations of the whole process, for tests that expect
// none. Linking it replaces malloc and related functions or, in sanitizer
// builds, where malloc belongs to the sanitizer, operator new.

#ifndef RINGWAY_BACKENDS_TESTING_ALLOCATION_COUNTER_H_
#define RINGWAY_BACKENDS_TESTING_ALLOCATION_COUNTER_H_

#include <algorithm>
#include <cstdint>

namespace ringway::testing {

// Allocations so far, of any thread.
uint64_t CountAllocations();

// False in sanitizer builds: only operator new is counted.
extern const bool kCountsMalloc;

// Of rounds of the same work the fewest allocations: a machine that stalls adds
// to some of them what is done about that, such as reports.
//
//   FewestAllocations counted;
//   while (counted.more()) {
//     counted.Begin();
//     ...
//     counted.End();
//   }
//   EXPECT_EQ(counted.fewest(), 0u);
class FewestAllocations {
 public:
  bool more() const { return n_rounds_ < kMostRounds && fewest_ > 0; }
  void Begin() {
    ++n_rounds_;
    before_ = CountAllocations();
  }
  void End() { fewest_ = std::min(fewest_, CountAllocations() - before_); }
  uint64_t fewest() const { return fewest_; }

 private:
  static constexpr int kMostRounds = 5;

  uint64_t before_ = 0;
  uint64_t fewest_ = UINT64_MAX;
  int n_rounds_ = 0;
};

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_ALLOCATION_COUNTER_H_
