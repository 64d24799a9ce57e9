// SPDX-License-Identifier: Apache-2.0
//
// The panel of a plot with what happened over time: above the requests per
// second, below their latencies, with the same horizontal scale.

#ifndef RINGWAY_TOOLS_LOADGEN_PLOT_TIME_PANEL_H_
#define RINGWAY_TOOLS_LOADGEN_PLOT_TIME_PANEL_H_

#include <vector>

#include "ringway/tools/loadgen/plot/svg.h"
#include "ringway/tools/loadgen/report/comparison.h"

namespace ringway::loadgen {

// Draws the median, the 99th percentile and the maximum of one run, or the
// first two of each of two runs. An interval without requests is a rate of 0,
// and a gap in the latencies.
void DrawOverTime(Svg& svg, Point corner, double width, double height,
                  const std::vector<NamedRun>& runs);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_PLOT_TIME_PANEL_H_
