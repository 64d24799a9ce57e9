// SPDX-License-Identifier: Apache-2.0
//
// InFlight: what is known of the requests that were sent and have no reply, by
// their numbers. Replies may come in any order.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_IN_FLIGHT_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_IN_FLIGHT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "ringway/core/check.h"

namespace ringway::loadgen {

// A request that is never answered keeps the memory of those after it. No more
// are sent once there are this many (InFlight::span()), about 16 MiB.
inline constexpr uint64_t kMostSpan = 1 << 20;

// Requests get the numbers 0, 1, 2, ... as they are added. Memory is for as
// many as lie between the oldest and the newest one, and is kept.
template <typename T>
class InFlight {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // The number that the next one gets.
  uint64_t next() const { return next_; }
  // How many there are from the oldest one to the newest, with those between
  // them that have been taken out.
  uint64_t span() const { return next_ - first_; }

  void Add(T value) {
    if (span() == slots_.size()) Grow();
    SlotOf(next_++).emplace(std::move(value));
    ++size_;
  }

  // Takes one out; none if it has been taken out before, or not been added.
  std::optional<T> Take(uint64_t number) {
    if (number < first_ || number >= next_) return std::nullopt;
    std::optional<T> value = std::exchange(SlotOf(number), std::nullopt);
    if (!value.has_value()) return value;
    --size_;
    while (first_ < next_ && !SlotOf(first_).has_value()) ++first_;
    return value;
  }

  // Require !empty().
  uint64_t oldest_number() const { return first_; }
  const T &oldest() const {
    RINGWAY_DCHECK(!empty(), "oldest() of none");
    return *slots_[first_ & (slots_.size() - 1)];
  }
  T TakeOldest() { return *Take(first_); }

 private:
  static constexpr size_t kFirstCapacity = 8;  // all are powers of two

  std::optional<T> &SlotOf(uint64_t number) {
    return slots_[number & (slots_.size() - 1)];
  }

  void Grow() {
    std::vector<std::optional<T>> larger(slots_.empty() ? kFirstCapacity
                                                        : 2 * slots_.size());
    for (uint64_t number = first_; number < next_; ++number)
      larger[number & (larger.size() - 1)] = std::move(SlotOf(number));
    slots_.swap(larger);
  }

  std::vector<std::optional<T>> slots_;
  uint64_t first_ = 0;
  uint64_t next_ = 0;
  size_t size_ = 0;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_IN_FLIGHT_H_
