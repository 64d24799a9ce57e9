// SPDX-License-Identifier: Apache-2.0
//
// The latencies of a run by percentile, as points of a curve that is close to
// even on a scale of 1 / (1 - p).

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_PERCENTILES_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_PERCENTILES_H_

#include <array>
#include <vector>

#include "ringway/core/histogram.h"

namespace ringway::loadgen {

struct PercentilePoint {
  PercentilePoint() {}
  PercentilePoint(double p, double value) : percentile(p), us(value) {}

  double percentile = 0;  // 0 is the smallest value, 100 the largest
  double us = 0;
};

// These are points of every curve, also where a run has fewer requests.
inline constexpr std::array<double, 8> kNamedPercentiles = {
    0, 50, 90, 95, 99, 99.9, 99.99, 100};

// Ascending, with four points for each halving of 100 - p, as far as there are
// requests beyond them.
std::vector<PercentilePoint> PercentileCurve(const Histogram& ns);

// The value at `percentile`: of the point, or interpolated between two. 0 for
// an empty curve.
double ValueAt(const std::vector<PercentilePoint>& curve, double percentile);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_PERCENTILES_H_
