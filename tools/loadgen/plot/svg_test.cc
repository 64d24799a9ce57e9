// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/plot/svg.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SvgTest, ADocumentHasASizeATitleAndABackground) {
  const std::string document = Svg(640, 480.5, "a < b").Finish();
  EXPECT_THAT(document, HasSubstr("width=\"640\" height=\"480.5\" "
                                  "viewBox=\"0 0 640 480.5\""));
  EXPECT_THAT(document, HasSubstr("<title>a &lt; b</title>"));
  EXPECT_TRUE(document.ends_with("</svg>\n"));
}

TEST(SvgTest, TextIsEscaped) {
  EXPECT_EQ(XmlText("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
  EXPECT_EQ(XmlText("5 \xc2\xb5s, 5 \xe2\x82\xac"),
            "5 \xc2\xb5s, 5 \xe2\x82\xac");
}

TEST(SvgTest, WhatIsNoTextIsReplaced) {
  EXPECT_EQ(XmlText("\x01"
                    "a"),
            "?a");
  EXPECT_EQ(XmlText("\xff"
                    "a"),
            "?a");
  EXPECT_EQ(XmlText("\xc2"
                    "a"),
            "?a");
  EXPECT_EQ(XmlText("a\xe2\x82"),
            "a?"
            "?");
  EXPECT_EQ(XmlText("\xc0\x80"),
            "?"
            "?");
}

TEST(SvgTest, NumbersHaveAtMostOneDigit) {
  Svg svg(1, 1, "");
  svg.Line({1.25, 2}, {-0.01, 3.999}, {.color = "#123456", .width = 1.5});
  EXPECT_THAT(std::move(svg).Finish(),
              HasSubstr("<line x1=\"1.2\" y1=\"2\" x2=\"0\" y2=\"4\" "
                        "stroke=\"#123456\" stroke-width=\"1.5\"/>"));
}

TEST(SvgTest, WhatIsNoNumberIsDrawnAtZero) {
  const double infinity = std::numeric_limits<double>::infinity();
  Svg svg(std::nan(""), infinity, "");
  svg.Polyline("x", {{std::nan(""), 1}, {2, -infinity}}, {});
  svg.Dot("x", {infinity, std::nan("")}, infinity, "red", "tip");
  const std::string document = std::move(svg).Finish();
  EXPECT_THAT(document, HasSubstr("points=\"0,1 2,0\""));
  EXPECT_THAT(document, Not(HasSubstr("nan")));
  EXPECT_THAT(document, Not(HasSubstr("inf")));
}

TEST(SvgTest, ALineOfOnePointIsNone) {
  Svg svg(1, 1, "");
  svg.Polyline("x", {{1, 1}}, {});
  EXPECT_THAT(std::move(svg).Finish(), Not(HasSubstr("polyline")));
}

}  // namespace
}  // namespace ringway::loadgen
