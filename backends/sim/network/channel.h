// SPDX-License-Identifier: Apache-2.0
//
// Channel: one direction of a stream - the bytes between the sender's call and
// the receiver's.
//
// It holds a bounded number of bytes, each of which arrives at a time of its
// own, in order, and at last possibly an end.

#ifndef RINGWAY_BACKENDS_SIM_NETWORK_CHANNEL_H_
#define RINGWAY_BACKENDS_SIM_NETWORK_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "ringway/backends/sim/environment/buffers.h"
#include "ringway/backends/sim/network/byte_queue.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::sim {

class Channel {
 public:
  explicit Channel(size_t capacity) : capacity_(capacity) {}

  void set_capacity(size_t n_bytes) { capacity_ = n_bytes; }
  size_t room() const {
    return bytes_.size() < capacity_ ? capacity_ - bytes_.size() : 0;
  }
  bool full() const { return room() == 0; }
  // Nothing is in it, neither arrived nor on the way.
  bool empty() const { return bytes_.empty(); }

  // Puts what fits of `from` on the way. Returns how much that was.
  size_t Send(Buffers& from, MonotonicTime now, MonotonicTime arrival);
  // Nothing comes after this.
  void SendEnd(MonotonicTime arrival);
  bool end_sent() const { return end_sent_; }

  // What is held up (arrival Infinite) arrives at `arrival` after all.
  void Release(MonotonicTime arrival);

  // When what is sent last arrives.
  MonotonicTime last_arrival() const { return last_arrival_; }

  // --- The receiver's side.

  size_t Arrived(MonotonicTime now);
  // The end has arrived and everything before it was taken.
  bool AtEnd(MonotonicTime now) const {
    return end_sent_ && bytes_.empty() && end_arrival_ <= now;
  }
  bool EndArrived(MonotonicTime now) const {
    return end_sent_ && end_arrival_ <= now;
  }
  // Takes what has arrived, or only looks at it.
  size_t Receive(Buffers& to, MonotonicTime now, bool peek);

 private:
  struct Segment {
    size_t n_bytes;
    MonotonicTime arrival;
  };

  size_t capacity_;
  ByteQueue bytes_;
  size_t arrived_ = 0;              // the first of bytes_
  std::deque<Segment> on_the_way_;  // the others
  MonotonicTime last_arrival_;
  bool end_sent_ = false;
  MonotonicTime end_arrival_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_CHANNEL_H_
