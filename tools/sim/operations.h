// SPDX-License-Identifier: Apache-2.0
//
// Awaitable file operations, and a no-op. Each returns the system call's
// result, or -errno.

#ifndef RINGWAY_TOOLS_SIM_OPERATIONS_H_
#define RINGWAY_TOOLS_SIM_OPERATIONS_H_

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/backends/prepare.h"
#include "ringway/executor/task/operation_await.h"

namespace ringway::simulation {

class [[nodiscard]] ResultOp : public OperationAwait {
 public:
  template <typename Prepare>
  explicit ResultOp(Prepare prepare) {
    prepare(*this);
  }
  int32_t await_resume() const { return result; }
};

inline ResultOp Nop() {
  return ResultOp([](Operation& op) { PrepareNop(op); });
}

inline ResultOp Close(int fd) {
  return ResultOp([=](Operation& op) { PrepareClose(op, fd); });
}

inline ResultOp Open(const char* path, int flags, mode_t mode = 0) {
  return ResultOp(
      [=](Operation& op) { PrepareOpenAt(op, AT_FDCWD, path, flags, mode); });
}
inline ResultOp Read(int fd, std::span<std::byte> buffer, int64_t offset) {
  return ResultOp([=](Operation& op) { PrepareRead(op, fd, buffer, offset); });
}
inline ResultOp Write(int fd, std::span<const std::byte> bytes,
                      int64_t offset) {
  return ResultOp([=](Operation& op) { PrepareWrite(op, fd, bytes, offset); });
}
inline ResultOp Fsync(int fd) {
  return ResultOp([=](Operation& op) { PrepareFsync(op, fd); });
}
inline ResultOp Rename(const char* from, const char* to) {
  return ResultOp(
      [=](Operation& op) { PrepareRename(op, AT_FDCWD, from, AT_FDCWD, to); });
}

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_OPERATIONS_H_
