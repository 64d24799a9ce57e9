// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/plot/svg.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ringway::loadgen {
namespace {

// A tenth of a pixel is finer than what is seen.
std::string Number(double value) {
  if (!std::isfinite(value)) return "0";
  std::string text = absl::StrFormat("%.1f", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

// The bytes of the character that `text` begins with; 0 if it is none, or none
// that XML allows everywhere.
size_t Utf8Length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const size_t n = first >= 0xc2 && first < 0xe0   ? 2
                   : first >= 0xe1 && first < 0xed ? 3
                                                   : 0;
  if (n > text.size()) return 0;
  for (size_t i = 1; i < n; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  return n;
}

std::string StrokeText(const Stroke& stroke) {
  std::string text = absl::StrFormat("stroke=\"%s\" stroke-width=\"%s\"",
                                     stroke.color, Number(stroke.width));
  if (!stroke.dashes.empty())
    absl::StrAppendFormat(&text, " stroke-dasharray=\"%s\"", stroke.dashes);
  return text;
}

}  // namespace

Svg::Svg(double width, double height, std::string_view description)
    : document_(absl::StrFormat(
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%s\" "
          "height=\"%s\" viewBox=\"0 0 %s %s\" font-family=\"Inter, 'Segoe "
          "UI', Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n"
          "<title>%s</title>\n",
          Number(width), Number(height), Number(width), Number(height),
          XmlText(description))) {
  absl::StrAppendFormat(&document_,
                        "<rect width=\"%s\" height=\"%s\" fill=\"#ffffff\"/>\n",
                        Number(width), Number(height));
}

void Svg::Rectangle(Point corner, double width, double height,
                    std::string_view fill, const Stroke& stroke) {
  absl::StrAppendFormat(
      &document_,
      "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" fill=\"%s\" %s/>\n",
      Number(corner.x), Number(corner.y), Number(width), Number(height), fill,
      StrokeText(stroke));
}

void Svg::Line(Point from, Point to, const Stroke& stroke) {
  absl::StrAppendFormat(&document_,
                        "<line x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\" %s/>\n",
                        Number(from.x), Number(from.y), Number(to.x),
                        Number(to.y), StrokeText(stroke));
}

void Svg::Polyline(std::string_view name, const std::vector<Point>& points,
                   const Stroke& stroke) {
  if (points.size() < 2) return;
  absl::StrAppendFormat(&document_,
                        "<polyline class=\"%s\" fill=\"none\" "
                        "stroke-linejoin=\"round\" %s points=\"",
                        name, StrokeText(stroke));
  std::string_view separator;
  for (const Point& point : points) {
    absl::StrAppendFormat(&document_, "%s%s,%s", separator, Number(point.x),
                          Number(point.y));
    separator = " ";
  }
  document_ += "\"/>\n";
}

void Svg::Dot(std::string_view name, Point center, double radius,
              std::string_view color, std::string_view tip) {
  absl::StrAppendFormat(
      &document_,
      "<circle class=\"%s\" cx=\"%s\" cy=\"%s\" r=\"%s\" fill=\"%s\" "
      "stroke=\"#ffffff\"><title>%s</title></circle>\n",
      name, Number(center.x), Number(center.y), Number(radius), color,
      XmlText(tip));
}

void Svg::Text(Point at, std::string_view text, const TextStyle& style) {
  absl::StrAppendFormat(
      &document_, "<text x=\"%s\" y=\"%s\" font-size=\"%s\" fill=\"%s\"",
      Number(at.x), Number(at.y), Number(style.size), style.color);
  if (style.anchor != "start")
    absl::StrAppendFormat(&document_, " text-anchor=\"%s\"", style.anchor);
  if (style.bold) document_ += " font-weight=\"600\"";
  if (style.upwards) {
    absl::StrAppendFormat(&document_, " transform=\"rotate(-90 %s %s)\"",
                          Number(at.x), Number(at.y));
  }
  absl::StrAppendFormat(&document_, ">%s</text>\n", XmlText(text));
}

std::string Svg::Finish() && { return std::move(document_) + "</svg>\n"; }

std::string XmlText(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t n = Utf8Length(text);
    switch (text[0]) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += n == 0 ? "?" : text.substr(0, n);
    }
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return escaped;
}

double WidthOf(std::string_view text, double size) {
  constexpr double kMean = 0.56;  // of the fonts named above, DejaVu the widest
  const auto n_characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  });
  return static_cast<double>(n_characters) * size * kMean;
}

}  // namespace ringway::loadgen
