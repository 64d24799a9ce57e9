// SPDX-License-Identifier: Apache-2.0
//
// Every scenario with its first operation failing, then its second, and so on
// until none is left to fail, with each of its documented errnos: in every
// case the scenario ends, no fd leaks, and no byte is wrong.

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/tools/sim/scenarios.h"

namespace ringway::simulation {
namespace {

// A run with a single fault, the failure of the n-th operation.
Options WithFailureOf(uint64_t n, uint64_t seed) {
  Options options;
  options.seed = seed;
  options.faults = false;
  options.small = true;
  options.failure.n = n;
  return options;
}

class FailingOperation : public ::testing::TestWithParam<NamedScenario> {
 protected:
  // With the n-th operation failing, once for each errno. How many these were:
  // 0 if the scenario has no n-th operation that can fail.
  static size_t FailWithEachErrno(uint64_t n, uint64_t seed) {
    Options options = WithFailureOf(n, seed);
    while (true) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ", operation ", n,
                                ", errno number ", options.failure.which));
      const Verdict verdict = GetParam().run(options);
      EXPECT_TRUE(verdict.status.ok()) << verdict.status;
      if (!verdict.failure_happened) return options.failure.which;
      ++options.failure.which;
    }
  }
};

TEST_P(FailingOperation, EndsItsScenarioWhateverItIs) {
  uint64_t n_operations = 0;
  uint64_t n_runs = 0;
  // Each seed sends and receives in other ways. A tenth of the scale fails
  // every tenth operation, of each seed others.
  constexpr uint64_t kSeeds = 4;
  const uint64_t step = std::max<uint64_t>(1, 100 / testing::Scaled(100));
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    for (uint64_t n = 1 + seed % step;; n += step) {
      const size_t n_errnos = FailWithEachErrno(n, seed);
      ASSERT_FALSE(HasFailure());
      if (n_errnos == 0) break;
      ++n_operations;
      n_runs += n_errnos;
    }
  }
  RecordProperty("operations", std::to_string(n_operations));
  RecordProperty("runs", std::to_string(n_runs));
  // Messages and timers are no operations, and a nop cannot fail.
  const bool has_any = GetParam().name != "ping";
  EXPECT_EQ(n_operations > 20 * kSeeds / step, has_any);
  EXPECT_EQ(n_runs > n_operations, has_any);
}

// Checks that this test detects a mistake in the handling of one errno.
TEST(FailingOperationCanary, FindsADoubleClose) {
  bool found = false;
  for (uint64_t n = 1; !found; ++n) {
    Options options = WithFailureOf(n, /*seed=*/1);
    options.bug = Bug::kDoubleClose;
    const Verdict verdict = RunEcho(options);
    ASSERT_TRUE(verdict.failure_happened) << "no operation is left";
    found = !verdict.status.ok();
  }
}

INSTANTIATE_TEST_SUITE_P(All, FailingOperation,
                         ::testing::ValuesIn(AllScenarios().begin(),
                                             AllScenarios().end()),
                         [](const auto& info) {
                           return std::string(info.param.name);
                         });

}  // namespace
}  // namespace ringway::simulation
