// SPDX-License-Identifier: Apache-2.0
//
// AcceptWait: the base of the awaitables that accept a connection.

#ifndef RINGWAY_NET_LISTENING_ACCEPT_WAIT_H_
#define RINGWAY_NET_LISTENING_ACCEPT_WAIT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/wait.h"

namespace ringway::net::internal {

class ListenerCore;

// What it gives its task is the derived class's to make of the accepted socket.
class AcceptWait : public ringway::internal::QueuedWait<AcceptWait> {
 protected:
  // `core` is null for a closed listener. `handle`: "a TcpListener".
  AcceptWait(ListenerCore* core, const char* handle);

  // The socket that was accepted, or why none was. Once.
  absl::StatusOr<SocketFd> TakeAccepted();

 private:
  friend class ringway::internal::Wait<AcceptWait>;
  friend class ringway::internal::QueuedWait<AcceptWait>;
  friend class ringway::internal::WaitLine<AcceptWait>;
  friend class ListenerCore;
  using WaitEnd = ringway::internal::WaitEnd;
  static constexpr char kOwner[] = "a listener";

  WaitEnd Admit();
  WaitEnd Begin();
  static std::string Describe(const Suspension& suspension);
  // The fd that was accepted, or -errno.
  void SetResult(int32_t result);

  ListenerCore* const core_;
  const Unusable unusable_;
  SocketFd accepted_;
  int32_t error_ = 0;  // -errno, if none was accepted
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_LISTENING_ACCEPT_WAIT_H_
