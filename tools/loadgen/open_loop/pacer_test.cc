// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/pacer.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway::loadgen {
namespace {

// Counts, and checks the order of the calls.
class CountingLoad final : public PacedLoad {
 public:
  explicit CountingLoad(VirtualTimeExecutor& executor) : executor_(executor) {}

  struct Seen {
    MonotonicTime began;
    MonotonicTime ended;
    uint64_t offered = 0;
    MonotonicTime first;
    MonotonicTime last;
  };

  void BeginPhase(size_t phase, MonotonicTime now) override {
    EXPECT_FALSE(running_);
    EXPECT_EQ(phase, phases.size());
    running_ = true;
    phases.emplace_back().began = now;
    last_turn_ = now;
  }
  void Offer(const PacedRequest& request, MonotonicTime now) override {
    EXPECT_TRUE(running_);
    EXPECT_EQ(request.phase + 1, phases.size());
    EXPECT_LE(request.intended, now);
    Seen& seen = phases.back();
    if (seen.offered++ == 0) seen.first = request.intended;
    EXPECT_GE(request.intended, seen.last);
    seen.last = request.intended;
    latest = std::max(latest, now - request.intended);
    if (seen.offered == stop_at) stop = true;
  }
  void OnOffered(MonotonicTime now) override {
    ++turns;
    longest_turn = std::max(longest_turn, now - last_turn_);
    last_turn_ = now;
    if (turns == busy_at) executor_.Advance(busy);
  }
  void EndPhase(size_t phase, MonotonicTime now) override {
    EXPECT_TRUE(running_);
    EXPECT_EQ(phase + 1, phases.size());
    running_ = false;
    phases.back().ended = now;
  }
  bool stopped() const override { return stop; }

  // In which turn the thread does other things, and for how long.
  uint64_t busy_at = 0;
  absl::Duration busy;
  uint64_t stop_at = 0;  // which request of a phase
  bool stop = false;

  std::vector<Seen> phases;
  uint64_t turns = 0;
  absl::Duration latest;
  absl::Duration longest_turn;

 private:
  VirtualTimeExecutor& executor_;
  bool running_ = false;
  MonotonicTime last_turn_;
};

class PacerTest : public ::testing::Test {
 protected:
  absl::Status Run(const std::vector<Phase>& phases) {
    return executor_->Run(PaceAll(phases));
  }
  Task<absl::Status> PaceAll(const std::vector<Phase>& phases) {
    return Pace(phases, Arrivals(phases, ArrivalKind::kUniform, /*seed=*/1),
                executor_.Now(), load_);
  }

