// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/probe_multishot.h"

#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "absl/status/statusor.h"
#include "ringway/backends/uring/buffer_ring.h"
#include "ringway/backends/uring/call_error.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"

namespace ringway::uring {

absl::Status CheckMultishotReceive(KernelRing& ring) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return ErrnoToStatus(errno, "socketpair for probing io_uring");
  }
  UniqueFd receiver(fds[0]), sender(fds[1]);
  absl::StatusOr<std::unique_ptr<BufferRing>> buffers =
      BufferRing::Create(ring, 1, 64);
  if (!buffers.ok()) return buffers.status();
  if (send(sender.get(), "x", 1, MSG_NOSIGNAL) != 1) {
    return ErrnoToStatus(errno, "send for probing io_uring");
  }
  sender.Reset();  // so that the receive ends with end of stream
  io_uring_sqe& sqe = *ring.NextEntry();
  io_uring_prep_recv_multishot(&sqe, receiver.get(), nullptr, 0, 0);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = BufferRing::kGroup;
  bool delivered = false;
  for (int turns = 0; turns < 4; ++turns) {
    const __kernel_timespec one_second = {.tv_sec = 1, .tv_nsec = 0};
    if (int rc = ring.Enter(/*block=*/true, &one_second);
        rc < 0 && rc != -EINTR) {
      return CallError(-rc, "io_uring_enter", "a first receive");
    }
    bool ended = false;
    ring.Reap([&](const io_uring_cqe& cqe) {
      if (cqe.res == 1 && (cqe.flags & IORING_CQE_F_MORE) != 0)
        delivered = true;
      if ((cqe.flags & IORING_CQE_F_MORE) == 0) ended = true;
    });
    if (ended) break;
  }
  if (int rc = io_uring_unregister_buf_ring(ring.get(), BufferRing::kGroup);
      rc < 0) {
    return CallError(-rc, "io_uring_register",
                     "unregistering the buffers of a first receive");
  }
  if (delivered) return absl::OkStatus();
  return absl::UnimplementedError(
      "this kernel's io_uring lacks multishot receive; Linux 6.0 or later is "
      "needed");
}

}  // namespace ringway::uring
