// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/open_tally.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

PhaseCounts CountsOf(uint64_t offered, absl::Duration took,
                     std::optional<absl::Duration> recovered) {
  PhaseCounts counts;
  counts.offered = offered;
  counts.answered = offered - 1;
  counts.answers = offered - 1;
  counts.lost = 1;
  counts.backlog = 3;
  counts.latency_ns.RecordN(offered, offered - 1);
  counts.took = took;
  counts.recovered_after = recovered;
  return counts;
}

OpenTally TallyOf(std::vector<PhaseCounts> phases, int connection) {
  OpenTally tally(TimeSeries(MonotonicTime(), absl::Seconds(1)));
  tally.phases = std::move(phases);
  tally.unanswered = 2;
  tally.errors.Record(connection, absl::DataLossError("wrong"));
  tally.opening.opened = 5;
  return tally;
}

TEST(OpenTallyTest, AddsThoseOfAnotherWorkerPhaseByPhase) {
  OpenTally sum = TallyOf({CountsOf(10, absl::Seconds(2), absl::Seconds(1)),
                           CountsOf(20, absl::Seconds(2), absl::Seconds(1))},
                          /*connection=*/0);
  sum.Merge(TallyOf({CountsOf(11, absl::Seconds(3), absl::Seconds(2)),
                     CountsOf(21, absl::Seconds(1), std::nullopt)},
                    /*connection=*/1));
  ASSERT_EQ(sum.phases.size(), 2u);
  const PhaseCounts& first = sum.phases[0];
  EXPECT_EQ(first.offered, 21u);
  EXPECT_EQ(first.answered, 19u);
  EXPECT_EQ(first.lost, 2u);
  EXPECT_EQ(first.backlog, 6u);
  EXPECT_EQ(first.latency_ns.count(), 19u);
  EXPECT_EQ(first.latency_ns.max(), 11u);
  EXPECT_EQ(first.took, absl::Seconds(3));
  EXPECT_EQ(first.recovered_after, absl::Seconds(2));
  EXPECT_EQ(sum.phases[1].offered, 41u);
  EXPECT_EQ(sum.phases[1].recovered_after, std::nullopt);
  EXPECT_EQ(sum.unanswered, 4u);
  EXPECT_EQ(sum.opening.opened, 10u);
  EXPECT_EQ(sum.errors.total(), 2u);
  EXPECT_EQ(sum.errors.first(), "connection 0: wrong");
}

TEST(OpenTallyTest, AWorkerMayHaveEndedInAnEarlierPhase) {
  const PhaseCounts phase = CountsOf(10, absl::Seconds(1), std::nullopt);
  OpenTally sum = TallyOf({phase}, 0);
  sum.Merge(TallyOf({phase, phase}, 1));
  sum.Merge(TallyOf({}, 2));
  ASSERT_EQ(sum.phases.size(), 2u);
  EXPECT_EQ(sum.phases[0].offered, 20u);
  EXPECT_EQ(sum.phases[1].offered, 10u);
}

}  // namespace
}  // namespace ringway::loadgen
