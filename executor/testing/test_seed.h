// SPDX-License-Identifier: Apache-2.0
//
// TestSeed: the seed for the random numbers of a test run.

#ifndef RINGWAY_EXECUTOR_TESTING_TEST_SEED_H_
#define RINGWAY_EXECUTOR_TESTING_TEST_SEED_H_

#include <cstdint>

#include "ringway/core/compiler.h"

namespace ringway {

// RINGWAY_SEED from the environment (must be a number, checked), else
// --gtest_random_seed if that is not 0, else a random number. The same for
// the whole run. A failed TaskTest prints it.
//
// Threads: any.
uint64_t TestSeed();

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TESTING_TEST_SEED_H_
