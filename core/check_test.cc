// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/check.h"

#include <csignal>
#include <string>

#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(Check, DoesNothingWhenTheConditionHolds) {
  int n_evaluated = 0;

  RINGWAY_CHECK(++n_evaluated == 1, "never printed");

  EXPECT_EQ(n_evaluated, 1);
}

TEST(Check, EvaluatesItsMessageOnFailureOnly) {
  int n_evaluated = 0;

  RINGWAY_CHECK(true, "%d", ++n_evaluated);

  EXPECT_EQ(n_evaluated, 0);
}

TEST(Check, IsAnExpression) {
  const int value = (RINGWAY_CHECK(true, "fine"), 7);

  EXPECT_EQ(value, 7);
}

TEST(CheckDeathTest, SaysWhereWhatAndWhyAndAborts) {
  const int fd = -1;

  EXPECT_EXIT(RINGWAY_CHECK(fd >= 0, "need an open fd, got %d", fd),
              testing::KilledBySignal(SIGABRT),
              "check_test.cc:[0-9]+: check failed: fd >= 0: "
              "need an open fd, got -1");
}

// Headers are compiled from folders of links that the build makes.
TEST(CheckDeathTest, NamesAHeaderAsItIsIncluded) {
  EXPECT_DEATH(
      internal::CheckFailed("bazel-out/_virtual_includes/a/ringway/core/a.h", 3,
                            "x", "why"),
      "(^|\n)ringway/core/a.h:3: check failed: x: why");
}

TEST(CheckDeathTest, CutsOffAnOverlongMessage) {
  const std::string text(5000, 'x');

  EXPECT_DEATH(RINGWAY_CHECK(false, "%s", text.c_str()), "false: xxxx");
}

#ifdef NDEBUG
TEST(Dcheck, IsNotEvaluatedInReleaseBuilds) {
  int n_evaluated = 0;

  RINGWAY_DCHECK(++n_evaluated == 0, "not reached");

  EXPECT_EQ(n_evaluated, 0);
}
#else
TEST(DcheckDeathTest, AbortsInDebugBuilds) {
  EXPECT_DEATH(RINGWAY_DCHECK(1 + 1 == 3, "arithmetic"), "1 \\+ 1 == 3");
}
#endif

}  // namespace
}  // namespace ringway
