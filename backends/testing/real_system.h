// SPDX-License-Identifier: Apache-2.0
//
// The kernel as a System, for the backends of MakeBackend().

#ifndef RINGWAY_BACKENDS_TESTING_REAL_SYSTEM_H_
#define RINGWAY_BACKENDS_TESTING_REAL_SYSTEM_H_

#include <memory>

#include "ringway/backends/testing/system.h"

namespace ringway::testing {

std::unique_ptr<System> MakeRealSystem();

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_REAL_SYSTEM_H_
