// SPDX-License-Identifier: Apache-2.0
//
// `loadgen --compare A.json B.json`: two runs that were written as JSON, side
// by side.

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_COMPARE_COMMAND_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_COMPARE_COMMAND_H_

#include <optional>

namespace ringway::loadgen {

// Does it if the command line has --compare, otherwise returns nullopt. The
// flags --plot and --fail-if may follow the files or precede --compare.
//
// Result: the exit code: 0; 1 if a threshold of --fail-if was crossed by B; 2
//         for a command line or a file that is wrong.
std::optional<int> RunCompare(int argc, char** argv);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_COMPARE_COMMAND_H_
