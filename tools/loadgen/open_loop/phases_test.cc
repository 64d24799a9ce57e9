// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/phases.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

TEST(Phases, AreRatesAndDurations) {
  const absl::StatusOr<std::vector<Phase>> phases =
      ParsePhases("20000x5s,180000x1m,1x250ms");
  ASSERT_TRUE(phases.ok()) << phases.status();
  ASSERT_EQ(phases->size(), 3u);
  EXPECT_EQ((*phases)[0].per_second, 20'000u);
  EXPECT_EQ((*phases)[0].length, absl::Seconds(5));
  EXPECT_EQ((*phases)[1].length, absl::Minutes(1));
  EXPECT_EQ((*phases)[2].per_second, 1u);
  EXPECT_EQ((*phases)[2].length, absl::Milliseconds(250));
  EXPECT_EQ(PhaseText((*phases)[1]), "180000x1m");
}

TEST(Phases, RefuseOtherTextsWithThePartThatIsWrong) {
  for (const std::string wrong :
       {"", "5s", "x5s", "100x", "100x5", "100x0s", "100x-1s", "0x5s", "-1x5s",
        "1.5x5s", "10000001x5s", "100x25h", "100x5sx5s", "100 5s"}) {
    for (const std::string& text : {wrong, absl::StrCat("10x1s,", wrong)}) {
      const absl::Status status = ParsePhases(text).status();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
      EXPECT_TRUE(status.message().starts_with(
          absl::StrCat("the phase '", wrong, "' is not RATExDURATION")))
          << status;
    }
  }
}

TEST(Phases, RefuseTooMany) {
  std::string text = "1x1s";
  for (size_t i = 1; i < kMostPhases; ++i) text += ",1x1s";
  EXPECT_TRUE(ParsePhases(text).ok());
  EXPECT_EQ(ParsePhases(text + ",1x1s").status(),
            absl::InvalidArgumentError("1001 phases are more than 1000"));
}

}  // namespace
}  // namespace ringway::loadgen
