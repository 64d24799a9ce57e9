// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/threshold.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// p50 100 us, p99 2 ms, max 10 ms, mean 300 us, 1,000/s, 10,000 requests, 5
// errors; the server's CPU 4 us per request.
Summary ClosedRun() {
  Summary run;
  run.percentiles = {{0, 50},     {50, 100},     {90, 500},      {95, 900},
                     {99, 2'000}, {99.9, 5'000}, {99.99, 8'000}, {100, 10'000}};
  run.mean_us = 300;
  run.seconds = 10;
  run.per_second = 1'000;
  run.requests = 10'000;
  run.errors = 5;
  run.server_cpu.emplace(4, 0.4);
  run.client_cpu.emplace(6, 0.6);
  return run;
}

Summary OpenRun() {
  Summary run = ClosedRun();
  run.open.emplace();
  run.open->offered = 12'500;
  run.open->dropped = 2'490;
  run.lost = 10;
  return run;
}

std::vector<std::string> CrossedBy(const Summary& run, const std::string& text,
                                   const Summary* first = nullptr) {
  const absl::StatusOr<std::vector<Threshold>> thresholds =
      ParseThresholds(text);
  EXPECT_TRUE(thresholds.ok()) << thresholds.status();
  return thresholds.ok() ? Crossed(*thresholds, run, first)
                         : std::vector<std::string>();
}

std::string WhyWrong(const std::string& text) {
  return std::string(ParseThresholds(text).status().message());
}

TEST(ThresholdTest, EveryComparisonAtBelowAndAboveTheLimit) {
  const auto crossed = [](const std::string& text) {
    return !CrossedBy(ClosedRun(), text).empty();
  };
  EXPECT_TRUE(crossed("p99>1999us"));
  EXPECT_FALSE(crossed("p99>2000us"));
  EXPECT_FALSE(crossed("p99>2001us"));
  EXPECT_TRUE(crossed("p99>=1999us"));
  EXPECT_TRUE(crossed("p99>=2000us"));
  EXPECT_FALSE(crossed("p99>=2001us"));
  EXPECT_FALSE(crossed("rate<999"));
  EXPECT_FALSE(crossed("rate<1000"));
  EXPECT_TRUE(crossed("rate<1001"));
  EXPECT_FALSE(crossed("rate<=999"));
  EXPECT_TRUE(crossed("rate<=1000"));
  EXPECT_TRUE(crossed("rate<=1001"));
}

TEST(ThresholdTest, NamesWhatWasCrossedAndItsValue) {
  EXPECT_THAT(CrossedBy(ClosedRun(), "p50>99us,p90>1ms,p99>1.5ms,errors>0"),
              ElementsAre("p50>99us: it is 100 us", "p99>1.5ms: it is 2 ms",
                          "errors>0: it is 5"));
  EXPECT_THAT(CrossedBy(ClosedRun(), "rate<5000"),
              ElementsAre("rate<5000: it is 1000.0"));
}

TEST(ThresholdTest, EveryFigureIsKnown) {
  EXPECT_THAT(
      CrossedBy(OpenRun(),
                "p50>=100us,p90>=500us,p95>=900us,p99>=2ms,p99.9>=5ms,"
                "p99.99>=8ms,max>=0.01s,mean>=300000ns,rate>=1000,"
                "goodput>=1000,errors>=5,dropped>=2490,lost>=10,cpu>=4us,"
                "client_cpu>=6us"),
      ::testing::SizeIs(15));
}

TEST(ThresholdTest, SpacesAreAllowed) {
  EXPECT_THAT(CrossedBy(ClosedRun(), " p99 > 1 ms , errors >= 1 "),
              ::testing::SizeIs(2));
}

TEST(ThresholdTest, PerCentAreOfTheRunItself) {
  EXPECT_THAT(CrossedBy(OpenRun(), "goodput<99%"),
              ElementsAre("goodput<99%: it is 80 %"));
  EXPECT_THAT(CrossedBy(OpenRun(), "dropped>10%"),
              ElementsAre("dropped>10%: it is 19.92 %"));
  EXPECT_THAT(CrossedBy(OpenRun(), "errors>0.05%"), IsEmpty());
  EXPECT_THAT(CrossedBy(ClosedRun(), "cpu>39%"),
              ElementsAre("cpu>39%: it is 40 %"));
}

