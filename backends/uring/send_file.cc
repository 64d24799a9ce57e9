// SPDX-License-Identifier: Apache-2.0

#include "backends/uring/send_file.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace ringway::uring {

void SendFile::PrepareEntry(Operation& op, io_uring_sqe& sqe) {
  if (op.address == nullptr) op.address = TakeBuffer();
  if (op.offset == 0) {
    io_uring_prep_read(&sqe, op.fd2, op.address,
                       std::min(op.length, kBufferBytes),
                       static_cast<uint64_t>(op.offset2));
  } else {
    // What was read and not sent is read again by the next operation, whose
    // offset says so.
    io_uring_prep_send(&sqe, op.fd, op.address, static_cast<size_t>(op.offset),
                       MSG_NOSIGNAL | MSG_WAITALL);
  }
  sqe.user_data = reinterpret_cast<uintptr_t>(&op);
}

bool SendFile::Advance(Operation& op, int32_t result) {
  const bool was_read = op.offset == 0;
  if (!was_read || result <= 0) return false;
  op.offset = result;
  return true;
}

void SendFile::End(Operation& op) {
  if (op.address == nullptr) return;
  free_.emplace_back(
      static_cast<std::byte*>(std::exchange(op.address, nullptr)));
}

std::byte* SendFile::TakeBuffer() {
  if (free_.empty())
    return std::make_unique_for_overwrite<std::byte[]>(kBufferBytes).release();
  std::byte* buffer = free_.back().release();
  free_.pop_back();
  return buffer;
}

}  // namespace ringway::uring
