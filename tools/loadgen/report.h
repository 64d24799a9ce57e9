// SPDX-License-Identifier: Apache-2.0
//
// The output of the load generator: a table, or a JSON object for programs.

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_H_

#include <string>

#include "ringway/tools/loadgen/load.h"

namespace ringway::loadgen {

// Several lines.
std::string FormatTable(const LoadOptions& options, const LoadResult& result);

// One line: an object whose members keep their names.
std::string FormatJson(const LoadOptions& options, const LoadResult& result);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_H_