  VirtualTimeExecutor executor_;
  CountingLoad load_{executor_};
  const MonotonicTime begin_ = executor_.Now();
};

TEST_F(PacerTest, OffersEveryRequestWhenItIsDue) {
  EXPECT_EQ(Run({Phase(1'000, absl::Seconds(10))}), absl::OkStatus());
  ASSERT_EQ(load_.phases.size(), 1u);
  EXPECT_EQ(load_.phases[0].offered, 10'000u);
  EXPECT_EQ(load_.latest, absl::ZeroDuration());
  EXPECT_EQ(load_.phases[0].first, begin_);
  EXPECT_EQ(load_.phases[0].last, begin_ + absl::Milliseconds(9'999));
  EXPECT_EQ(executor_.Now() - begin_, absl::Seconds(10));
}

TEST_F(PacerTest, DoesNotDriftInAnHour) {
  EXPECT_EQ(Run({Phase(7, absl::Hours(1))}), absl::OkStatus());
  EXPECT_EQ(load_.phases[0].offered, 7u * 3'600u);
  // The last one is a seventh of a second before the end, rounded down.
  EXPECT_EQ(load_.phases[0].last,
            begin_ + absl::Nanoseconds(3'599'857'142'857));
  EXPECT_EQ(executor_.Now() - begin_, absl::Hours(1));
}

TEST_F(PacerTest, PhasesFollowEachOtherWithoutAGap) {
  EXPECT_EQ(
      Run({Phase(100, absl::Seconds(1)), Phase(3, absl::Milliseconds(500)),
           Phase(1'000, absl::Seconds(2))}),
      absl::OkStatus());
  ASSERT_EQ(load_.phases.size(), 3u);
  const uint64_t counts[] = {100, 2, 2'000};
  const absl::Duration ends[] = {absl::Seconds(1), absl::Milliseconds(1'500),
                                 absl::Milliseconds(3'500)};
  for (size_t i = 0; i < 3; ++i) {
    const CountingLoad::Seen& seen = load_.phases[i];
    const absl::Duration began = i == 0 ? absl::ZeroDuration() : ends[i - 1];
    EXPECT_EQ(seen.offered, counts[i]);
    EXPECT_EQ(seen.began - begin_, began);
    EXPECT_EQ(seen.ended - begin_, ends[i]);
    EXPECT_EQ(seen.first, seen.began);
    EXPECT_LT(seen.last, seen.ended);
  }
}

TEST_F(PacerTest, OffersAllThatIsDueInOneTurn) {
  // Faster than any timer: a thread that is busy for 20 ms in every turn.
  load_.busy_at = 1;
  load_.busy = absl::Milliseconds(20);
  EXPECT_EQ(Run({Phase(1'000'000, absl::Milliseconds(20)),
                 Phase(10, absl::Seconds(1))}),
            absl::OkStatus());
  EXPECT_EQ(load_.phases[0].offered, 20'000u);
  EXPECT_EQ(load_.phases[1].offered, 10u);
  EXPECT_EQ(load_.latest, absl::Nanoseconds(20'000'000 - 1'000));
  EXPECT_LT(load_.turns, 50u);
}

TEST_F(PacerTest, APhaseThatWasSleptThroughIsMadeUpFor) {
  load_.busy_at = 1;
  load_.busy = absl::Seconds(3);
  EXPECT_EQ(Run({Phase(10, absl::Seconds(1)), Phase(20, absl::Seconds(1)),
                 Phase(30, absl::Seconds(2))}),
            absl::OkStatus());
  ASSERT_EQ(load_.phases.size(), 3u);
  EXPECT_EQ(load_.phases[0].offered, 10u);
  EXPECT_EQ(load_.phases[1].offered, 20u);
  EXPECT_EQ(load_.phases[2].offered, 60u);
  EXPECT_EQ(executor_.Now() - begin_, absl::Seconds(4));
}

TEST_F(PacerTest, LooksAroundAlthoughNothingIsDue) {
  EXPECT_EQ(Run({Phase(1, absl::Seconds(5))}), absl::OkStatus());
  EXPECT_EQ(load_.longest_turn, absl::Milliseconds(50));
}

TEST_F(PacerTest, EndsThePhaseWhenItIsStopped) {
  load_.stop_at = 10;
  EXPECT_EQ(Run({Phase(100, absl::Seconds(1)), Phase(100, absl::Seconds(1))}),
            absl::OkStatus());
  ASSERT_EQ(load_.phases.size(), 1u);
  EXPECT_EQ(load_.phases[0].offered, 10u);
  // The tenth was due after 90 ms; the turn of the next one ends the phase.
  EXPECT_EQ(load_.phases[0].ended - begin_, absl::Milliseconds(100));
}

TEST_F(PacerTest, BeginsNoPhaseIfItIsStoppedBefore) {
  load_.stop = true;
  EXPECT_EQ(Run({Phase(100, absl::Seconds(1))}), absl::OkStatus());
  EXPECT_TRUE(load_.phases.empty());
}

TEST_F(PacerTest, EndsThePhaseWhenItIsCancelled) {
  JoinHandle<absl::Status> pacing =
      executor_->Spawn(PaceAll({Phase(100, absl::Seconds(9))}));
  const auto cancel = [&]() -> Task<absl::Status> {
    static_cast<void>(co_await Sleep(absl::Milliseconds(1'005)));
    pacing.Cancel();
    co_return co_await pacing;
  };
  EXPECT_TRUE(absl::IsCancelled(executor_->Run(cancel())));
  ASSERT_EQ(load_.phases.size(), 1u);
  EXPECT_EQ(load_.phases[0].offered, 101u);
  EXPECT_EQ(load_.phases[0].ended - begin_, absl::Milliseconds(1'005));
}

}  // namespace
}  // namespace ringway::loadgen
