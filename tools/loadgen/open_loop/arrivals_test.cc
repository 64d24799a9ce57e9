// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/arrivals.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

std::vector<int64_t> AllTimes(Arrivals arrivals) {
  std::vector<int64_t> times;
  for (; arrivals.left(); arrivals.Advance()) times.push_back(arrivals.at_ns());
  return times;
}

TEST(UniformArrivals, AreEquallyFarApart) {
  const std::vector<int64_t> times = AllTimes(
      Arrivals({Phase(4, absl::Seconds(1))}, ArrivalKind::kUniform, 0));
  EXPECT_EQ(times,
            (std::vector<int64_t>{0, 250'000'000, 500'000'000, 750'000'000}));
}

TEST(UniformArrivals, OfRatesThatDivideNoSecondAreExactAfterAnHour) {
  for (const uint64_t rate : {7u, 999u, 3'001u}) {
    Arrivals arrivals({Phase(rate, absl::Hours(1))}, ArrivalKind::kUniform, 0);
    uint64_t n = 0;
    for (; arrivals.left(); arrivals.Advance(), ++n) {
      // The n-th of each second at its begin, in every second.
      if (n % rate == 0) {
        ASSERT_EQ(arrivals.at_ns(),
                  static_cast<int64_t>(n / rate * 1'000'000'000));
      }
    }
    EXPECT_EQ(n, rate * 3'600);
  }
}

TEST(UniformArrivals, RoundEachTimeDown) {
  Arrivals arrivals({Phase(3, absl::Seconds(2))}, ArrivalKind::kUniform, 0);
  EXPECT_EQ(AllTimes(arrivals),
            (std::vector<int64_t>{0, 333'333'333, 666'666'666, 1'000'000'000,
                                  1'333'333'333, 1'666'666'666}));
}

TEST(UniformArrivals, OfTheHighestRateAreExact) {
  const std::vector<int64_t> times = AllTimes(Arrivals(
      {Phase(kHighestRate, absl::Milliseconds(1))}, ArrivalKind::kUniform, 0));
  ASSERT_EQ(times.size(), kHighestRate / 1'000);
  EXPECT_EQ(times.back(), 999'900);
}

TEST(Arrivals, OfAPhaseAreWithinItsTime) {
  const std::vector<Phase> phases = {Phase(1'000, absl::Milliseconds(500)),
                                     Phase(3, absl::Milliseconds(100)),
                                     Phase(2'000, absl::Seconds(1))};
  for (const ArrivalKind kind :
       {ArrivalKind::kUniform, ArrivalKind::kPoisson}) {
    Arrivals arrivals(phases, kind, 11);
    std::vector<uint64_t> counts(phases.size());
    std::vector<int64_t> last(phases.size());
    for (; arrivals.left(); arrivals.Advance()) {
      const int64_t begin[] = {0, 500'000'000, 600'000'000, 1'600'000'000};
      ASSERT_GE(arrivals.at_ns(), begin[arrivals.phase()]);
      ASSERT_LT(arrivals.at_ns(), begin[arrivals.phase() + 1]);
      ASSERT_GE(arrivals.at_ns(), last[arrivals.phase()]);
      last[arrivals.phase()] = arrivals.at_ns();
      ++counts[arrivals.phase()];
    }
    EXPECT_EQ(arrivals.phase(), phases.size());
    if (kind == ArrivalKind::kUniform)
      EXPECT_EQ(counts, (std::vector<uint64_t>{500, 1, 2'000}));
  }
}

TEST(Arrivals, SkipAPhaseThatHasNone) {
  // Seed 1 gives no arrival in a microsecond at one a second.
  const std::vector<int64_t> times = AllTimes(Arrivals(
      {Phase(1, absl::Microseconds(1)), Phase(1'000, absl::Seconds(1))},
      ArrivalKind::kPoisson, 1));
  ASSERT_FALSE(times.empty());
  EXPECT_GE(times.front(), 1'000);
}

TEST(PoissonArrivals, ComeAtTheRateWithinChance) {
  constexpr uint64_t kRate = 1'000;
  constexpr double kExpected = kRate * 3'600.0;
  const std::vector<int64_t> times = AllTimes(
      Arrivals({Phase(kRate, absl::Hours(1))}, ArrivalKind::kPoisson, 5));
  // Five standard deviations.
  EXPECT_NEAR(static_cast<double>(times.size()), kExpected,
              5 * std::sqrt(kExpected));
  // Of a Poisson process, 1/e of the gaps are longer than the mean gap.
  uint64_t longer = 0;
  for (size_t i = 1; i < times.size(); ++i)
    longer += times[i] - times[i - 1] > 1'000'000 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(longer) / static_cast<double>(times.size()),
              std::exp(-1), 0.002);
}

TEST(PoissonArrivals, AreRepeatedByTheirSeed) {
  const std::vector<Phase> phases = {Phase(1'000, absl::Seconds(1))};
  const auto times = [&](uint64_t seed) {
    return AllTimes(Arrivals(phases, ArrivalKind::kPoisson, seed));
  };
  EXPECT_EQ(times(3), times(3));
  EXPECT_NE(times(3), times(4));
}

TEST(Arrivals, KindsHaveNames) {
  EXPECT_EQ(*ParseArrivalKind("uniform"), ArrivalKind::kUniform);
  EXPECT_EQ(*ParseArrivalKind("poisson"), ArrivalKind::kPoisson);
  const absl::Status status = ParseArrivalKind("Poisson").status();
  EXPECT_EQ(status, absl::InvalidArgumentError(
                        "arrivals are uniform or poisson, not 'Poisson'"));
}

// What several threads have together is what one has.
TEST(ArrivalsTest, SharesAreThoseOfTheWhole) {
  const std::vector<Phase> phases = {Phase(1'000, absl::Milliseconds(70)),
                                     Phase(1, absl::Milliseconds(10)),
                                     Phase(333, absl::Milliseconds(100))};
  for (const ArrivalKind kind :
       {ArrivalKind::kUniform, ArrivalKind::kPoisson}) {
    std::vector<Arrivals> shares;
    for (int worker = 0; worker < 3; ++worker)
      shares.emplace_back(phases, kind, /*seed=*/5, worker, /*every=*/3);
    Arrivals whole(phases, kind, /*seed=*/5);
    for (size_t n = 0; whole.left(); ++n) {
      Arrivals& share = shares[n % 3];
      ASSERT_TRUE(share.left());
      EXPECT_EQ(share.at_ns(), whole.at_ns()) << n;
      EXPECT_EQ(share.phase(), whole.phase()) << n;
      share.Advance();
      whole.Advance();
    }
    for (const Arrivals& share : shares) EXPECT_FALSE(share.left());
  }
}

}  // namespace
}  // namespace ringway::loadgen
