// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/plot/plot.h"

#include <cmath>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Spot {
  double x;
  double y;
};

// The number of an attribute; NaN if it is missing.
double NumberOf(const std::string& element, const std::string& attribute) {
  std::smatch match;
  double number = std::nan("");
  if (std::regex_search(element, match,
                        std::regex(" " + attribute + "=\"([^\"]*)\""))) {
    EXPECT_TRUE(absl::SimpleAtod(match[1].str(), &number)) << element;
  }
  return number;
}

std::vector<std::string> ElementsOf(const std::string& svg,
                                    const std::string& pattern) {
  std::vector<std::string> elements;
  const std::regex regex(pattern);
  for (std::sregex_iterator at(svg.begin(), svg.end(), regex), end; at != end;
       ++at) {
    elements.push_back(at->str());
  }
  return elements;
}

std::vector<Spot> LineOf(const std::string& svg, const std::string& name,
                         size_t which = 0) {
  const std::vector<std::string> lines =
      ElementsOf(svg, "<polyline class=\"" + name + "\"[^>]*>");
  std::vector<Spot> spots;
  if (which >= lines.size()) return spots;
  std::smatch match;
  EXPECT_TRUE(std::regex_search(lines[which], match,
                                std::regex("points=\"([^\"]*)\"")));
  for (const absl::string_view pair : absl::StrSplit(match[1].str(), ' ')) {
    const std::pair<absl::string_view, absl::string_view> xy =
        absl::StrSplit(pair, ',');
    Spot spot = {};
    EXPECT_TRUE(absl::SimpleAtod(xy.first, &spot.x)) << pair;
    EXPECT_TRUE(absl::SimpleAtod(xy.second, &spot.y)) << pair;
    spots.push_back(spot);
  }
  return spots;
}

std::vector<Spot> DotsOf(const std::string& svg, const std::string& name) {
  std::vector<Spot> spots;
  for (const std::string& dot :
       ElementsOf(svg, "<circle class=\"" + name + "\"[^>]*>"))
    spots.push_back({NumberOf(dot, "cx"), NumberOf(dot, "cy")});
  return spots;
}

