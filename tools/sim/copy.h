// SPDX-License-Identifier: Apache-2.0
//
// The copy scenario: a file is copied the safe way - to another name, made
// safe, renamed - on a disk that fails and a machine that loses power.

#ifndef RINGWAY_TOOLS_SIM_COPY_H_
#define RINGWAY_TOOLS_SIM_COPY_H_

#include "ringway/tools/sim/simulation.h"

namespace ringway::simulation {

// Whenever the power fails: what the copy said was done is there, whole; and
// what is there under the final name is whole.
Verdict RunCopy(const Options& options);

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_COPY_H_
