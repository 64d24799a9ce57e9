// SPDX-License-Identifier: Apache-2.0
//
// MakeConnection: the connection for a mode.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_MAKE_CONNECTION_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_MAKE_CONNECTION_H_

#include <cstdint>
#include <memory>

#include "ringway/tools/loadgen/connection/connection.h"
#include "ringway/tools/loadgen/connection/mode.h"

namespace ringway::loadgen {

// `mode` must outlive it. `index`, below 2^24, is in the requests: those of
// different connections differ.
std::unique_ptr<Connection> MakeConnection(const Mode& mode, uint32_t index);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_MAKE_CONNECTION_H_
