// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/plot/percentile_panel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ringway/tools/loadgen/plot/axis.h"
#include "ringway/tools/loadgen/plot/frame.h"
#include "ringway/tools/loadgen/plot/palette.h"

namespace ringway::loadgen {
namespace {

// A curve ends where one request is beyond it, but is drawn at least up to
// here.
constexpr double kShortest = 100;
constexpr double kRoomAtTheEnd = 1.6;

double FarthestOf(const Summary& run) {
  return std::max(1.0, static_cast<double>(run.requests));
}

// 1 / (1 - p); where the maximum is, one request of all is beyond the rest.
double NinesOf(double percentile, const Summary& run) {
  const double farthest = FarthestOf(run);
  return percentile >= 100 ? farthest
                           : std::min(farthest, 100 / (100 - percentile));
}

std::string PercentileTick(double nines) {
  return absl::StrFormat("%.9g %%", 100 - 100 / nines);
}

std::vector<Point> CurveOf(const Frame& frame, const Summary& run) {
  std::vector<Point> points;
  for (const PercentilePoint& point : run.percentiles) {
    points.push_back(frame.At(NinesOf(point.percentile, run), point.us));
  }
  return points;
}

struct KeyPercentile {
  double percentile;
  std::string_view name;
  std::string_view color;
};

constexpr std::array<KeyPercentile, 6> kKeyPercentiles = {{
    {50, "p50", kMedianColor},
    {90, "p90", kCurveColor},
    {99, "p99", kTailColor},
    {99.9, "p99.9", kCurveColor},
    {99.99, "p99.99", kCurveColor},
    {100, "max", kMaximumColor},
}};

// Latencies do not fall to the right, so the room below a point and right of it
// is free; the room above the maximum is, too.
void DrawKeyPercentiles(Svg& svg, const Frame& frame, const Summary& run) {
  constexpr double kAbove = 10;
  constexpr double kBelow = 18;
  for (const KeyPercentile& key : kKeyPercentiles) {
    const double nines = NinesOf(key.percentile, run);
    // The percentiles that no request is beyond are the maximum.
    if (key.percentile < 100 && nines >= FarthestOf(run)) continue;
    const Point at = frame.At(nines, run.At(key.percentile));
    const std::string label = absl::StrCat(std::string(key.name), " ",
                                           PlotTime(run.At(key.percentile)));
    svg.Dot(absl::StrCat("point ", std::string(key.name)), at, 4.5, key.color,
            label);
    if (key.percentile == 100) {
      svg.Text({at.x + 8, at.y - kAbove}, label, {.anchor = "end"});
    } else if (at.y + kBelow + 4 > frame.bottom()) {
      svg.Text({at.x + 4, at.y - kAbove}, label, {});
    } else {
      svg.Text({at.x + 6, at.y + kBelow}, label, {});
    }
  }
}

}  // namespace

void DrawPercentiles(Svg& svg, Point corner, double width, double height,
                     const std::vector<NamedRun>& runs) {
  double lowest = INFINITY;
  double highest = 0;
  double farthest = kShortest;
  uint64_t requests = 0;
  for (const NamedRun& run : runs) {
    requests += run.summary.requests;
    farthest = std::max(farthest, FarthestOf(run.summary) * kRoomAtTheEnd);
    for (const PercentilePoint& point : run.summary.percentiles) {
      lowest = std::min(lowest, point.us);
      highest = std::max(highest, point.us);
    }
  }
  // Room for a label above the highest point.
  Axis y = Axis::ForLatencies(lowest, 1.15 * highest, 6);
  if (y.is_logarithmic()) y = Axis::Logarithmic(lowest, 2 * highest);
  const Frame frame(corner, width, height, Axis::Nines(farthest), y);
  frame.DrawGrid(svg, &PercentileTick, &PlotTime);
  frame.DrawNames(svg, "percentile of the requests", "latency");
  std::vector<LegendEntry> legend;
  for (size_t i = 0; i < runs.size(); ++i) {
    const Stroke stroke = {.color = runs.size() == 1
                                        ? kCurveColor
                                        : kRunColors[i % kRunColors.size()],
                           .width = 2.5};
    svg.Polyline("curve", CurveOf(frame, runs[i].summary), stroke);
    if (runs.size() > 1) legend.push_back({runs[i].name, stroke});
  }
  frame.DrawHeading(svg, "Latency by percentile", legend);
  if (requests == 0) {
    frame.DrawMessage(svg, "no request was answered");
  } else if (runs.size() == 1) {
    DrawKeyPercentiles(svg, frame, runs[0].summary);
  }
}

}  // namespace ringway::loadgen
