// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/plot/frame.h"

#include "absl/strings/str_replace.h"
#include "ringway/tools/loadgen/report/text.h"

namespace ringway::loadgen {
namespace {

constexpr Stroke kGrid = {.color = "#e5e7eb", .width = 1};
constexpr Stroke kBorder = {.color = "#9ca3af", .width = 1};

constexpr double kTickSize = 12;
constexpr double kLegendSize = 12;
constexpr double kLegendLine = 22;  // its length

}  // namespace

std::string PlotTime(double us) {
  return absl::StrReplaceAll(TimeText(us), {{" us", " \xc2\xb5s"}});
}

Point Frame::At(double x, double y) const {
  return {corner_.x + width_ * x_.Position(x),
          bottom() - height_ * y_.Position(y)};
}

void Frame::DrawGrid(Svg& svg, const TickText& x_text,
                     const TickText& y_text) const {
  for (const double tick : x_.ticks()) {
    const double x = At(tick, y_.low()).x;
    svg.Line({x, corner_.y}, {x, bottom()}, kGrid);
    const std::string text = x_text(tick);
    if (!text.empty()) {
      svg.Text({x, bottom() + 17}, text,
               {.size = kTickSize, .anchor = "middle"});
    }
  }
  for (const double tick : y_.ticks()) {
    const double y = At(x_.low(), tick).y;
    svg.Line({corner_.x, y}, {right(), y}, kGrid);
    const std::string text = y_text(tick);
    if (!text.empty()) {
      svg.Text({corner_.x - 8, y + 4}, text,
               {.size = kTickSize, .anchor = "end"});
    }
  }
  svg.Rectangle(corner_, width_, height_, "none", kBorder);
}

void Frame::DrawNames(Svg& svg, std::string_view x_name,
                      std::string_view y_name) const {
  if (!x_name.empty()) {
    svg.Text({corner_.x + width_ / 2, bottom() + 36}, x_name,
             {.size = kTickSize, .color = kFaint, .anchor = "middle"});
  }
  svg.Text({corner_.x - 66, corner_.y + height_ / 2}, y_name,
           {.size = kTickSize,
            .color = kFaint,
            .anchor = "middle",
            .upwards = true});
}

void Frame::DrawHeading(Svg& svg, std::string_view heading,
                        const std::vector<LegendEntry>& legend) const {
  const double y = corner_.y - 11;
  svg.Text({corner_.x, y}, heading, {.size = 14, .color = kInk, .bold = true});
  double x = right();
  for (auto entry = legend.rbegin(); entry != legend.rend(); ++entry) {
    svg.Text({x, y}, entry->text, {.size = kLegendSize, .anchor = "end"});
    x -= WidthOf(entry->text, kLegendSize) + 8;
    svg.Line({x - kLegendLine, y - 4}, {x, y - 4}, entry->stroke);
    x -= kLegendLine + 16;
  }
}

void Frame::DrawMessage(Svg& svg, std::string_view message) const {
  svg.Text({corner_.x + width_ / 2, corner_.y + height_ / 2}, message,
           {.size = 14, .color = kFaint, .anchor = "middle"});
}

}  // namespace ringway::loadgen
