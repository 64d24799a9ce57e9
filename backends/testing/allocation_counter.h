// SPDX-License-Identifier: Apache-2.0
//
// Counts the heap allocations of the whole process, for tests that expect
// none. Linking it replaces malloc and related functions or, in sanitizer
// builds, where malloc belongs to the sanitizer, operator new.

#ifndef RINGWAY_BACKENDS_TESTING_ALLOCATION_COUNTER_H_
#define RINGWAY_BACKENDS_TESTING_ALLOCATION_COUNTER_H_

#include <cstdint>

namespace ringway::testing {

// Allocations so far, of any thread.
uint64_t CountAllocations();

// False in sanitizer builds: only operator new is counted.
extern const bool kCountsMalloc;

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_ALLOCATION_COUNTER_H_
