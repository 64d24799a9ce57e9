// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/time/timer_wheel.h"

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

MonotonicTime At(int64_t ns) { return MonotonicTime::FromNanoseconds(ns); }

std::vector<Timer*> Expire(TimerWheel& wheel, int64_t now,
                           size_t budget = SIZE_MAX) {
  IntrusiveList<Timer> fired;
  const size_t n = wheel.Expire(At(now), fired, budget);
  std::vector<Timer*> timers;
  while (Timer* timer = fired.PopFront()) timers.push_back(timer);
  EXPECT_EQ(n, timers.size());
  return timers;
}

using Timers = std::vector<Timer*>;

TEST(TimerWheel, HasNoDeadlineWhenEmpty) {
  TimerWheel wheel(At(0));

  EXPECT_TRUE(wheel.NextDeadline().is_infinite());
  EXPECT_EQ(Expire(wheel, kMax), Timers{});
}

TEST(TimerWheel, NeverFiresEarlyByEvenANanosecond) {
  for (int64_t delay = 1; delay < int64_t{1} << 61; delay = delay * 3 + 1) {
    TimerWheel wheel(At(1000));
    Timer timer;
    wheel.Arm(timer, At(1000 + delay));

    EXPECT_EQ(Expire(wheel, 1000 + delay - 1), Timers{}) << delay;
    EXPECT_TRUE(timer.armed());
    EXPECT_EQ(Expire(wheel, 1000 + delay), Timers{&timer}) << delay;
    EXPECT_FALSE(timer.armed());
  }
}

TEST(TimerWheel, FiresInDeadlineOrder) {
  TimerWheel wheel(At(0));
  // Within a tick, within a level and across levels.
  const std::vector<int64_t> deadlines = {
      5'000'000'000, 3, 2'000'000, 1, 70'000, 2, 2'000'001, 1'000'000'000'000};
  std::vector<Timer> timers(deadlines.size());
  for (size_t i = 0; i < timers.size(); ++i) {
    wheel.Arm(timers[i], At(deadlines[i]));
  }

  int64_t last = 0;
  const Timers fired = Expire(wheel, kMax - 1);
  ASSERT_EQ(fired.size(), timers.size());
  for (Timer* timer : fired) {
    EXPECT_GT(timer->deadline().nanoseconds(), last);
    last = timer->deadline().nanoseconds();
  }
}