// Every element is closed in order, and no number is none.
void ExpectValid(const std::string& svg) {
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z]+)[^<>]*?(/?)>");
  for (std::sregex_iterator at(svg.begin(), svg.end(), tag), end; at != end;
       ++at) {
    const std::smatch& match = *at;
    if (!match[1].str().empty()) {
      ASSERT_FALSE(open.empty()) << match.str();
      EXPECT_EQ(open.back(), match[2].str());
      open.pop_back();
    } else if (match[3].str().empty()) {
      open.push_back(match[2].str());
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_THAT(svg, Not(HasSubstr("\"-")));  // nothing left of it or above
}

// Ten intervals of 100 ms, 10,000 requests; p50 100 us to a maximum of 10 ms.
NamedRun RunOf(const std::string& name) {
  NamedRun run;
  run.name = name;
  Summary& summary = run.summary;
  summary.server = "127.0.0.1:80";
  summary.load = "closed loop, 32 connections, 64 bytes";
  summary.seconds = 1;
  summary.requests = 10'000;
  summary.per_second = 10'000;
  summary.percentiles = {{0, 100},    {50, 100},      {90, 1'000},
                         {99, 1'000}, {99.9, 10'000}, {100, 10'000}};
  for (int i = 0; i < 10; ++i) {
    SeriesRow row;
    row.begin = i * absl::Milliseconds(100);
    row.length = absl::Milliseconds(100);
    row.requests = i == 5 ? 2'000 : 1'000;
    row.p50_ns = 100'000;
    row.p99_ns = 1'000'000;
    row.max_ns = 10'000'000;
    summary.series.push_back(row);
  }
  return run;
}

TEST(PlotTest, TellsWhatWasMeasured) {
  NamedRun run = RunOf("");
  run.summary.server_cpu.emplace(3.21, 0.5);
  const std::string svg = DrawPlot({run});
  ExpectValid(svg);
  for (const char* text : {">Closed loop, 32 connections, 64 bytes<",
                           ">loadgen for 1 s, server 127.0.0.1:80<", ">10,000<",
                           ">3.21 \xc2\xb5s<", ">Latency by percentile<",
                           ">Requests per second<", ">Latency over time<",
                           ">99.9 %<", ">p99 1 ms<", ">max 10 ms<", ">1 s<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
}

TEST(PlotTest, EachNineAndEachDecadeHasTheSameRoom) {
  const std::string svg = DrawPlot({RunOf("")});
  const std::vector<Spot> p50 = DotsOf(svg, "point p50");
  const std::vector<Spot> p90 = DotsOf(svg, "point p90");
  const std::vector<Spot> p99 = DotsOf(svg, "point p99");
  const std::vector<Spot> p999 = DotsOf(svg, "point p99.9");
  const std::vector<Spot> max = DotsOf(svg, "point max");
  ASSERT_EQ(p90.size() + p99.size() + p999.size() + max.size(), 4u);
  const double nine = p99[0].x - p90[0].x;
  EXPECT_NEAR(p999[0].x - p99[0].x, nine, 0.2);
  EXPECT_NEAR(max[0].x - p999[0].x, nine, 0.2);  // of 10,000 requests
  EXPECT_NEAR(p50[0].x - p90[0].x, -nine * std::log10(5), 0.2);
  const double decade = p50[0].y - p99[0].y;
  EXPECT_GT(decade, 20);
  EXPECT_NEAR(p99[0].y - max[0].y, decade, 0.2);
  EXPECT_NEAR(p90[0].y, p99[0].y, 0.01);
  EXPECT_NEAR(LineOf(svg, "curve").back().x, max[0].x, 0.01);
}

TEST(PlotTest, TheRateIsAtTheMiddleOfItsInterval) {
  const std::string svg = DrawPlot({RunOf("")});
  const std::vector<Spot> rate = LineOf(svg, "rate");
  const std::vector<Spot> p99 = LineOf(svg, "p99");
  ASSERT_EQ(rate.size(), 10u);
  ASSERT_EQ(p99.size(), 10u);
  const double step = rate[1].x - rate[0].x;
  EXPECT_NEAR(rate[9].x - rate[0].x, 9 * step, 0.5);
  // 1,000 requests in 100 ms are 10k/s, half of 20k/s where the frame begins.
  EXPECT_LT(rate[5].y, rate[4].y);
  EXPECT_NEAR(rate[4].y, rate[6].y, 0.01);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(rate[i].x, p99[i].x);
}

TEST(PlotTest, AnIntervalWithoutRequestsIsAGap) {
  NamedRun run = RunOf("");
  run.summary.series[4].requests = 0;
  run.summary.series[6].requests = 0;
  const std::string svg = DrawPlot({run});
  ExpectValid(svg);
  EXPECT_EQ(LineOf(svg, "p99", 0).size(), 4u);
  EXPECT_EQ(DotsOf(svg, "p99").size(), 1u);  // the one between the two
  EXPECT_EQ(LineOf(svg, "p99", 1).size(), 3u);
  EXPECT_EQ(LineOf(svg, "rate").size(), 10u);
}

TEST(PlotTest, AnOpenLoopShowsWhatWasOffered) {
  NamedRun run = RunOf("");
  EXPECT_TRUE(LineOf(DrawPlot({run}), "offered").empty());
  run.summary.open.emplace();
  run.summary.open->dropped = 77;
  for (SeriesRow& row : run.summary.series) row.offered = 1'500;
  const std::string svg = DrawPlot({run});
  EXPECT_EQ(LineOf(svg, "offered").size(), 10u);
  EXPECT_THAT(svg, HasSubstr(">77<"));
}

TEST(PlotTest, ErrorsAreMarked) {
  NamedRun run = RunOf("");
  run.summary.series[3].errors = 2;
  run.summary.series[7].errors = 1'234;
  const std::string svg = DrawPlot({run});
  EXPECT_EQ(DotsOf(svg, "errors").size(), 2u);
  EXPECT_THAT(svg, HasSubstr("<title>1,234 errors</title>"));
}

TEST(PlotTest, TwoRunsHaveALineEach) {
  NamedRun b = RunOf("after & <later>");
  b.summary.load = "closed loop, 1 connection, 64 bytes";
  const std::string svg = DrawPlot({RunOf("before"), b});
  ExpectValid(svg);
  EXPECT_EQ(LineOf(svg, "curve", 1).size(), 6u);
  EXPECT_EQ(LineOf(svg, "rate", 1).size(), 10u);
  EXPECT_EQ(LineOf(svg, "p50", 1).size(), 10u);
  EXPECT_THAT(svg, HasSubstr(">after &amp; &lt;later&gt;<"));
}

TEST(PlotTest, LongTextsAreMadeToFit) {
  NamedRun run = RunOf(std::string(100, 'a') + "the-end");
  run.summary.load = std::string(200, 'x');
  const std::string one = DrawPlot({run});
  for (const std::string& text : ElementsOf(one, "<text[^>]*>[Xx]x*<"))
    EXPECT_LT(NumberOf(text, "font-size"), 8) << text;
  const std::string two = DrawPlot({run, RunOf("b")});
  EXPECT_THAT(two, HasSubstr(">...aaaaaaaaaathe-end<"));
  EXPECT_THAT(two, Not(HasSubstr("aaaaaaaaaaaaaaaaaaaaa")));
}

TEST(PlotTest, ARunWithoutRequestsSaysSo) {
  const std::string svg = DrawPlot({NamedRun()});
  ExpectValid(svg);
  EXPECT_THAT(svg, HasSubstr("no request was answered"));
  EXPECT_THAT(svg, HasSubstr("no interval was recorded"));
  ExpectValid(DrawPlot({NamedRun(), RunOf("b")}));
}

TEST(PlotTest, OneRequestIsAPlot) {
  NamedRun run = RunOf("");
  run.summary.requests = 1;
  run.summary.percentiles = {{0, 7}, {50, 7}, {99, 7}, {100, 7}};
  run.summary.series.resize(1);
  run.summary.series[0].requests = 1;
  const std::string svg = DrawPlot({run});
  ExpectValid(svg);
  EXPECT_EQ(DotsOf(svg, "rate").size(), 1u);
  EXPECT_EQ(DotsOf(svg, "point max").size(), 1u);
}

TEST(PlotTest, NumbersThatAreNoneAreNotDrawn) {
  NamedRun run = RunOf("");
  run.summary.seconds = std::nan("");
  run.summary.per_second = 0;
  for (PercentilePoint& point : run.summary.percentiles)
    point.us = point.percentile > 90 ? INFINITY : std::nan("");
  for (SeriesRow& row : run.summary.series) row.length = absl::ZeroDuration();
  ExpectValid(DrawPlot({run}));
}

}  // namespace
}  // namespace ringway::loadgen
