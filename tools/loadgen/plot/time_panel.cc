// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/plot/time_panel.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "ringway/tools/loadgen/format.h"
#include "ringway/tools/loadgen/plot/axis.h"
#include "ringway/tools/loadgen/plot/frame.h"
#include "ringway/tools/loadgen/plot/palette.h"
#include "ringway/tools/loadgen/report/text.h"

namespace ringway::loadgen {
namespace {

constexpr double kShareOfRates = 0.4;  // of the height
constexpr double kBetweenStrips = 46;  // the two

double MiddleOf(const SeriesRow& row) {
  return absl::ToDoubleSeconds(row.begin + row.length / 2);
}

double RateOf(const SeriesRow& row) {
  return PerSecond(static_cast<double>(row.requests), row.length);
}

double OfferedRateOf(const SeriesRow& row) {
  return PerSecond(static_cast<double>(row.offered), row.length);
}

double Microseconds(uint64_t ns) { return static_cast<double>(ns) / 1000; }

std::string SecondsTick(double seconds) {
  return absl::StrFormat("%g s", seconds);
}

double EndOf(const std::vector<NamedRun>& runs) {
  double end = 0;
  for (const NamedRun& run : runs) {
    end = std::max(end, run.summary.seconds);
    for (const SeriesRow& row : run.summary.series)
      end = std::max(end, absl::ToDoubleSeconds(row.begin + row.length));
  }
  return end;
}

std::string_view ColorOf(const std::vector<NamedRun>& runs, size_t i,
                         std::string_view of_one) {
  return runs.size() == 1 ? of_one : kRunColors[i % kRunColors.size()];
}

// A line for each stretch of intervals with requests; one without neighbours
// is a dot.
void DrawLatencies(Svg& svg, const Frame& frame, std::string_view name,
                   const std::vector<SeriesRow>& series,
                   uint64_t SeriesRow::*figure, const Stroke& stroke) {
  std::vector<Point> stretch;
  const auto draw = [&] {
    if (stretch.size() == 1) svg.Dot(name, stretch[0], 2.5, stroke.color, name);
    svg.Polyline(name, stretch, stroke);
    stretch.clear();
  };
  for (const SeriesRow& row : series) {
    if (row.requests == 0) {
      draw();
    } else {
      stretch.push_back(frame.At(MiddleOf(row), Microseconds(row.*figure)));
    }
  }
  draw();
}

void DrawRates(Svg& svg, const Frame& frame, std::string_view name,
               const std::vector<SeriesRow>& series,
               double (*rate)(const SeriesRow&), const Stroke& stroke) {
  std::vector<Point> points;
  for (const SeriesRow& row : series)
    points.push_back(frame.At(MiddleOf(row), rate(row)));
  if (points.size() == 1) svg.Dot(name, points[0], 2.5, stroke.color, name);
  svg.Polyline(name, points, stroke);
}

// Marks on the ground, at the intervals with errors. How many these are.
uint64_t DrawErrors(Svg& svg, const Frame& frame,
                    const std::vector<SeriesRow>& series) {
  uint64_t errors = 0;
  for (const SeriesRow& row : series) {
    if (row.errors == 0) continue;
    errors += row.errors;
    svg.Dot("errors", frame.At(MiddleOf(row), 0), 4, kErrorColor,
            absl::StrCat(Grouped(row.errors), " errors"));
  }
  return errors;
}

void DrawThroughput(Svg& svg, const Frame& frame,
                    const std::vector<NamedRun>& runs) {
  std::vector<LegendEntry> legend;
  uint64_t errors = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    const Summary& run = runs[i].summary;
    const std::string_view color = ColorOf(runs, i, kRateColor);
    const Stroke answered = {.color = color, .width = 2};
    if (run.open.has_value()) {
      const Stroke offered = {.color = runs.size() == 1 ? kOfferedColor : color,
                              .width = 1.5,
                              .dashes = "5 4"};
      DrawRates(svg, frame, "offered", run.series, &OfferedRateOf, offered);
      if (runs.size() == 1) legend.push_back({"offered", offered});
    }
    DrawRates(svg, frame, "rate", run.series, &RateOf, answered);
    legend.push_back({runs.size() == 1 ? "answered" : runs[i].name, answered});
    errors += DrawErrors(svg, frame, run.series);
  }
  if (errors > 0)
    legend.push_back({"errors", {.color = kErrorColor, .width = 4}});
  frame.DrawHeading(svg, "Requests per second", legend);
}

void DrawTimes(Svg& svg, const Frame& frame,
               const std::vector<NamedRun>& runs) {
  std::vector<LegendEntry> legend;
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::vector<SeriesRow>& series = runs[i].summary.series;
    const Stroke tail = {.color = ColorOf(runs, i, kTailColor), .width = 2};
    Stroke median = {.color = ColorOf(runs, i, kMedianColor), .width = 2};
    if (runs.size() == 1) {
      const Stroke maximum = {.color = kMaximumColor, .width = 1};
      DrawLatencies(svg, frame, "max", series, &SeriesRow::max_ns, maximum);
      legend = {{"p50", median}, {"p99", tail}, {"max", maximum}};
    } else {
      median.width = 1.5;
      median.dashes = "3 3";
      legend.push_back({absl::StrCat(runs[i].name, " p50"), median});
      legend.push_back({"p99", tail});
    }
    DrawLatencies(svg, frame, "p99", series, &SeriesRow::p99_ns, tail);
    DrawLatencies(svg, frame, "p50", series, &SeriesRow::p50_ns, median);
  }
  frame.DrawHeading(svg, "Latency over time", legend);
}

}  // namespace

void DrawOverTime(Svg& svg, Point corner, double width, double height,
                  const std::vector<NamedRun>& runs) {
  double highest_rate = 0;
  double lowest = INFINITY;
  double highest = 0;
  for (const NamedRun& run : runs) {
    for (const SeriesRow& row : run.summary.series) {
      highest_rate = std::max({highest_rate, RateOf(row), OfferedRateOf(row)});
      if (row.requests == 0) continue;
      lowest = std::min(lowest, Microseconds(row.p50_ns));
      highest = std::max(
          highest, Microseconds(runs.size() == 1 ? row.max_ns : row.p99_ns));
    }
  }
  const Axis x = Axis::LinearTo(EndOf(runs), 10);
  const double upper = (height - kBetweenStrips) * kShareOfRates;
  const Frame rates(corner, width, upper, x, Axis::Linear(highest_rate, 4));
  const double lower = height - kBetweenStrips - upper;
  const Frame times({corner.x, corner.y + upper + kBetweenStrips}, width, lower,
                    x, Axis::ForLatencies(lowest, highest, 5));
  rates.DrawGrid(
      svg, [](double) { return std::string(); }, &RateText);
  rates.DrawNames(svg, "", "requests/s");
  DrawThroughput(svg, rates, runs);
  times.DrawGrid(svg, &SecondsTick, &PlotTime);
  times.DrawNames(svg, "time since the measurement began", "latency");
  DrawTimes(svg, times, runs);
  if (highest_rate == 0) times.DrawMessage(svg, "no interval was recorded");
}

}  // namespace ringway::loadgen
