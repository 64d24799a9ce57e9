// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/channel.h"

#include <algorithm>

namespace ringway::sim {

size_t Channel::Send(Buffers& from, MonotonicTime now, MonotonicTime arrival) {
  last_arrival_ = std::max(last_arrival_, arrival);
  size_t sent = 0;
  for (size_t left = std::min(room(), from.left()); left > 0;) {
    const std::span<std::byte> piece = from.Next(left);
    bytes_.Append(piece);
    sent += piece.size();
    left -= piece.size();
  }
  if (last_arrival_ <= now && on_the_way_.empty()) {
    arrived_ += sent;
    newest_arrival_ = now;
  } else if (sent > 0) {
    on_the_way_.push_back({sent, last_arrival_});
  }
  return sent;
}

void Channel::SendEnd(MonotonicTime arrival) {
  if (end_sent_) return;
  last_arrival_ = std::max(last_arrival_, arrival);
  end_sent_ = true;
  end_arrival_ = last_arrival_;
}

void Channel::Release(MonotonicTime arrival) {
  for (Segment& segment : on_the_way_) {
    if (segment.arrival.is_infinite()) segment.arrival = arrival;
  }
  if (end_sent_ && end_arrival_.is_infinite()) end_arrival_ = arrival;
  if (last_arrival_.is_infinite()) last_arrival_ = arrival;
}

size_t Channel::Arrived(MonotonicTime now) {
  while (!on_the_way_.empty() && on_the_way_.front().arrival <= now) {
    arrived_ += on_the_way_.front().n_bytes;
    newest_arrival_ = on_the_way_.front().arrival;
    on_the_way_.pop_front();
  }
  return arrived_;
}

size_t Channel::Receive(Buffers& to, MonotonicTime now, bool peek) {
  const size_t available = Arrived(now);
  size_t taken = 0;
  while (taken < available && to.left() > 0) {
    std::span<const std::byte> piece = bytes_.Piece(taken);
    piece = piece.first(std::min(piece.size(), available - taken));
    taken += to.Fill(piece);
  }
  if (!peek) Drop(taken);
  return taken;
}

void Channel::Drop(size_t n_bytes) {
  bytes_.Drop(n_bytes);
  arrived_ -= n_bytes;
}

}  // namespace ringway::sim
