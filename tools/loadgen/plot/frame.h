// SPDX-License-Identifier: Apache-2.0
//
// Frame: the rectangle of a plot in which values are drawn, with its grid, the
// labels of its axes, a heading and a legend.

#ifndef RINGWAY_TOOLS_LOADGEN_PLOT_FRAME_H_
#define RINGWAY_TOOLS_LOADGEN_PLOT_FRAME_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringway/tools/loadgen/plot/axis.h"
#include "ringway/tools/loadgen/plot/svg.h"

namespace ringway::loadgen {

// The colours of text.
inline constexpr std::string_view kInk = "#111827";
inline constexpr std::string_view kFaint = "#6b7280";

// The text of a tick; a tick without one has only a line.
using TickText = std::function<std::string(double value)>;

// TimeText() with the sign of micro.
std::string PlotTime(double us);

struct LegendEntry {
  std::string text;
  Stroke stroke;
};

class Frame {
 public:
  Frame(Point corner, double width, double height, Axis x, Axis y)
      : corner_(corner),
        width_(width),
        height_(height),
        x_(std::move(x)),
        y_(std::move(y)) {}

  // Where a value is drawn.
  Point At(double x, double y) const;

  void DrawGrid(Svg& svg, const TickText& x_text, const TickText& y_text) const;
  // Below the labels of the ticks, and beside them.
  void DrawNames(Svg& svg, std::string_view x_name,
                 std::string_view y_name) const;
  // Above the frame: the heading on the left, the legend on the right.
  void DrawHeading(Svg& svg, std::string_view heading,
                   const std::vector<LegendEntry>& legend) const;
  // In the middle, instead of values.
  void DrawMessage(Svg& svg, std::string_view message) const;

  double bottom() const { return corner_.y + height_; }
  double right() const { return corner_.x + width_; }

 private:
  Point corner_;  // upper left
  double width_;
  double height_;
  Axis x_;
  Axis y_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_PLOT_FRAME_H_
