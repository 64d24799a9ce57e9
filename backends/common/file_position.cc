// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/file_position.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstddef>
#include <span>

#include "ringway/backends/prepare.h"

namespace ringway {
namespace {

bool IsVectored(const Operation& op) {
  return op.opcode == OpCode::kReadv || op.opcode == OpCode::kWritev;
}

bool IsTransfer(const Operation& op) {
  return op.opcode == OpCode::kRead || op.opcode == OpCode::kWrite ||
         IsVectored(op);
}

size_t LengthOf(const Operation& op) {
  if (!IsVectored(op)) return op.length;
  size_t n_bytes = 0;
  const std::span parts(static_cast<const iovec*>(op.address), op.length);
  for (const iovec& part : parts) n_bytes += part.iov_len;
  return n_bytes;
}

}  // namespace

int NotePosition(Operation& op) {
  if (!IsTransfer(op) || op.offset != kCurrentPosition) return 0;
  op.backend.position = lseek(op.fd, 0, SEEK_CUR);  // -1: it has none
  return 1;
}

void AdvancePosition(const Operation& op, int32_t result) {
  const int64_t before = op.backend.position;
  if (before < 0 || result <= 0 || static_cast<size_t>(result) >= LengthOf(op))
    return;
  if (lseek(op.fd, 0, SEEK_CUR) != before) return;  // the kernel has done it
  const bool appends =
      (fcntl(op.fd, F_GETFL) & O_APPEND) != 0 &&
      (op.opcode == OpCode::kWrite || op.opcode == OpCode::kWritev);
  static_cast<void>(appends ? lseek(op.fd, 0, SEEK_END)
                            : lseek(op.fd, before + result, SEEK_SET));
}

}  // namespace ringway
