// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/send_file.h"

#include <sys/socket.h>

#include <algorithm>
#include <new>
#include <utility>

namespace ringway::uring {

SendFile::~SendFile() {
  while (first_idle_ != nullptr) FreeOne();
}

bool SendFile::Begin(Operation& op) {
  if (op.backend.memory != nullptr) return true;
  if (first_idle_ != nullptr) {
    op.backend.memory = std::exchange(first_idle_, first_idle_->next);
    --idle_;
  } else {
    op.backend.memory = operator new(kBufferBytes, std::nothrow);
    if (op.backend.memory == nullptr) return false;
  }
  ++in_use_;
  return true;
}

void SendFile::PrepareEntry(Operation& op, io_uring_sqe& sqe) {
  if (op.backend.progress == 0) {
    io_uring_prep_read(&sqe, op.fd2, op.backend.memory,
                       std::min(op.length, kBufferBytes),
                       static_cast<uint64_t>(op.offset2));
  } else {
    // Bytes that were read but not sent are read again by the next operation,
    // according to its offset.
    io_uring_prep_send(&sqe, op.fd, op.backend.memory, op.backend.progress,
                       static_cast<int>(op.flags));
  }
  sqe.user_data = reinterpret_cast<uintptr_t>(&op);
}

bool SendFile::Advance(Operation& op, int32_t result) {
  const bool was_read = op.backend.progress == 0;
  if (!was_read || result <= 0) return false;
  op.backend.progress = static_cast<uint32_t>(result);
  return true;
}

void SendFile::End(Operation& op) {
  if (op.backend.memory == nullptr) return;
  first_idle_ =
      new (std::exchange(op.backend.memory, nullptr)) IdleBuffer{first_idle_};
  ++idle_;
  --in_use_;
  while (idle_ > std::max(kIdleBuffers, in_use_)) FreeOne();
}

void SendFile::FreeOne() {
  IdleBuffer* buffer = std::exchange(first_idle_, first_idle_->next);
  --idle_;
  operator delete(buffer);
}

}  // namespace ringway::uring
