// SPDX-License-Identifier: Apache-2.0
//
// The output of a closed loop: a table, or a JSON object for programs.

#ifndef RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_REPORT_H_
#define RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_REPORT_H_

#include <string>

#include "ringway/tools/loadgen/closed_loop/closed_loop.h"
#include "ringway/tools/loadgen/load_options.h"

namespace ringway::loadgen {

// Several lines.
std::string FormatClosedTable(const LoadOptions& options,
                              const ClosedLoopResult& result);

// One line: an object whose members keep their names.
std::string FormatClosedJson(const LoadOptions& options,
                             const ClosedLoopResult& result);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_REPORT_H_
