// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/scenarios.h"

#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"

namespace ringway::simulation {
namespace {

// More than twice what a run takes on average in which nothing goes wrong.
constexpr uint64_t kMaxTurns = 6'000;

class ScenarioTest : public ::testing::TestWithParam<NamedScenario> {};

TEST_P(ScenarioTest, SurvivesEveryFault) {
  Options options;
  const uint64_t n_seeds = testing::Scaled(400);
  const SweepResult result = Sweep(GetParam().run, options, n_seeds, nullptr);
  EXPECT_TRUE(result.failure.ok())
      << "seed " << *result.failed_seed << ": " << result.failure;
  EXPECT_EQ(result.seeds_run, n_seeds);
}

TEST_P(ScenarioTest, SucceedsWithoutFaults) {
  Options options;
  options.faults = false;
  const SweepResult result =
      Sweep(GetParam().run, options, testing::Scaled(40), nullptr);
  EXPECT_TRUE(result.failure.ok())
      << "seed " << *result.failed_seed << ": " << result.failure;
  EXPECT_LT(result.turns, result.seeds_run * kMaxTurns) << "it spins";
}

TEST_P(ScenarioTest, RepeatsItselfExactly) {
  Options options;
  for (options.seed = 1; options.seed <= 10; ++options.seed) {
    const Verdict first = GetParam().run(options);
    const Verdict second = GetParam().run(options);
    EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << options.seed;
    EXPECT_EQ(first.turns, second.turns) << "seed " << options.seed;
  }
}

TEST_P(ScenarioTest, RunsDifferBySeed) {
  Options one, other;
  other.seed = 2;
  EXPECT_NE(GetParam().run(one).trace_hash, GetParam().run(other).trace_hash);
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioTest,
                         ::testing::ValuesIn(AllScenarios().begin(),
                                             AllScenarios().end()),
                         [](const auto& info) {
                           return std::string(info.param.name);
                         });

}  // namespace
}  // namespace ringway::simulation
