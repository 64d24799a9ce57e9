// SPDX-License-Identifier: Apache-2.0
//
// Channel: one direction of a stream: the bytes in flight from sender to
// receiver.
//
// It holds a bounded number of bytes, each with its arrival time, in order,
// and possibly the end of stream.

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

  size_t capacity() const { return capacity_; }
  void set_capacity(size_t n_bytes) { capacity_ = n_bytes; }
  size_t room() const {
    return bytes_.size() < capacity_ ? capacity_ - bytes_.size() : 0;
  }
  bool full() const { return room() == 0; }
  // True if it contains no bytes, neither arrived nor in flight.
  bool empty() const { return bytes_.empty(); }

  // Sends as much of `from` as fits. Returns the number of bytes.
  size_t Send(Buffers& from, MonotonicTime now, MonotonicTime arrival);
  // Sends the end of stream.
  void SendEnd(MonotonicTime arrival);
  bool end_sent() const { return end_sent_; }

  // Sets the arrival time of delayed bytes (arrival Infinite) to `arrival`.
  void Release(MonotonicTime arrival);

  // The arrival time of the bytes sent last.
  MonotonicTime last_arrival() const { return last_arrival_; }

  // --- The receiver's side.

  size_t Arrived(MonotonicTime now);
  // True if the end has arrived and all bytes before it were received.
  bool AtEnd(MonotonicTime now) const {
    return end_sent_ && bytes_.empty() && end_arrival_ <= now;
  }
  bool EndArrived(MonotonicTime now) const {
    return end_sent_ && end_arrival_ <= now;
  }
  // When the newest of the arrived bytes came: also the time of those that
  // arrived before and wait with them, as for segments that a kernel has
  // joined.
  MonotonicTime newest_arrival() const { return newest_arrival_; }
  // Receives arrived bytes, or only peeks at them.
  size_t Receive(Buffers& to, MonotonicTime now, bool peek);
  // Drops arrived bytes.
  void Drop(size_t n_bytes);

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
  MonotonicTime newest_arrival_;
  bool end_sent_ = false;
  MonotonicTime end_arrival_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_CHANNEL_H_