TEST(ThresholdTest, DatagramsOfAClosedLoopMayBeLost) {
  Summary run = ClosedRun();
  run.lost = run.requests / 9;
  run.errors = 0;
  EXPECT_THAT(CrossedBy(run, "lost>9%,lost>11%"),
              ElementsAre(::testing::StartsWith("lost>9%: it is ")));
  run.lost.reset();
  EXPECT_THAT(CrossedBy(run, "lost>0"),
              ElementsAre("lost>0: it was not measured"));
}

TEST(ThresholdTest, PerCentOfTwoRunsAreOfTheFirst) {
  const Summary first = ClosedRun();
  Summary second = ClosedRun();
  second.percentiles[4].us = 2'300;
  second.per_second = 900;
  second.server_cpu.reset();
  EXPECT_THAT(CrossedBy(second, "p99>110%,p50>110%,rate<95%,cpu>105%", &first),
              ElementsAre("p99>110%: it is 115 %", "rate<95%: it is 90 %",
                          "cpu>105%: it was not measured"));
}

TEST(ThresholdTest, WhatIsWrongIsExplained) {
  EXPECT_THAT(WhyWrong(""), StartsWith("the threshold '': it is empty"));
  EXPECT_THAT(WhyWrong("p99>2ms,"), HasSubstr("'': it is empty"));
  EXPECT_THAT(WhyWrong("p99"),
              StartsWith("the threshold 'p99': no comparison"));
  EXPECT_THAT(WhyWrong("p99=2ms"), HasSubstr("no comparison"));
  EXPECT_THAT(WhyWrong("p99!=2ms"), HasSubstr("no comparison"));
  EXPECT_THAT(WhyWrong("p98>2ms"), HasSubstr("no figure is named 'p98'"));
  EXPECT_THAT(WhyWrong("p98>2ms"), HasSubstr("p99.9 p99.99 max mean rate"));
  EXPECT_THAT(WhyWrong(">2ms"), HasSubstr("no figure is named ''"));
  EXPECT_THAT(WhyWrong("p99>"), HasSubstr("no number"));
  EXPECT_THAT(WhyWrong("p99>-2ms"), HasSubstr("no number"));
  EXPECT_THAT(WhyWrong("p99>1.2.3ms"), HasSubstr("no number"));
  EXPECT_THAT(WhyWrong("p99>>2ms"), HasSubstr("no number"));
  EXPECT_THAT(WhyWrong("p99>nan"), HasSubstr("no number"));
  EXPECT_THAT(WhyWrong("p99>2"), HasSubstr("a time needs a unit: ns, us"));
  EXPECT_THAT(WhyWrong("p99>2m"), HasSubstr("'m' is no unit of time"));
  EXPECT_THAT(WhyWrong("errors>2ms"), HasSubstr("'ms' is no unit of errors"));
}

TEST(ThresholdTest, RefusesWhatARunDoesNotMeasure) {
  const auto check = [](const std::string& text, const Measurable& measurable) {
    return std::string(
        CheckMeasurable(*ParseThresholds(text), measurable).message());
  };
  Measurable measurable;
  EXPECT_THAT(check("cpu>3us", measurable), HasSubstr("--server-pid"));
  EXPECT_THAT(check("p99>90%", measurable), HasSubstr("--compare"));
  EXPECT_THAT(check("dropped>0", measurable), HasSubstr("--rate"));
  EXPECT_THAT(check("goodput<99%", measurable), HasSubstr("--rate"));
  EXPECT_EQ(check("goodput<99,client_cpu>3us,errors>1%", measurable), "");
  EXPECT_THAT(check("lost>0", measurable), HasSubstr("--protocol=udp"));
  measurable.datagrams = true;
  EXPECT_EQ(check("lost>0,lost>1%", measurable), "");
  measurable.datagrams = false;
  measurable.open_loop = true;
  measurable.server_cpu = true;
  EXPECT_EQ(check("cpu>3us,dropped>0,lost>1%,goodput<99%", measurable), "");
}

TEST(ThresholdTest, KnowsWhetherTheErrorsAreLimited) {
  EXPECT_TRUE(LimitsErrors(*ParseThresholds("p99>1s,errors>1%")));
  EXPECT_FALSE(LimitsErrors(*ParseThresholds("p99>1s,lost>1%")));
}

}  // namespace
}  // namespace ringway::loadgen
