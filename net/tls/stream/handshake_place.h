// SPDX-License-Identifier: Apache-2.0
//
// HandshakePlace: a server's handshake among those in progress on its worker,
// whose number is limited. When all places are taken, a new handshake gets that
// of the one that has waited longest for its peer. So peers that stop half-way,
// however many, keep nobody out: one that goes on is never the longest.

#ifndef RINGWAY_NET_TLS_STREAM_HANDSHAKE_PLACE_H_
#define RINGWAY_NET_TLS_STREAM_HANDSHAKE_PLACE_H_

#include <cstddef>

#include "ringway/core/containers/intrusive_list.h"

namespace ringway::net::internal {

class HandshakePlace;

// Those of one worker.
class HandshakePlaces {
 public:
  size_t taken() const { return taken_; }

 private:
  friend class HandshakePlace;

  size_t taken_ = 0;
  IntrusiveList<HandshakePlace> waiting_;  // the longest first
};

class HandshakePlace : public ListNode {
 public:
  // Takes a place if fewer than `limit` are taken, or one of them can be had.
  HandshakePlace(HandshakePlaces& places, size_t limit);

  // Otherwise there was none for it.
  bool taken() const { return taken_; }
  // It had one, and was ended for another handshake.
  bool displaced() const { return displaced_; }

  // From now on it waits for its peer. `anew`: for another flight than before.
  void Wait(bool anew);
  // It waits for something else, and keeps its place.
  void StopWaiting();

 protected:
  ~HandshakePlace() { Release(); }

 private:
  // Ends the handshake, whose task waits.
  virtual void End() = 0;
  void Release();

  HandshakePlaces& places_;
  bool taken_ = false;
  bool displaced_ = false;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_HANDSHAKE_PLACE_H_
