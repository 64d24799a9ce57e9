// SPDX-License-Identifier: Apache-2.0
//
// A simulated world as a System, without kernel objects.

#ifndef RINGWAY_BACKENDS_TESTING_SIM_SYSTEM_H_
#define RINGWAY_BACKENDS_TESTING_SIM_SYSTEM_H_

#include <memory>

#include "ringway/backends/testing/system.h"

namespace ringway::testing {

std::unique_ptr<System> MakeSimSystem();

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_SIM_SYSTEM_H_
