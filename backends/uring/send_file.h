// SPDX-License-Identifier: Apache-2.0
//
// sendfile(2) on io_uring, which has no such opcode: a read from the file into
// a buffer of ours, then a send of it.
//
// Two splices through a pipe would save the copy, but io_uring runs every
// splice on a kernel thread, and one that waits for a slow peer keeps that
// thread: many slow peers, many threads. Read and send need none.

#ifndef RINGWAY_BACKENDS_URING_SEND_FILE_H_
#define RINGWAY_BACKENDS_URING_SEND_FILE_H_

#include <liburing.h>

#include <cstddef>
#include <cstdint>

#include "ringway/backends/operation.h"

namespace ringway::uring {

class SendFile {
 public:
  // What one operation moves at most: short counts are sendfile's custom.
  static constexpr uint32_t kBufferBytes = 64 * 1024;
  // Buffers kept although nothing uses them. As many as are in use are kept
  // beyond that, for transfers that go on with their next piece.
  static constexpr size_t kIdleBuffers = 16;

  SendFile() = default;
  SendFile(const SendFile&) = delete;
  SendFile& operator=(const SendFile&) = delete;
  ~SendFile();

  // Gives `op` the buffer that its entries need, if it has none. False if there
  // is no memory for one.
  [[nodiscard]] bool Begin(Operation& op);

  // Writes the next step of `op`, which has begun, to `sqe`.
  void PrepareEntry(Operation& op, io_uring_sqe& sqe);

  // Takes the result of a step. True if there is another one; else `result` is
  // the operation's.
  bool Advance(Operation& op, int32_t result);

  // Takes the buffer back from `op`, which has ended, if it had begun.
  void End(Operation& op);

  size_t idle() const { return idle_; }

 private:
  // The buffer of an operation is its BackendState::memory, and `progress` the
  // bytes in it.
  // An idle one begins with this.
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
