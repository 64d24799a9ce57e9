// SPDX-License-Identifier: Apache-2.0
//
// Tests the simulation itself: nine kinds of bugs are planted, one at a time,
// in the programs or in the backend; each must be found within a few hundred
// seeds.

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/tools/sim/scenarios.h"

namespace ringway::simulation {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr uint64_t kSeeds = 400;

SweepResult Hunt(Scenario scenario, Bug bug, bool faults = true) {
  Options options;
  options.faults = faults;
  options.bug = bug;
  return Sweep(scenario, options, kSeeds, nullptr);
}

// The seed that finds the bug finds nothing without it.
void ExpectOnlyTheBug(Scenario scenario, const SweepResult& hunt) {
  ASSERT_TRUE(hunt.failed_seed.has_value()) << "the bug was not found";
  ::testing::Test::RecordProperty("seed", std::to_string(*hunt.failed_seed));
  ::testing::Test::RecordProperty("found", std::string(hunt.failure.message()));
  Options options;
  options.seed = *hunt.failed_seed;
  EXPECT_TRUE(scenario(options).status.ok());
}

TEST(Canary, ALostWakeUpIsADeadlock) {
  const SweepResult hunt = Hunt(&RunPing, Bug::kLostWakeUp);
  ExpectOnlyTheBug(&RunPing, hunt);
  EXPECT_THAT(hunt.failure.message(), HasSubstr("no event can wake one"));
}

TEST(Canary, ADoubleCloseIsReported) {
  const SweepResult hunt = Hunt(&RunEcho, Bug::kDoubleClose);
  ExpectOnlyTheBug(&RunEcho, hunt);
  EXPECT_THAT(hunt.failure.message(), HasSubstr("which close has closed"));
}

TEST(Canary, AnFdLeakedOnCancelIsNamed) {
  const SweepResult hunt = Hunt(&RunEcho, Bug::kLeakOnCancel);
  ExpectOnlyTheBug(&RunEcho, hunt);
  EXPECT_THAT(hunt.failure.message(), HasSubstr("opened by dup"));
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

// Without faults: with them a connection may end early for other reasons.
TEST(Canary, AProxyThatEndsBothHalvesLosesTheAnswer) {
  const SweepResult hunt =
      Hunt(&RunProxy, Bug::kEndsBothHalves, /*faults=*/false);
  ExpectOnlyTheBug(&RunProxy, hunt);
  EXPECT_THAT(hunt.failure.message(), HasSubstr("reset by peer"));
}

// The next three are faults that the library has had, or could have.

TEST(Canary, AWriteForgottenBesideAReadIsADeadlock) {
  for (Scenario scenario : {&RunEcho, &RunProxy}) {
    const SweepResult hunt = Hunt(scenario, Bug::kForgottenWrite);
    ExpectOnlyTheBug(scenario, hunt);
    EXPECT_THAT(hunt.failure.message(), HasSubstr("no event can wake one"));
  }
}

TEST(Canary, AnAcceptThatBlocksItsWorkerIsADeadlock) {
  const SweepResult hunt = Hunt(&RunEcho, Bug::kBlockingAccept);
  ExpectOnlyTheBug(&RunEcho, hunt);
  EXPECT_THAT(hunt.failure.message(), HasSubstr("no event can wake one"));
}

TEST(Canary, AReceiveTakenForIdleBeforeItsEndLosesBytes) {
  const SweepResult hunt = Hunt(&RunEcho, Bug::kLostEnd);
  ExpectOnlyTheBug(&RunEcho, hunt);
  // Which seed fails first depends on how writes are gathered: the bytes are
  // lost in the middle, or the last ones, for which the reader then waits.
  EXPECT_THAT(hunt.failure.message(),
              AnyOf(HasSubstr("differs"), HasSubstr("no event can wake one")));
}

}  // namespace
}  // namespace ringway::simulation
