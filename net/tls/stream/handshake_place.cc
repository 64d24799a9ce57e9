// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/stream/handshake_place.h"

namespace ringway::net::internal {

HandshakePlace::HandshakePlace(HandshakePlaces& places, size_t limit)
    : places_(places) {
  if (places_.taken_ >= limit) {
    HandshakePlace* longest = places_.waiting_.PopFront();
    if (longest == nullptr) return;
    longest->Release();
    longest->displaced_ = true;
    longest->End();
  }
  taken_ = true;
  ++places_.taken_;
}

void HandshakePlace::Wait(bool anew) {
  if (!taken_) return;
  if (anew) StopWaiting();
  if (!linked()) places_.waiting_.PushBack(*this);
}

void HandshakePlace::StopWaiting() {
  if (linked()) Unlink();
}

void HandshakePlace::Release() {
  StopWaiting();
  if (taken_) --places_.taken_;
  taken_ = false;
}

}  // namespace ringway::net::internal
