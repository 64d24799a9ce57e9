// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/plot/plot.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ringway/tools/loadgen/format.h"
#include "ringway/tools/loadgen/plot/frame.h"
#include "ringway/tools/loadgen/plot/palette.h"
#include "ringway/tools/loadgen/plot/percentile_panel.h"
#include "ringway/tools/loadgen/plot/svg.h"
#include "ringway/tools/loadgen/plot/time_panel.h"
#include "ringway/tools/loadgen/report/text.h"

namespace ringway::loadgen {
namespace {

constexpr double kWidth = 960;
constexpr double kLeft = 92;
constexpr double kRight = 28;
constexpr double kFiguresTop = 92;
constexpr double kRowHeight = 30;  // of figures
constexpr double kPercentilesHeight = 270;
constexpr double kOverTimeHeight = 390;
constexpr double kBetween = 88;  // the panels
constexpr double kBelow = 52;

std::string Capitalized(std::string text) {
  if (!text.empty())
    text[0] = absl::ascii_toupper(static_cast<unsigned char>(text[0]));
  return text;
}

struct Figure {
  std::string_view name;
  std::string value;
};

std::vector<Figure> FiguresOf(const Summary& run) {
  std::vector<Figure> figures = {{"requests/s", Grouped(run.per_second)},
                                 {"p50", PlotTime(run.At(50))},
                                 {"p99", PlotTime(run.At(99))},
                                 {"p99.9", PlotTime(run.At(99.9))},
                                 {"max", PlotTime(run.At(100))},
                                 {"errors", Grouped(run.errors)}};
  if (run.open.has_value())
    figures.push_back({"dropped", Grouped(run.open->dropped)});
  if (run.server_cpu.has_value()) {
    figures.push_back({"server CPU", PlotTime(run.server_cpu->us_per_request)});
  }
  return figures;
}

// The size at which a text has this much room, at most `size`.
double FittingSize(std::string_view text, double room, double size) {
  constexpr double kBold = 1.12;
  return std::min(size, size * room / (kBold * WidthOf(text, size) + 1));
}

// A name that leaves room for others beside it: its end tells files apart.
std::string Shortened(const std::string& name) {
  constexpr size_t kMost = 20;
  return name.size() <= kMost
             ? name
             : absl::StrCat("...", name.substr(name.size() - kMost + 3));
}

std::string Seconds(const Summary& run) { return TimeText(1e6 * run.seconds); }

// What was asked of which server.
void DrawTitle(Svg& svg, const std::vector<NamedRun>& runs) {
  const Summary& run = runs[0].summary;
  std::string title = "Two runs compared";
  std::string below = absl::StrCat(runs[0].name, ": ", run.load);
  if (runs.size() == 1) {
    title = run.load.empty() ? "A load run" : Capitalized(run.load);
    below = absl::StrCat("loadgen for ", Seconds(run),
                         run.server.empty() ? "" : ", server ", run.server);
  } else if (run.load == runs[1].summary.load) {
    below = run.load;
  } else {
    absl::StrAppend(&below, ";  ", runs[1].name, ": ", runs[1].summary.load);
  }
  const double room = kWidth - kLeft - kRight;
  svg.Text({kLeft, 36}, title,
           {.size = FittingSize(title, room, 19), .color = kInk, .bold = true});
  svg.Text({kLeft, 58}, below,
           {.size = FittingSize(below, room, 13), .color = kFaint});
}

// A line of names, and one of values for each run.
void DrawFigures(Svg& svg, const std::vector<NamedRun>& runs) {
  const bool one = runs.size() == 1;
  const double left = one ? kLeft : kLeft + 150;
  const double step = (kWidth - kRight - left) / 8;
  double y = kFiguresTop;
  for (size_t i = 0; i < runs.size(); ++i) {
    y += i == 0 ? 22 : kRowHeight - 4;
    if (!one) {
      svg.Text({kLeft, y}, runs[i].name,
               {.size = FittingSize(runs[i].name, left - kLeft, 15),
                .color = kRunColors[i % kRunColors.size()],
                .bold = true});
    }
    double x = left;
    for (const Figure& figure : FiguresOf(runs[i].summary)) {
      if (i == 0)
        svg.Text({x, kFiguresTop}, figure.name, {.size = 12, .color = kFaint});
      svg.Text({x, y}, figure.value,
               {.size = one ? 17.0 : 15.0, .color = kInk, .bold = one});
      x += step;
    }
  }
}

}  // namespace

std::string DrawPlot(std::vector<NamedRun> runs) {
  for (NamedRun& run : runs) run.name = Shortened(run.name);
  const double percentiles_top =
      kFiguresTop + kRowHeight * static_cast<double>(runs.size()) + 46;
  const double over_time_top = percentiles_top + kPercentilesHeight + kBetween;
  const std::string& load = runs[0].summary.load;
  Svg svg(kWidth, over_time_top + kOverTimeHeight + kBelow,
          runs.size() == 1
              ? absl::StrCat("Latencies of a load run: ", load)
              : absl::StrCat("Latencies of two load runs: ", runs[0].name,
                             " and ", runs[1].name));
  DrawTitle(svg, runs);
  DrawFigures(svg, runs);
  const double width = kWidth - kLeft - kRight;
  DrawPercentiles(svg, {kLeft, percentiles_top}, width, kPercentilesHeight,
                  runs);
  DrawOverTime(svg, {kLeft, over_time_top}, width, kOverTimeHeight, runs);
  return std::move(svg).Finish();
}

}  // namespace ringway::loadgen
