// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/file_position.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>

#include "ringway/backends/common/transfer.h"

namespace ringway {

void NotePosition(Operation& op) {
  op.backend.position = lseek(op.fd, 0, SEEK_CUR);  // -1: it has none
}

void AdvancePosition(const Operation& op, int32_t result) {
  if (result <= 0 || static_cast<size_t>(result) >= TransferLength(op)) return;
  const int64_t before = op.backend.position;
  if (before < 0) return;
  if (lseek(op.fd, 0, SEEK_CUR) != before) return;  // the kernel has done it
  const bool appends =
      (fcntl(op.fd, F_GETFL) & O_APPEND) != 0 &&
      (op.opcode == OpCode::kWrite || op.opcode == OpCode::kWritev);
  static_cast<void>(appends ? lseek(op.fd, 0, SEEK_END)
                            : lseek(op.fd, before + result, SEEK_SET));
}

}  // namespace ringway
