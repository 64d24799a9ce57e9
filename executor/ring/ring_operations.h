// SPDX-License-Identifier: Apache-2.0
//
// RingOperations: the base class of Ring with one method for each operation
// of the kernel.
//
// Every method queues one operation for the end of the turn and returns its
// task. The context's callback gets the outcome later, never from inside the
// call, and exactly once (for multishot operations: one final time, after
// their deliveries). The arguments are those of the Prepare function of the
// same name, documented in prepare.h; memory passed by pointer must stay
// valid until the final callback.
//
// Errors:  by callback: the errno of the system call; ResourceExhausted naming
//          RingOptions::max_tasks, where the task returned is the default one.
// Threads: the ring's only (checked).
// Cost:    no allocation once as many tasks have been active before, no system
//          call.

#ifndef RINGWAY_EXECUTOR_RING_RING_OPERATIONS_H_
#define RINGWAY_EXECUTOR_RING_RING_OPERATIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "ringway/backends/prepare.h"
#include "ringway/executor/ring/completion.h"
#include "ringway/executor/ring/context.h"

namespace ringway {

namespace internal {
class RingCore;
}

class RingOperations {
 public:
  RingTask Nop(const Context& context);

  // --- Any fd.
  RingTask Read(int fd, std::span<std::byte> buffer, const Context& context,
                int64_t offset = kCurrentPosition, uint32_t flags = 0);
  RingTask Write(int fd, std::span<const std::byte> buffer,
                 const Context& context, int64_t offset = kCurrentPosition,
                 uint32_t flags = 0);
  RingTask Readv(int fd, std::span<const iovec> buffers, const Context& context,
                 int64_t offset = kCurrentPosition);
  RingTask Writev(int fd, std::span<const iovec> buffers,
                  const Context& context, int64_t offset = kCurrentPosition);
  RingTask Close(int fd, const Context& context);
  RingTask Poll(int fd, uint32_t events, const Context& context);
  RingTask PollMultishot(int fd, uint32_t events, const Context& context);
  RingTask Splice(int from, int64_t from_offset, int to, int64_t to_offset,
                  size_t n_bytes, const Context& context, unsigned flags = 0);
  RingTask SendFile(int to, int from, int64_t offset, size_t n_bytes,
                    const Context& context);

  // --- Sockets.
  RingTask Socket(int domain, int type, int protocol, const Context& context);
  RingTask Bind(int fd, const sockaddr* address, socklen_t length,
                const Context& context);
  RingTask Listen(int fd, int backlog, const Context& context);
  // The result is the new fd. The callback must close it, also if the task was
  // cancelled.
  RingTask Accept(int fd, const Context& context, sockaddr* address = nullptr,
                  socklen_t* length = nullptr);
  RingTask AcceptMultishot(int fd, const Context& context);
  RingTask Connect(int fd, const sockaddr* address, socklen_t length,
                   const Context& context);
  RingTask Shutdown(int fd, int how, const Context& context);
  RingTask Recv(int fd, std::span<std::byte> buffer, const Context& context,
                int flags = 0);
  RingTask RecvMsg(int fd, msghdr& message, const Context& context,
                   int flags = 0);
  RingTask RecvMultishot(int fd, const Context& context);
  RingTask RecvMsgMultishot(int fd, msghdr& message, const Context& context,
                            int flags = 0);
  RingTask Send(int fd, std::span<const std::byte> buffer,
                const Context& context, int flags = 0);
  RingTask SendMsg(int fd, const msghdr& message, const Context& context,
                   int flags = 0);
  // After their final completion the memory may be changed.
  RingTask SendZeroCopy(int fd, std::span<const std::byte> buffer,
                        const Context& context, int flags = 0);
  RingTask SendMsgZeroCopy(int fd, const msghdr& message,
                           const Context& context, int flags = 0);

  // --- Files and directories. `directory` is an fd or AT_FDCWD.
  RingTask OpenAt(int directory, const char* path, int flags, mode_t mode,
                  const Context& context);
  RingTask Statx(int directory, const char* path, int flags, unsigned mask,
                 struct statx* out, const Context& context);
  RingTask Lstat(const char* path, struct statx* out, const Context& context);
  RingTask Fsync(int fd, const Context& context);
  RingTask Fdatasync(int fd, const Context& context);
  RingTask SyncFileRange(int fd, int64_t offset, uint32_t n_bytes,
                         unsigned flags, const Context& context);
  RingTask Fallocate(int fd, int mode, int64_t offset, int64_t n_bytes,
                     const Context& context);
  RingTask Truncate(int fd, int64_t n_bytes, const Context& context);
  RingTask Rename(int old_directory, const char* old_path, int new_directory,
                  const char* new_path, const Context& context,
                  unsigned flags = 0);
  RingTask Unlink(int directory, const char* path, const Context& context);
  RingTask Rmdir(int directory, const char* path, const Context& context);
  RingTask Mkdir(int directory, const char* path, mode_t mode,
                 const Context& context);
  RingTask Link(int old_directory, const char* old_path, int new_directory,
                const char* new_path, const Context& context, int flags = 0);
  RingTask Symlink(const char* target, int directory, const char* path,
                   const Context& context);

  // --- Processes and devices.
  RingTask WaitPid(int pidfd, siginfo_t* info, const Context& context);
  RingTask UringCommand(int fd, uint32_t command,
                        std::span<const std::byte> arguments,
                        const Context& context);

 protected:
  // Checks the thread, and that the ring was not moved from.
  internal::RingCore& core() const;

  explicit RingOperations(std::unique_ptr<internal::RingCore> core);
  RingOperations(RingOperations&&) noexcept;
  RingOperations& operator=(RingOperations&&) = delete;
  ~RingOperations();

  std::unique_ptr<internal::RingCore> core_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_RING_OPERATIONS_H_
