// SPDX-License-Identifier: Apache-2.0
//
// The panel of a plot with the latencies by percentile. Its horizontal scale is
// logarithmic in 1 / (1 - p): each nine has the same room.

#ifndef RINGWAY_TOOLS_LOADGEN_PLOT_PERCENTILE_PANEL_H_
#define RINGWAY_TOOLS_LOADGEN_PLOT_PERCENTILE_PANEL_H_

#include <vector>

#include "ringway/tools/loadgen/plot/svg.h"
#include "ringway/tools/loadgen/report/comparison.h"

namespace ringway::loadgen {

// Draws one run, with dots at its main percentiles, or two runs in different
// colours.
void DrawPercentiles(Svg& svg, Point corner, double width, double height,
                     const std::vector<NamedRun>& runs);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_PLOT_PERCENTILE_PANEL_H_
