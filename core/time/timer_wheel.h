// SPDX-License-Identifier: Apache-2.0
//
// TimerWheel: timers that are armed and disarmed in constant time.
//
// It reads no clock: Expire(now) removes due timers, NextDeadline() returns
// when to call it next. A timer never fires before its deadline; timers fire
// in deadline order to the nanosecond, those with equal deadlines in the
// order of arming. Kernel timeouts are not used because cancelling one scans
// a list (6 ms with 100,000 armed).
//
//   struct Sleeper : Timer { std::coroutine_handle<> task; };
//   wheel.Arm(sleeper, clock.Now() + absl::Seconds(2));
//   ...
//   IntrusiveList<Timer> fired;
//   wheel.Expire(clock.Now(), fired);
//   while (Timer* timer = fired.PopFront())
//     Wake(static_cast<Sleeper&>(*timer));
//
// How it works. Time is counted in ticks of 1.024 us; the cursor is the tick
// that the wheel has reached. A level has 64 slots, each eight times as wide
// as one of the level below, so the levels overlap: a timer goes to the
// finest level that reaches its deadline, into a slot whose width is at most
// an eighth of its distance from the cursor. When the cursor enters a slot,
// the slot's timers move two levels down; those of the cursor's own tick, or
// of an earlier one, go to the slot `current`, which is sorted before it
// fires. A timer moves at most nine times, a lone one once. Without overlap
// there would be fewer levels, but slots up to as wide as the distance:
// entering a slot with a million timers would take 80 ms instead of 13 ms.
//
// Each slot keeps its earliest deadline. This makes NextDeadline() exact, so
// that a lone timer of any length costs one wake-up.

#ifndef RINGWAY_CORE_TIME_TIMER_WHEEL_H_
#define RINGWAY_CORE_TIME_TIMER_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "ringway/core/check.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway {

// A base or member of the waiting object. Immovable; must not be armed when
// it is destroyed (checked).
class Timer : public ListNode {
 public:
  Timer() = default;
  ~Timer() { RINGWAY_CHECK(!armed(), "a timer was destroyed while armed"); }

  // Armed, or in a list of fired timers that has not been drained.
  bool armed() const { return linked(); }
  // The deadline of the last Arm().
  MonotonicTime deadline() const { return deadline_; }

  // The firing order within a wheel.
  bool FiresBefore(const Timer& other) const {
    if (deadline_ != other.deadline_) return deadline_ < other.deadline_;
    return sequence_ < other.sequence_;
  }

 private:
  friend class TimerWheel;

  MonotonicTime deadline_;
  uint64_t sequence_ = 0;  // counts the armings of the wheel
  uint32_t slot_ = 0;      // in TimerWheel::slots_, or kFired
};

// One thread at a time. Never allocates. About 26 KiB. All timers must have
// fired or been disarmed when it is destroyed (checked).
class TimerWheel {
 public:
  // `start` is the earliest time that Expire() will be called with, usually
  // the clock's current time. Earlier deadlines count as overdue.
  explicit TimerWheel(MonotonicTime start);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Arms `timer`, disarming it first if it is armed. A past deadline is due
  // at the next Expire(), an infinite one never.
  //
  // Cost: O(1).
  void Arm(Timer& timer, MonotonicTime deadline);

  // Disarms `timer`; false if it was not armed. Also removes a timer that has
  // fired and is still in the caller's list.
  //
  // Cost: O(1).
  bool Disarm(Timer& timer);
  // Disarms all timers that have not fired. Cost: O(slots + timers).
  void DisarmAll();

  // When to call Expire() next: the earliest deadline, infinite if there is
  // none. After a Disarm() it may be earlier, never later; Expire() at that
  // time then finds nothing and makes it exact again.
  MonotonicTime NextDeadline() const;

  // Moves the timers with deadline <= `now`, at most `budget` of them, to the
  // end of `fired`, in firing order. Returns their number.
  //
  // Cost: amortized O(1) per timer, plus sorting those within one microsecond.
  size_t Expire(MonotonicTime now, IntrusiveList<Timer>& fired,
                size_t budget = std::numeric_limits<size_t>::max());

  // Timers that are armed and have not fired, the infinite ones included.
  size_t size() const { return size_; }

 private:
  static constexpr int kTickBits = 10;  // a tick is 2^10 ns
  static constexpr int kLevelBits = 3;  // a slot is 8 slots of the level below
  static constexpr uint32_t kWidth = 64;  // slots per level
  // The top level covers all ticks of an int64.
  static constexpr uint32_t kLevels = (64 - kTickBits - 6) / kLevelBits + 1;
  static constexpr uint32_t kCurrent = kLevels * kWidth;
  static constexpr uint32_t kNever = kCurrent + 1;
  static constexpr uint32_t kSlots = kNever + 1;
  static constexpr uint32_t kFired = kSlots;

  struct Slot {
    IntrusiveList<Timer> timers;
    // Not later than any deadline in `timers`; unspecified if that is empty.
    MonotonicTime earliest;
  };

  static uint64_t TickOf(MonotonicTime time);
  uint32_t SlotFor(uint64_t tick) const;
  // The slot of the wheel with the earliest deadline; kSlots if all are empty.
  uint32_t FirstOccupied() const;
  void Insert(Timer& timer);
  void MarkEmpty(uint32_t slot);
  size_t FireCurrent(MonotonicTime now, IntrusiveList<Timer>& fired,
                     size_t budget);
  // Moves the cursor towards `now`, but not past a deadline; false if it did
  // not stop at one.
  bool Advance(MonotonicTime now);
  // Moves the cursor and the timers of the slots it enters. Requires that no
  // timer has an earlier tick.
  void MoveCursor(uint64_t tick);

  uint64_t cursor_;
  uint64_t next_sequence_ = 0;
  size_t size_ = 0;
  bool current_is_sorted_ = true;
  uint32_t occupied_levels_ = 0;  // a bit per level with an occupied slot
  std::array<uint64_t, kLevels> occupied_ = {};  // a bit per slot
  std::array<Slot, kSlots> slots_;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_TIME_TIMER_WHEEL_H_
