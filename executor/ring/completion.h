// SPDX-License-Identifier: Apache-2.0
//
// Completion: what a ring's callback is told.

#ifndef RINGWAY_EXECUTOR_RING_COMPLETION_H_
#define RINGWAY_EXECUTOR_RING_COMPLETION_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "ringway/core/containers/slab.h"
#include "ringway/executor/loop/lent_buffer.h"
#include "ringway/executor/ring/payload.h"

namespace ringway {

// Names one task of a ring, for ever: once the task has ended it finds nothing,
// never the next task in the same place. The default names none.
using RingTask = SlabKey;

// Bytes that a multishot receive has delivered, in a buffer of the backend that
// goes back when this is destroyed: on the ring's thread (checked), or after
// the ring has ended, which takes the bytes back: reading them then aborts.
using ReceivedData = LentBuffer;

// One thing that became of a task. A task has exactly one completion that is
// final; multishot operations have any number of others before it.
struct Completion {
  bool ok() const { return result >= 0; }

  // OK, or why not: "recv: Connection reset by peer". Cancelled and
  // DeadlineExceeded have no text and cost nothing.
  absl::Status status() const;

  // Whose; it names nothing any more when this is the final one.
  RingTask task;
  const char* operation = "";  // "recv", "timer", "message", ...

  // What the system call would have returned, or -errno. -ETIME: the task's
  // deadline has passed; -ECANCELED: it was cancelled.
  int32_t result = 0;

  // False for the deliveries of a multishot operation, and for messages that
  // arrive: more may come.
  bool is_final = true;

  // Deliveries of multishot receives. Move it out to keep it.
  ReceivedData data;

  // Who has connected or sent: of an accept or a recvmsg that was given room
  // for it, and of a datagram. Valid during the callback; null: unknown.
  const sockaddr* address = nullptr;
  // Of a recvmsg: control data, and flags such as MSG_TRUNC.
  std::span<const std::byte> control;
  uint32_t message_flags = 0;

  // What a message carries when it arrives, and what comes back of one that
  // has not arrived. Move out of it to keep it; null for everything else.
  MessagePayload* payload = nullptr;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_COMPLETION_H_
