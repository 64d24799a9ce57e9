// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/control_transfer.h"

namespace ringway::internal {

#if defined(__clang__)
const char kRingwayCompiledByClang = 0;
#else
const char kRingwayCompiledByGcc = 0;
#endif

}  // namespace ringway::internal
