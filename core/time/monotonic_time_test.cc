// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/time/monotonic_time.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace ringway {
namespace {

constexpr MonotonicTime At(int64_t ns) {
  return MonotonicTime::FromNanoseconds(ns);
}

constexpr MonotonicTime kEarliest = At(std::numeric_limits<int64_t>::min());
constexpr MonotonicTime kInfinite = MonotonicTime::Infinite();

TEST(MonotonicTime, OrdersByNanoseconds) {
  EXPECT_LT(At(-1), At(0));
  EXPECT_LT(At(0), At(1));
  EXPECT_EQ(At(1), At(1));
  EXPECT_LT(At(1), kInfinite);
  EXPECT_EQ(MonotonicTime(), At(0));
}

TEST(MonotonicTime, AddsADuration) {
  EXPECT_EQ(At(5) + absl::Nanoseconds(7), At(12));
  EXPECT_EQ(At(5) + absl::Nanoseconds(-7), At(-2));
  EXPECT_EQ(At(5) + absl::ZeroDuration(), At(5));
}

TEST(MonotonicTime, SubtractionGivesTheDurationBetween) {
  EXPECT_EQ(At(12) - At(5), absl::Nanoseconds(7));
  EXPECT_EQ(At(5) - At(12), absl::Nanoseconds(-7));
}

TEST(MonotonicTime, SubtractionDoesNotOverflow) {
  const absl::Duration all = kInfinite - kEarliest;

  EXPECT_EQ(all, absl::Nanoseconds(std::numeric_limits<int64_t>::max()) -
                     absl::Nanoseconds(std::numeric_limits<int64_t>::min()));
  EXPECT_GT(all, absl::Hours(24 * 365 * 500));
}

struct SaturationCase {
  MonotonicTime time;
  absl::Duration duration;
  MonotonicTime sum;
};

TEST(MonotonicTime, AdditionSaturatesInsteadOfWrapping) {
  const SaturationCase cases[] = {
      {At(0), absl::InfiniteDuration(), kInfinite},
      {At(-5), absl::InfiniteDuration(), kInfinite},
      {kEarliest, absl::InfiniteDuration(), kInfinite},
      {At(1), absl::Hours(24 * 365 * 1000), kInfinite},
      {At(1000), absl::Nanoseconds(std::numeric_limits<int64_t>::max() - 10),
       kInfinite},
      {At(0), -absl::InfiniteDuration(), kEarliest},
      {At(-5), -absl::InfiniteDuration(), kEarliest},
      {kEarliest, absl::Nanoseconds(-1), kEarliest},
  };
  for (const SaturationCase& c : cases) {
    EXPECT_EQ((c.time + c.duration).nanoseconds(), c.sum.nanoseconds())
        << c.time.nanoseconds() << " + " << c.duration;
  }
}

TEST(MonotonicTime, InfiniteStaysInfinite) {
  EXPECT_TRUE((kInfinite + absl::Seconds(-1)).is_infinite());
  EXPECT_TRUE((kInfinite + absl::Seconds(1)).is_infinite());
  EXPECT_FALSE(At(0).is_infinite());
}

}  // namespace
}  // namespace ringway
