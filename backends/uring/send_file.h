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
#include <memory>
#include <vector>

#include "backends/operation.h"

namespace ringway::uring {

class SendFile {
 public:
  // What one operation moves at most: short counts are sendfile's custom.
  static constexpr uint32_t kBufferBytes = 64 * 1024;

  // Writes the next step of `op` to `sqe`.
  void PrepareEntry(Operation& op, io_uring_sqe& sqe);

  // Takes the result of a step. True if there is another one; else `result` is
  // the operation's.
  bool Advance(Operation& op, int32_t result);

  // Takes the buffer back from `op`, which has ended.
  void End(Operation& op);

 private:
  // The buffer of an operation is its `address`; the bytes in it its `offset`.
  std::byte* TakeBuffer();

  std::vector<std::unique_ptr<std::byte[]>> free_;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_SEND_FILE_H_
