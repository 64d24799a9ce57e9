// SPDX-License-Identifier: Apache-2.0
//
// sendfile(2) on io_uring, which has no such opcode: a read from the file
// into an internal buffer, then a send of it.
//
// Two splices through a pipe would save the copy, but io_uring runs every
// splice on a kernel thread, which a slow peer would block: one thread for
// each slow peer. Read and send need none.

#ifndef RINGWAY_BACKENDS_URING_SEND_FILE_H_
#define RINGWAY_BACKENDS_URING_SEND_FILE_H_

#include <liburing.h>

#include <cstddef>
#include <cstdint>

#include "ringway/backends/operation.h"

namespace ringway::uring {

class SendFile {
 public:
  // The most that one operation moves; sendfile may return short counts.
  static constexpr uint32_t kBufferBytes = 64 * 1024;
  // The number of unused buffers kept, plus as many as are in use, for
  // transfers that continue with their next piece.
  static constexpr size_t kIdleBuffers = 16;

  SendFile() = default;
  SendFile(const SendFile&) = delete;
  SendFile& operator=(const SendFile&) = delete;
  ~SendFile();

  // Assigns a buffer to `op` if it has none. False if there is no memory for
  // one.
  [[nodiscard]] bool Begin(Operation& op);

  // Writes the next step of `op`, which has begun, to `sqe`.
  void PrepareEntry(Operation& op, io_uring_sqe& sqe);

  // Handles the result of a step. True if another step follows; otherwise
  // `result` is the operation's result.
  bool Advance(Operation& op, int32_t result);

  // Takes back the buffer of `op`, which has ended, if it had begun.
  void End(Operation& op);

  size_t idle() const { return idle_; }

 private:
  // An operation's buffer is its BackendState::memory, with `progress` bytes.
  // The start of an idle buffer.
  struct IdleBuffer {
    IdleBuffer* next;
  };

  void FreeOne();

  IdleBuffer* first_idle_ = nullptr;
  size_t idle_ = 0;
  size_t in_use_ = 0;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_SEND_FILE_H_
