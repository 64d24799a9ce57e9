// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/probe_multishot.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringway/backends/common/receive_account.h"
#include "ringway/backends/uring/buffer_ring.h"
#include "ringway/backends/uring/call_error.h"
#include "ringway/backends/uring/kernel_constants.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/unique_fd.h"

namespace ringway::uring {
namespace {

constexpr uint16_t kGroup = 0;
constexpr uint32_t kProbeBytes = 64;

// One receive on `fd` into a buffer of kGroup. False if it does not end in
// time.
bool ReceiveOnce(KernelRing& ring, int fd, io_uring_cqe& completion) {
  io_uring_sqe& sqe = *ring.NextEntry();
  io_uring_prep_recv(&sqe, fd, nullptr, 0, 0);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = kGroup;
  for (int turns = 0; turns < 4; ++turns) {
    const __kernel_timespec one_second = {.tv_sec = 1, .tv_nsec = 0};
    ring.Enter(/*block=*/true, &one_second);
    const uint32_t n_reaped =
        ring.Reap([&](const io_uring_cqe& cqe) { completion = cqe; });
    if (n_reaped > 0) return n_reaped == 1;
  }
  return false;
}

bool ReceivesAreInPlace(KernelRing& ring, BufferRing& buffers, int receiver,
                        int sender) {
  constexpr std::string_view kSent =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "abcdefgh";
  constexpr size_t kHalf = kSent.size() / 2;
  // What each receive must give: its place in kSent and in the buffers.
  struct Expected {
    size_t n_bytes;
    uint32_t id;
    bool more;  // the buffer has room left
  };
  constexpr Expected kExpected[] = {
      {kHalf, 0, true},
      {kProbeBytes - kHalf, 0, false},
      {kSent.size() - kProbeBytes, 1, true},
  };
  size_t n_received = 0;
  size_t n_sent = 0;
  for (const Expected& expected : kExpected) {
    if (n_sent < kSent.size() && n_sent == n_received) {
      if (send(sender, kSent.data() + n_sent, kHalf, MSG_NOSIGNAL) !=
          ssize_t{kHalf}) {
        return false;
      }
      n_sent += kHalf;
    }
    io_uring_cqe cqe = {};
    if (!ReceiveOnce(ring, receiver, cqe)) return false;
    const bool more = (cqe.flags & kCompletionBufferMore) != 0;
    if (cqe.res != static_cast<int32_t>(expected.n_bytes) ||
        (cqe.flags & IORING_CQE_F_BUFFER) == 0 ||
        cqe.flags >> IORING_CQE_BUFFER_SHIFT != expected.id ||
        more != expected.more ||
        memcmp(buffers.Lend(cqe.flags, expected.n_bytes),
               kSent.data() + n_received, expected.n_bytes) != 0) {
      return false;
    }
    n_received += expected.n_bytes;
  }
  return n_received == kSent.size();
}

}  // namespace

absl::Status CheckMultishotReceive(KernelRing& ring) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return ErrnoToStatus(errno, "socketpair for probing io_uring");
  }
  UniqueFd receiver(fds[0]), sender(fds[1]);
  ReceiveAccount account(kProbeBytes);
  absl::StatusOr<std::unique_ptr<BufferRing>> buffers = BufferRing::Create(
      ring,
      {.group = kGroup, .most = 1, .n_bytes = kProbeBytes, .shared = false},
      account);
  if (!buffers.ok()) return buffers.status();
  if (send(sender.get(), "x", 1, MSG_NOSIGNAL) != 1) {
    return ErrnoToStatus(errno, "send for probing io_uring");
  }
  sender.Reset();  // so that the receive ends with end of stream
  io_uring_sqe& sqe = *ring.NextEntry();
  io_uring_prep_recv_multishot(&sqe, receiver.get(), nullptr, 0, 0);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = kGroup;
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
  if (int rc = io_uring_unregister_buf_ring(ring.get(), kGroup); rc < 0) {
    return CallError(-rc, "io_uring_register",
                     "unregistering the buffers of a first receive");
  }
  if (delivered) return absl::OkStatus();
  return absl::UnimplementedError(
      "this kernel's io_uring lacks multishot receive; Linux 6.0 or later is "
      "needed");
}

bool SharedBuffersWork(KernelRing& ring) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return false;
  }
  UniqueFd receiver(fds[0]), sender(fds[1]);
  ReceiveAccount account(2 * kProbeBytes);
  absl::StatusOr<std::unique_ptr<BufferRing>> buffers = BufferRing::Create(
      ring,
      {.group = kGroup, .most = 2, .n_bytes = kProbeBytes, .shared = true},
      account);
  if (!buffers.ok()) return false;  // an older kernel
  const bool work =
      ReceivesAreInPlace(ring, **buffers, receiver.get(), sender.get());
  sender.Reset();
  if (!work) {
    // A receive may still be armed; it ends now.
    const __kernel_timespec one_second = {.tv_sec = 1, .tv_nsec = 0};
    ring.Enter(/*block=*/true, &one_second);
    ring.Reap([](const io_uring_cqe&) {});
  }
  return io_uring_unregister_buf_ring(ring.get(), kGroup) == 0 && work;
}

}  // namespace ringway::uring
