// SPDX-License-Identifier: Apache-2.0
//
// Svg: a drawing as an XML document, of lines, circles and text. A number that
// is none is drawn as 0, so the document is always valid.
//
//   Svg svg(960, 600, "what it shows");
//   svg.Text({480, 30}, "a title", {.size = 16, .anchor = "middle"});
//   std::string document = std::move(svg).Finish();

#ifndef RINGWAY_TOOLS_LOADGEN_PLOT_SVG_H_
#define RINGWAY_TOOLS_LOADGEN_PLOT_SVG_H_

#include <string>
#include <string_view>
#include <vector>

namespace ringway::loadgen {

struct Point {
  double x = 0;
  double y = 0;
};

struct Stroke {
  std::string_view color = "#000000";
  double width = 1;
  std::string_view dashes;  // "4 3"; empty: none
};

struct TextStyle {
  double size = 12;
  std::string_view color = "#374151";
  std::string_view anchor = "start";  // or "middle", "end"
  bool bold = false;
  bool upwards = false;  // turned by a quarter
};

class Svg {
 public:
  // With a white background. `description` is for those who cannot see it.
  Svg(double width, double height, std::string_view description);

  void Rectangle(Point corner, double width, double height,
                 std::string_view fill, const Stroke& stroke);
  void Line(Point from, Point to, const Stroke& stroke);
  // Nothing for fewer than two points. `name` is its class, for those that
  // look for it in the document.
  void Polyline(std::string_view name, const std::vector<Point>& points,
                const Stroke& stroke);
  // `tip` is shown when the pointer rests on it.
  void Dot(std::string_view name, Point center, double radius,
           std::string_view color, std::string_view tip);
  void Text(Point at, std::string_view text, const TextStyle& style);

  std::string Finish() &&;

 private:
  std::string document_;
};

// For content and attributes; without what XML does not allow.
std::string XmlText(std::string_view text);

// About how wide a text of this size is.
double WidthOf(std::string_view text, double size);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_PLOT_SVG_H_
