// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/time/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace ringway {
namespace {

// Moves the elements of `from` into `into`; both are sorted.
void Merge(IntrusiveList<Timer>& into, IntrusiveList<Timer>& from) {
  IntrusiveList<Timer> merged;
  while (!into.empty() && !from.empty()) {
    const bool take_from = from.front()->FiresBefore(*into.front());
    merged.PushBack(*(take_from ? from : into).PopFront());
  }
  merged.Append(into);
  merged.Append(from);
  into.Append(merged);
}

// Merge sort. The i-th run is empty or holds 2^i sorted timers, so that adding
// one timer merges like adding one to a binary number carries.
void SortByFiringOrder(IntrusiveList<Timer>& timers) {
  std::array<IntrusiveList<Timer>, 48> runs;
  while (Timer* timer = timers.PopFront()) {
    IntrusiveList<Timer> carry;
    carry.PushBack(*timer);
    size_t i = 0;
    for (; !runs[i].empty(); ++i) Merge(carry, runs[i]);
    runs[i].Append(carry);
  }
  for (IntrusiveList<Timer>& run : runs) Merge(timers, run);
}

}  // namespace

TimerWheel::TimerWheel(MonotonicTime start) : cursor_(TickOf(start)) {}

void TimerWheel::Arm(Timer& timer, MonotonicTime deadline) {
  Disarm(timer);
  timer.deadline_ = deadline;
  timer.sequence_ = next_sequence_++;
  Insert(timer);
  ++size_;
}

bool TimerWheel::Disarm(Timer& timer) {
  if (!timer.armed()) return false;
  timer.Unlink();
  if (timer.slot_ == kFired) return true;
  --size_;
  if (slots_[timer.slot_].timers.empty()) MarkEmpty(timer.slot_);
  return true;
}

void TimerWheel::DisarmAll() {
  for (Slot& slot : slots_) {
    while (Timer* timer = slot.timers.front()) Disarm(*timer);
  }
}

MonotonicTime TimerWheel::NextDeadline() const {
  const Slot& current = slots_[kCurrent];
  if (!current.timers.empty()) return current.earliest;
  const uint32_t first = FirstOccupied();
  return first == kSlots ? MonotonicTime::Infinite() : slots_[first].earliest;
}

size_t TimerWheel::Expire(MonotonicTime now, IntrusiveList<Timer>& fired,
                          size_t budget) {
  size_t n = 0;
  do {
    n += FireCurrent(now, fired, budget - n);
  } while (n < budget && Advance(now));
  size_ -= n;
  return n;
}

uint64_t TimerWheel::TickOf(MonotonicTime time) {
  // With the sign bit flipped, the unsigned order equals that of the
  // instants.
  const uint64_t since_earliest =
      static_cast<uint64_t>(time.nanoseconds()) ^ (1ull << 63);
  return since_earliest >> kTickBits;
}

uint32_t TimerWheel::SlotFor(uint64_t tick) const {
  if (tick <= cursor_) return kCurrent;
  // The finest level with distance < 64 slots. Because of rounding, a timer
  // may be 64 slots ahead, in the slot of the cursor; there are no other
  // timers in it, because its earlier ones have moved down.
  const int distance_bits = std::bit_width(tick - cursor_);
  const int level =
      std::max(distance_bits - 6 + kLevelBits - 1, 0) / kLevelBits;
  return level * kWidth + (tick >> level * kLevelBits) % kWidth;
}

uint32_t TimerWheel::FirstOccupied() const {
  uint32_t first = kSlots;
  for (uint32_t rest = occupied_levels_; rest != 0; rest &= rest - 1) {
    const int level = std::countr_zero(rest);
    // The slots of a level are due in the order in which the cursor reaches
    // them.
    const uint64_t next = (cursor_ >> level * kLevelBits) + 1;
    const int ahead = std::countr_zero(
        std::rotr(occupied_[level], static_cast<int>(next % kWidth)));
    const uint32_t slot = level * kWidth + (next + ahead) % kWidth;
    if (first == kSlots || slots_[slot].earliest < slots_[first].earliest) {
      first = slot;
    }
  }
  return first;
}

void TimerWheel::Insert(Timer& timer) {
  const uint32_t index =
      timer.deadline_.is_infinite() ? kNever : SlotFor(TickOf(timer.deadline_));
  Slot& slot = slots_[index];
  const Timer* last = slot.timers.back();
  if (last == nullptr || timer.deadline_ < slot.earliest) {
    slot.earliest = timer.deadline_;
  }
  if (index < kCurrent) {
    occupied_[index / kWidth] |= 1ull << index % kWidth;
    occupied_levels_ |= 1u << index / kWidth;
  } else if (index == kCurrent) {
    current_is_sorted_ =
        last == nullptr || (current_is_sorted_ && last->FiresBefore(timer));
  }
  timer.slot_ = index;
  slot.timers.PushBack(timer);
}

void TimerWheel::MarkEmpty(uint32_t slot) {
  if (slot >= kCurrent) return;
  uint64_t& occupied = occupied_[slot / kWidth];
  occupied &= ~(1ull << slot % kWidth);
  if (occupied == 0) occupied_levels_ &= ~(1u << slot / kWidth);
}

size_t TimerWheel::FireCurrent(MonotonicTime now, IntrusiveList<Timer>& fired,
                               size_t budget) {
  Slot& current = slots_[kCurrent];
  if (current.timers.empty() || current.earliest > now) return 0;
  if (!current_is_sorted_) SortByFiringOrder(current.timers);
  current_is_sorted_ = true;
  size_t n = 0;
  for (; n < budget; ++n) {
    Timer* timer = current.timers.front();
    if (timer == nullptr || timer->deadline_ > now) break;
    timer->Unlink();
    timer->slot_ = kFired;
    fired.PushBack(*timer);
  }
  if (Timer* next = current.timers.front()) current.earliest = next->deadline_;
  return n;
}

bool TimerWheel::Advance(MonotonicTime now) {
  const uint32_t first = FirstOccupied();
  const bool due = first != kSlots && slots_[first].earliest <= now;
  // Without due timers the cursor must still advance, or timers would be
  // placed by their distance from an old tick.
  const uint64_t tick = TickOf(due ? slots_[first].earliest : now);
  if (tick > cursor_) MoveCursor(tick);
  return due;
}

void TimerWheel::MoveCursor(uint64_t tick) {
  const uint64_t changed = cursor_ ^ tick;
  cursor_ = tick;
  for (uint32_t rest = occupied_levels_; rest != 0; rest &= rest - 1) {
    const int level = std::countr_zero(rest);
    if (changed >> level * kLevelBits == 0) break;  // still in the same slots
    const uint32_t slot =
        level * kWidth + (tick >> level * kLevelBits) % kWidth;
    IntrusiveList<Timer> entered;
    entered.Append(slots_[slot].timers);
    MarkEmpty(slot);
    while (Timer* timer = entered.PopFront()) Insert(*timer);
  }
}

}  // namespace ringway
