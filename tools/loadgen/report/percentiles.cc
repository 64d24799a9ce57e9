// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/percentiles.h"

#include <algorithm>
#include <cmath>

namespace ringway::loadgen {
namespace {

constexpr double kStepsPerHalving = 4;

bool IsBefore(const PercentilePoint& point, double percentile) {
  return point.percentile < percentile;
}

}  // namespace

std::vector<PercentilePoint> PercentileCurve(const Histogram& ns) {
  std::vector<double> percentiles(kNamedPercentiles.begin(),
                                  kNamedPercentiles.end());
  const auto count = static_cast<double>(ns.count());
  for (double step = 1;; ++step) {
    const double beyond = std::exp2(-step / kStepsPerHalving);  // 1 - p
    if (beyond * count < 1) break;
    percentiles.push_back(100 * (1 - beyond));
  }
  std::sort(percentiles.begin(), percentiles.end());
  percentiles.erase(std::unique(percentiles.begin(), percentiles.end()),
                    percentiles.end());
  std::vector<PercentilePoint> curve;
  curve.reserve(percentiles.size());
  for (const double p : percentiles) {
    curve.emplace_back(p, static_cast<double>(ns.ValueAtPercentile(p)) / 1000);
  }
  return curve;
}

double ValueAt(const std::vector<PercentilePoint>& curve, double percentile) {
  if (curve.empty()) return 0;
  const auto after =
      std::lower_bound(curve.begin(), curve.end(), percentile, &IsBefore);
  if (after == curve.end()) return curve.back().us;
  if (after == curve.begin() || after->percentile == percentile)
    return after->us;
  const PercentilePoint& before = *(after - 1);
  const double part = (percentile - before.percentile) /
                      (after->percentile - before.percentile);
  return before.us + part * (after->us - before.us);
}

}  // namespace ringway::loadgen