TEST(TimerWheel, FiresEqualDeadlinesInArmingOrder) {
  TimerWheel wheel(At(0));
  Timer early, first, second, third, overtaken;
  const MonotonicTime deadline = At(3'000'000'000);
  wheel.Arm(first, deadline);
  wheel.Arm(early, At(2'999'990'000));
  wheel.Arm(overtaken, deadline);
  wheel.Arm(second, deadline);
  // The rest meet `first` on a lower level than the one it was armed on.
  EXPECT_EQ(Expire(wheel, 2'999'999'000), Timers{&early});
  wheel.Arm(overtaken, deadline);
  wheel.Arm(third, deadline);

  EXPECT_EQ(Expire(wheel, deadline.nanoseconds()),
            (Timers{&first, &second, &overtaken, &third}));
}

TEST(TimerWheel, FiresADeadlineInThePastAtTheNextExpire) {
  TimerWheel wheel(At(1'000'000));
  Timer past, present, negative;
  wheel.Arm(present, At(1'000'000));
  wheel.Arm(past, At(5));
  wheel.Arm(negative, At(-5));

  EXPECT_EQ(wheel.NextDeadline(), At(-5));
  EXPECT_EQ(Expire(wheel, 1'000'000), (Timers{&negative, &past, &present}));
}

TEST(TimerWheel, AcceptsTheExtremesOfInt64) {
  for (const int64_t start : {kMin, int64_t{-1}, int64_t{0}, kMax - 1}) {
    SCOPED_TRACE(start);
    TimerWheel wheel(At(start));
    Timer earliest, latest, infinite;
    wheel.Arm(infinite, MonotonicTime::Infinite());
    wheel.Arm(latest, At(kMax - 1));
    wheel.Arm(earliest, At(kMin));

    EXPECT_EQ(wheel.NextDeadline(), At(kMin));
    EXPECT_EQ(Expire(wheel, kMax - 2), Timers{&earliest});
    EXPECT_EQ(wheel.NextDeadline(), At(kMax - 1));
    EXPECT_EQ(Expire(wheel, kMax - 1), Timers{&latest});
    EXPECT_TRUE(wheel.Disarm(infinite));
  }
}

TEST(TimerWheel, NeverFiresAnInfiniteDeadline) {
  TimerWheel wheel(At(0));
  Timer timer;
  wheel.Arm(timer, MonotonicTime::Infinite());

  EXPECT_TRUE(wheel.NextDeadline().is_infinite());
  EXPECT_EQ(Expire(wheel, kMax), Timers{});
  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_TRUE(wheel.Disarm(timer));
}

TEST(TimerWheel, WakesOnceForALoneTimer) {
  TimerWheel wheel(At(123'456'789));
  Timer timer;
  wheel.Arm(timer, At(2'123'456'789));

  EXPECT_EQ(wheel.NextDeadline(), At(2'123'456'789));
  EXPECT_EQ(Expire(wheel, wheel.NextDeadline().nanoseconds()), Timers{&timer});
}

TEST(TimerWheel, NamesTheExactNextDeadlineAsTimersFire) {
  TimerWheel wheel(At(0));
  std::mt19937_64 random(1);
  std::map<int64_t, std::unique_ptr<Timer>> model;
  for (int i = 0; i < 1000; ++i) {
    const int64_t deadline = static_cast<int64_t>(random() >> (8 + i % 48));
    auto& timer = model[deadline];
    if (timer == nullptr) timer = std::make_unique<Timer>();
    wheel.Arm(*timer, At(deadline));
  }

  while (!model.empty()) {
    const auto next = model.begin();
    ASSERT_EQ(wheel.NextDeadline(), At(next->first));
    ASSERT_EQ(Expire(wheel, next->first), Timers{next->second.get()});
    model.erase(next);
  }
}

TEST(TimerWheel, DisarmedTimerDoesNotFire) {
  TimerWheel wheel(At(0));
  Timer timer;
  wheel.Arm(timer, At(5'000'000));

  EXPECT_TRUE(wheel.Disarm(timer));
  EXPECT_FALSE(wheel.Disarm(timer));

  EXPECT_EQ(wheel.size(), 0u);
  EXPECT_TRUE(wheel.NextDeadline().is_infinite()) << "its slot is empty";
  EXPECT_EQ(Expire(wheel, 6'000'000), Timers{});
}

TEST(TimerWheel, NextDeadlineAfterDisarmIsNeverLateAndBecomesExact) {
  TimerWheel wheel(At(0));
  Timer sooner, later;
  wheel.Arm(sooner, At(10'000'000'000));
  wheel.Arm(later, At(10'000'500'000));
  wheel.Disarm(sooner);

  EXPECT_LE(wheel.NextDeadline(), later.deadline());
  EXPECT_EQ(Expire(wheel, wheel.NextDeadline().nanoseconds()), Timers{});
  EXPECT_EQ(wheel.NextDeadline(), later.deadline());
  wheel.Disarm(later);
}

TEST(TimerWheel, ArmingAnArmedTimerMovesIt) {
  TimerWheel wheel(At(0));
  Timer timer;
  wheel.Arm(timer, At(1000));
  wheel.Arm(timer, At(9000));

  EXPECT_EQ(wheel.size(), 1u);
  EXPECT_EQ(Expire(wheel, 8999), Timers{});
  EXPECT_EQ(Expire(wheel, 9000), Timers{&timer});
}

TEST(TimerWheel, ArmingWhileFiredCallsBackOncePerArming) {
  TimerWheel wheel(At(0));
  Timer first, second;
  wheel.Arm(first, At(1000));
  wheel.Arm(second, At(1000));
  IntrusiveList<Timer> fired;
  wheel.Expire(At(1000), fired);

  // What a callback of `first` might do.
  EXPECT_EQ(fired.PopFront(), &first);
  wheel.Arm(first, At(2000));
  wheel.Arm(second, At(3000));

  EXPECT_TRUE(fired.empty()) << "the firing of `second` was taken back";
  EXPECT_EQ(wheel.size(), 2u);
  EXPECT_EQ(Expire(wheel, 3000), (Timers{&first, &second}));
}

TEST(TimerWheel, DisarmTakesBackAFiringThatWasNotDelivered) {
  TimerWheel wheel(At(0));
  Timer timer;
  wheel.Arm(timer, At(1000));
  IntrusiveList<Timer> fired;
  wheel.Expire(At(1000), fired);

  EXPECT_TRUE(timer.armed());
  EXPECT_TRUE(wheel.Disarm(timer));
  EXPECT_TRUE(fired.empty());
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, StopsAtTheBudgetAndGoesOnInOrder) {
  TimerWheel wheel(At(0));
  std::vector<Timer> timers(100);
  for (size_t i = 0; i < timers.size(); ++i) {
    // Neighbours share a tick, others a slot.
    wheel.Arm(timers[i], At(1'000'000 + static_cast<int64_t>(i) * 300));
  }

  for (size_t i = 0; i < timers.size(); i += 10) {
    EXPECT_EQ(wheel.NextDeadline(), timers[i].deadline());
    const Timers fired = Expire(wheel, 2'000'000, /*budget=*/10);
    ASSERT_EQ(fired.size(), 10u);
    for (size_t j = 0; j < 10; ++j) EXPECT_EQ(fired[j], &timers[i + j]);
  }
  EXPECT_EQ(Expire(wheel, 2'000'000), Timers{});
}

TEST(TimerWheel, FiresNothingWhenTheClockStandsStillOrStepsBack) {
  TimerWheel wheel(At(0));
  Timer timer;
  Expire(wheel, 5'000'000);
  wheel.Arm(timer, At(5'000'100));

  EXPECT_EQ(Expire(wheel, 5'000'000), Timers{});
  EXPECT_EQ(Expire(wheel, 4'000'000), Timers{});
  EXPECT_EQ(Expire(wheel, 5'000'100), Timers{&timer});
}

TEST(TimerWheel, FiresAllInOrderAfterALongStop) {
  TimerWheel wheel(At(0));
  std::vector<Timer> timers(50'000);
  std::mt19937_64 random(1);
  for (Timer& timer : timers) wheel.Arm(timer, At(random() % 100'000'000));

  const Timers fired = Expire(wheel, 5'000'000'000);

  ASSERT_EQ(fired.size(), timers.size());
  for (size_t i = 1; i < fired.size(); ++i) {
    ASSERT_TRUE(fired[i - 1]->FiresBefore(*fired[i]));
  }
}

TEST(TimerWheelDeathTest, AbortsWhenAnArmedTimerIsDestroyed) {
  auto destroy_armed = [] {
    TimerWheel wheel(At(0));
    Timer timer;
    wheel.Arm(timer, At(1));
  };
  EXPECT_DEATH(destroy_armed(), "a timer was destroyed while armed");
}

TEST(TimerWheelDeathTest, AbortsWhenDestroyedWithArmedTimers) {
  auto destroy_wheel = [] {
    Timer timer;
    TimerWheel wheel(At(0));
    wheel.Arm(timer, At(1));
  };
  EXPECT_DEATH(destroy_wheel(), "destroyed with elements");
}

// The wheel and a std::multimap side by side. A multimap keeps equal keys in
// the order of insertion, which is the order of arming.
class Model {
 public:
  explicit Model(uint32_t seed)
      : random_(seed),
        now_(Random() % 3 == 0 ? -Scaled() : Scaled()),
        wheel_(At(now_)),
        timers_(1 + Random() % 200) {}

  ~Model() {
    for (Timer& timer : timers_) wheel_.Disarm(timer);
  }

  void Step() {
    Timer& timer = timers_[Random() % timers_.size()];
    switch (Random() % 8) {
      case 0:
      case 1:
      case 2:
      case 3:
        Arm(timer);
        break;
      case 4:
        ASSERT_EQ(wheel_.Disarm(timer), Forget(timer));
        break;
      case 5:
        now_ += Scaled();
        break;
      case 6:  // to the nanosecond, or just before it
        now_ = std::max(now_, NextNanoseconds() - (Random() % 2 ? 0 : 1));
        break;
      default:
        Expire(Random() % 2 ? SIZE_MAX : Random() % 8);
    }
    ASSERT_EQ(wheel_.size(), model_.size());
    const MonotonicTime next = wheel_.NextDeadline();
    ASSERT_LE(next, model_.empty() ? MonotonicTime::Infinite()
                                   : model_.begin()->first);
    if (n_disarmed_ == 0 && !model_.empty()) {
      ASSERT_EQ(next, model_.begin()->first);
    }
  }

 private:
  using Entries = std::multimap<MonotonicTime, Timer*>;

  uint64_t Random() { return random_(); }
  // Of any magnitude up to some days, so that all levels see traffic.
  int64_t Scaled() {
    return static_cast<int64_t>(Random() >> Random() % 50) &
           ((int64_t{1} << (Random() % 49)) - 1);
  }

  int64_t NextNanoseconds() {
    return model_.empty() || model_.begin()->first.is_infinite()
               ? now_
               : model_.begin()->first.nanoseconds();
  }

  bool Forget(Timer& timer) {
    for (auto it = model_.begin(); it != model_.end(); ++it) {
      if (it->second != &timer) continue;
      model_.erase(it);
      ++n_disarmed_;
      return true;
    }
    return false;
  }

  void Arm(Timer& timer) {
    Forget(timer);
    MonotonicTime deadline = At(now_ + Scaled());
    if (Random() % 8 == 0) deadline = At(now_ - Scaled());
    if (Random() % 8 == 0 && !model_.empty()) deadline = model_.rbegin()->first;
    if (Random() % 64 == 0) deadline = MonotonicTime::Infinite();
    wheel_.Arm(timer, deadline);
    model_.emplace(deadline, &timer);
  }

  void Expire(size_t budget) {
    IntrusiveList<Timer> fired;
    const size_t n = wheel_.Expire(At(now_), fired, budget);
    size_t n_seen = 0;
    while (Timer* timer = fired.PopFront()) {
      ++n_seen;
      EXPECT_FALSE(model_.empty());
      if (model_.empty()) continue;
      EXPECT_LE(timer->deadline(), At(now_));
      EXPECT_EQ(timer, model_.begin()->second);
      model_.erase(model_.begin());
    }
    ASSERT_EQ(n, n_seen);
    ASSERT_LE(n, budget);
    if (n < budget && !model_.empty()) {
      ASSERT_GT(model_.begin()->first, At(now_));
    }
    if (model_.empty()) n_disarmed_ = 0;
  }

  std::mt19937_64 random_;
  int64_t now_;
  TimerWheel wheel_;
  std::vector<Timer> timers_;
  Entries model_;
  int n_disarmed_ = 0;  // since the wheel was last known to be exact
};

TEST(TimerWheel, AgreesWithAModelUnderRandomUse) {
  for (uint32_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(seed);
    for (int step = 0; step < 1000; ++step) {
      model.Step();
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace ringway
