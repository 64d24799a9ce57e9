// SPDX-License-Identifier: Apache-2.0
//
// Does the simulation find anything? Mistakes of five kinds are planted, one at
// a time; each has to come out within some hundred seeds.

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/sim/echo.h"
#include "tools/sim/ping.h"
#include "tools/sim/scenarios.h"

namespace ringway::simulation {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kSeeds = 400;

SweepResult Hunt(Scenario scenario, Bug bug) {
  Options options;
  options.bug = bug;
  return Sweep(scenario, options, kSeeds, nullptr);
}

// The seed that finds the bug finds nothing without it.
void ExpectOnlyTheBug(Scenario scenario, const SweepResult& hunt) {
  ASSERT_TRUE(hunt.failed_seed.has_value()) << "the bug was not found";
  Options options;
  options.seed = *hunt.failed_seed;
  EXPECT_TRUE(scenario(options).status.ok());
}

TEST(Canary, ALostWakeUpIsADeadlock) {
  const SweepResult hunt = Hunt(&RunPing, Bug::kLostWakeUp);
  ExpectOnlyTheBug(&RunPing, hunt);
  EXPECT_THAT(hunt.failure.message(), HasSubstr("what will never come"));
}

TEST(Canary, ADoubleCloseIsReported) {
  const SweepResult hunt = Hunt(&RunEcho, Bug::kDoubleClose);
  ExpectOnlyTheBug(&RunEcho, hunt);
  EXPECT_THAT(hunt.failure.message(), HasSubstr("which close has closed"));
}

TEST(Canary, AnFdLeakedOnCancelIsNamed) {
  const SweepResult hunt = Hunt(&RunEcho, Bug::kLeakOnCancel);
  ExpectOnlyTheBug(&RunEcho, hunt);
  EXPECT_THAT(hunt.failure.message(), HasSubstr("opened by accept"));
}

TEST(Canary, AReplyToAReusedSlotReachesTheWrongClient) {
  const SweepResult hunt = Hunt(&RunEcho, Bug::kReusedSlot);
  ExpectOnlyTheBug(&RunEcho, hunt);
  EXPECT_THAT(hunt.failure.message(), HasSubstr("differs"));
}

TEST(Canary, ABufferReturnedTwiceIsReported) {
  const SweepResult hunt = Hunt(&RunEcho, Bug::kBufferReturnedTwice);
  ExpectOnlyTheBug(&RunEcho, hunt);
  EXPECT_THAT(hunt.failure.message(), HasSubstr("which is not lent"));
}

}  // namespace
}  // namespace ringway::simulation
