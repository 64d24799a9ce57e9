// SPDX-License-Identifier: Apache-2.0
//
// ReceivedBuffer: bytes that arrived in one of the backend's receive buffers,
// lent until it is dropped. ReceiveConsumer: takes several of them.

#ifndef RINGWAY_NET_RECEIVED_BUFFER_H_
#define RINGWAY_NET_RECEIVED_BUFFER_H_

#include "ringway/executor/loop/lent_buffer.h"

namespace ringway::net {

// Empty: what a receive at the end of the stream gives.
using ReceivedBuffer = LentBuffer;

// Takes what arrives until it has enough, without the task continuing in
// between. See TcpStream::ReceiveUntil().
class ReceiveConsumer {
 public:
  // Takes the next bytes, empty at the end of the stream. True if that is
  // enough: the wait is over. Runs on the loop's thread, in the task that waits
  // or between tasks; must not throw, and must not use the stream.
  virtual bool Take(ReceivedBuffer bytes) noexcept = 0;

 protected:
  ~ReceiveConsumer() = default;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_RECEIVED_BUFFER_H_
