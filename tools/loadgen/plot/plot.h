// SPDX-License-Identifier: Apache-2.0
//
// A plot of one run, or of two that are compared, as an SVG document: the
// latencies by percentile, and below the rate and the latencies over time.

#ifndef RINGWAY_TOOLS_LOADGEN_PLOT_PLOT_H_
#define RINGWAY_TOOLS_LOADGEN_PLOT_PLOT_H_

#include <string>
#include <vector>

#include "ringway/tools/loadgen/report/comparison.h"

namespace ringway::loadgen {

// `runs` are one or two; the name of a single one is not shown, and
// of a long one only the end. A run without
// requests or without intervals has empty panels that say so.
std::string DrawPlot(std::vector<NamedRun> runs);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_PLOT_PLOT_H_
