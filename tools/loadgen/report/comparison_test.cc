// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/comparison.h"

#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

NamedRun RunOf(const char* name, double factor) {
  NamedRun run;
  run.name = name;
  run.summary.load = "closed loop, 32 connections, 64 bytes";
  run.summary.seconds = 5;
  run.summary.per_second = 100'000 / factor;
  run.summary.percentiles = {{50, 100 * factor},
                             {90, 200 * factor},
                             {99, 900 * factor},
                             {99.9, 4'000 * factor},
                             {100, 12'000 * factor}};
  run.summary.server_cpu.emplace(4 * factor, 0.4);
  return run;
}

TEST(ComparisonTest, IsATableWithRatios) {
  NamedRun b = RunOf("after.json", 1.25);
  b.summary.errors = 1'234;
  EXPECT_EQ(FormatComparison(RunOf("before.json", 1), b),
            "A: before.json: closed loop, 32 connections, 64 bytes, 5.0 s\n"
            "B: after.json: closed loop, 32 connections, 64 bytes, 5.0 s\n"
            "                    A        B   ratio\n"
            "  requests/s  100,000   80,000    0.80\n"
            "  p50          100 us   125 us    1.25\n"
            "  p90          200 us   250 us    1.25\n"
            "  p99          900 us  1.12 ms    1.25\n"
            "  p99.9          4 ms     5 ms    1.25\n"
            "  max           12 ms    15 ms    1.25\n"
            "  errors            0    1,234       -\n"
            "  server CPU     4 us     5 us    1.25\n");
}

TEST(ComparisonTest, WhatOneRunLacksIsADash) {
  NamedRun b = RunOf("b", 1);
  b.summary.server_cpu.reset();
  const std::string table = FormatComparison(RunOf("a", 1), b);
  EXPECT_NE(table.find("server CPU     4 us        -       -\n"),
            std::string::npos)
      << table;
}

TEST(ComparisonTest, RunsWithoutRequestsHaveNoRatios) {
  const std::string table = FormatComparison(NamedRun(), NamedRun());
  EXPECT_EQ(table.find("nan"), std::string::npos) << table;
  EXPECT_EQ(table.find("inf"), std::string::npos) << table;
}

TEST(ComparisonTest, WarnsOfLoadsThatDiffer) {
  NamedRun b = RunOf("b", 1);
  EXPECT_EQ(DifferenceWarning(RunOf("a", 1), b), "");
  b.summary.load = "closed loop, 1 connection, 64 bytes";
  EXPECT_NE(DifferenceWarning(RunOf("a", 1), b), "");
  b.summary.load = "";  // written by an earlier version
  EXPECT_EQ(DifferenceWarning(RunOf("a", 1), b), "");
}

}  // namespace
}  // namespace ringway::loadgen
