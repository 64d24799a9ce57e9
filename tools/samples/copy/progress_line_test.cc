// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/samples/copy/progress_line.h"

#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringway::copy {
namespace {

constexpr int64_t kMiB = 1024 * 1024;

TEST(ShortBytes, HasThreeDigitsAtMost) {
  EXPECT_EQ(ShortBytes(0), "0 B");
  EXPECT_EQ(ShortBytes(1023), "1023 B");
  EXPECT_EQ(ShortBytes(1024), "1.0 KiB");
  EXPECT_EQ(ShortBytes(9.94 * 1024), "9.9 KiB");
  EXPECT_EQ(ShortBytes(9.96 * 1024), "10 KiB");
  EXPECT_EQ(ShortBytes(312.4 * kMiB), "312 MiB");
  EXPECT_EQ(ShortBytes(5e15), "4547 TiB");
}

TEST(ProgressLine, SaysHowFarHowFastAndHowLong) {
  EXPECT_EQ(ProgressLine(25 * kMiB, 100 * kMiB, absl::Seconds(5)),
            "[#######                     ]  25 %  25 MiB of 100 MiB"
            "  5.0 MiB/s  15 s left");
  EXPECT_EQ(ProgressLine(kMiB, 1000 * kMiB, absl::Seconds(1)),
            "[                            ]   0 %  1.0 MiB of 1000 MiB"
            "  1.0 MiB/s  16:39 min left");
  EXPECT_EQ(ProgressLine(kMiB, 5000 * kMiB, absl::Seconds(1)),
            "[                            ]   0 %  1.0 MiB of 4.9 GiB"
            "  1.0 MiB/s  1:23 h left");
}

TEST(ProgressLine, NeverSaysMoreThanAll) {
  EXPECT_EQ(ProgressLine(3 * kMiB, 2 * kMiB, absl::Seconds(1)),
            "[############################] 100 %  3.0 MiB of 2.0 MiB"
            "  3.0 MiB/s");
}

TEST(ProgressLine, WithoutATotalOrATimeSaysWhatItKnows) {
  EXPECT_EQ(ProgressLine(kMiB, 0, absl::Seconds(2)), "1.0 MiB  512 KiB/s");
  EXPECT_EQ(ProgressLine(0, 0, absl::ZeroDuration()), "0 B  0 B/s");
  EXPECT_EQ(ProgressLine(0, kMiB, absl::ZeroDuration()),
            "[                            ]   0 %  0 B of 1.0 MiB  0 B/s");
}

}  // namespace
}  // namespace ringway::copy
