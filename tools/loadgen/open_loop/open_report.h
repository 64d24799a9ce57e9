// SPDX-License-Identifier: Apache-2.0
//
// The output of an open loop: a table, or a JSON object for programs.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_REPORT_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_REPORT_H_

#include <string>

#include "ringway/tools/loadgen/open_loop/open_loop.h"

namespace ringway::loadgen {

// Several lines; the last ones are those of the phases, if there are several.
std::string FormatOpenTable(const OpenLoopOptions& options,
                            const OpenLoopResult& result);

// One line: an object whose members keep their names, with a list "phases".
std::string FormatOpenJson(const OpenLoopOptions& options,
                           const OpenLoopResult& result);

// A warning for people if the generator was so late so often that the figures
// are its own as much as the server's; otherwise empty. One line.
std::string LatenessWarning(const OpenLoopResult& result);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_REPORT_H_
