// SPDX-License-Identifier: Apache-2.0
//
// TestSeed: what the chance of a test run hangs on.

#ifndef RINGWAY_EXECUTOR_TESTING_TEST_SEED_H_
#define RINGWAY_EXECUTOR_TESTING_TEST_SEED_H_

#include <cstdint>

#include "ringway/core/compiler.h"

namespace ringway {

// RINGWAY_SEED if the environment has it (a number, checked), else what
// --gtest_random_seed says if that is not 0, else a random one. The same for
// the whole run. A failed TaskTest prints it.
//
// Threads: any.
uint64_t TestSeed();

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TESTING_TEST_SEED_H_
