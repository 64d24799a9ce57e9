// SPDX-License-Identifier: Apache-2.0
//
// Completion: the argument of a ring's callback.

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

// Identifies a task of a ring. Once the task has ended it finds nothing,
// never a later task in the same slot. The default identifies none.
using RingTask = SlabKey;

// Bytes delivered by a multishot receive, in a buffer of the backend that the
// destructor returns. Must be destroyed on the ring's thread (checked) or
// after the ring's end, which reclaims the bytes; accessing them afterwards
// aborts.
using ReceivedData = LentBuffer;

// An event of a task. A task has exactly one final completion; multishot
// operations have any number of others before it.
struct Completion {
  bool ok() const { return result >= 0; }

  // OK or the error: "recv: Connection reset by peer", "recv: the deadline
  // passed". Cancelled has no text and costs nothing.
  absl::Status status() const;

  // The task; stale if this is the final completion.
  RingTask task;
  const char* operation = "";  // "recv", "timer", "message", ...

  // The system call's result, or -errno. -ETIME: the task's deadline has
  // passed; -ECANCELED: it was cancelled.
  int32_t result = 0;

  // False for the deliveries of a multishot operation and for arriving
  // messages: more may follow.
  bool is_final = true;

  // The bytes of a multishot receive's delivery. Move it out to keep them.
  ReceivedData data;

  // The peer's address, for an accept or a recvmsg with room for it, and for
  // a datagram. Valid during the callback; null if unknown.
  const sockaddr* address = nullptr;
  // For a recvmsg: control data, and flags such as MSG_TRUNC.
  std::span<const std::byte> control;
  uint32_t message_flags = 0;

  // The payload of an arriving message, or of a message that did not arrive.
  // Move from it to keep it. Null for everything else.
  MessagePayload* payload = nullptr;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_COMPLETION_H_
