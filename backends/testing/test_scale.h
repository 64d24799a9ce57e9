// SPDX-License-Identifier: Apache-2.0
//
// Scaled(): how often a test repeats what depends on chance.

#ifndef RINGWAY_BACKENDS_TESTING_TEST_SCALE_H_
#define RINGWAY_BACKENDS_TESTING_TEST_SCALE_H_

#include <cstdint>

namespace ringway::testing {

// `full`, or RINGWAY_TEST_SCALE from the environment times that: less where
// each round takes longer, as under sanitizers, more for a long run. At
// least 1. Aborts if it is set and not a number above 0.
uint64_t Scaled(uint64_t full);

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_TEST_SCALE_H_
