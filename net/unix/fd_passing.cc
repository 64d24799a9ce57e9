// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/unix/fd_passing.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>

#include "ringway/backends/prepare.h"
#include "ringway/core/errno_status.h"

namespace ringway::net {
namespace {

int FdOf(const internal::StreamCore* core) {
  return core == nullptr ? -1 : core->fd();
}

// A TCP socket takes fds, and drops them.
bool IsUnixSocket(const internal::StreamCore& core) {
  int family = 0;
  socklen_t length = sizeof(family);
  return core.sockets().GetOption(core.fd(), SOL_SOCKET, SO_DOMAIN, &family,
                                  length) == 0 &&
         family == AF_UNIX;
}

// Calls `take` for each fd in the control data of a received message.
template <typename Take>
void ForEachFd(msghdr& message, Take take) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
      continue;
    const size_t n_fds = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n_fds; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      take(fd);
    }
  }
}

}  // namespace

// --- SendFdsOp

SendFdsOp::SendFdsOp(internal::StreamCore* core,
                     std::span<const std::byte> bytes, std::span<const int> fds,
                     const internal::StreamKind& kind)
    : QueuedWrite(core, &Advance, kind),
      valid_(usable() && !bytes.empty() && fds.size() <= kMaxPassedFds &&
             IsUnixSocket(*core)),
      rest_(bytes),
      part_{.iov_base = const_cast<std::byte*>(bytes.data()),
            .iov_len = bytes.size()} {
  message_.msg_iov = &part_;
  message_.msg_iovlen = 1;
  if (valid_ && !fds.empty()) {
    message_.msg_control = control_.bytes.data();
    message_.msg_controllen = CMSG_SPACE(fds.size_bytes());
    memset(control_.bytes.data(), 0, message_.msg_controllen);
    cmsghdr* const header = CMSG_FIRSTHDR(&message_);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  // Without MSG_WAITALL: only the first part has the fds.
  PrepareSendMsg(*this, FdOf(core), message_);
}

bool SendFdsOp::Advance(QueuedWrite& queued, size_t n_bytes) {
  SendFdsOp& self = static_cast<SendFdsOp&>(queued);
  self.rest_ = self.rest_.subspan(n_bytes);
  if (self.rest_.empty()) return false;
  PrepareSend(self, FdOf(self.core_), self.rest_, MSG_WAITALL);
  return true;
}

absl::Status SendFdsOp::await_resume() const {
  if (usable() && !valid_)
    return absl::InvalidArgumentError(
        "fds without bytes, too many of them, or not on a Unix socket");
  return QueuedWrite::await_resume();
}

// --- ReceiveFdsOp

ReceiveFdsOp::ReceiveFdsOp(internal::StreamCore* core,
                           std::span<std::byte> buffer, size_t max_fds,
                           const internal::StreamKind& kind)
    : StreamRead(core, kind),
      valid_(!buffer.empty() && max_fds <= kMaxPassedFds &&
             (core == nullptr || !core->has_receiver())),
      part_{.iov_base = buffer.data(), .iov_len = buffer.size()} {
  message_.msg_iov = &part_;
  message_.msg_iovlen = 1;
  if (valid_ && max_fds > 0) {
    message_.msg_control = control_.bytes.data();
    // CMSG_SPACE() has room for one more.
    message_.msg_controllen = CMSG_LEN(max_fds * sizeof(int));
  }
  PrepareRecvMsg(*this, FdOf(core), message_, MSG_CMSG_CLOEXEC);
}

ReceiveFdsOp::~ReceiveFdsOp() {
  // The frame is destroyed between the receive and its task's turn.
  if (!taken_ && state == OpState::kDone && result >= 0)
    ForEachFd(message_, [](int fd) { UniqueFd closed(fd); });
}

absl::StatusOr<ReceivedFds> ReceiveFdsOp::await_resume() {
  if (usable() && !valid_) {
    if (core_->has_receiver()) {
      return absl::FailedPreconditionError(
          "a stream that was received from by Receive() gets no fds");
    }
    return absl::InvalidArgumentError("an empty buffer, or too many fds");
  }
  const absl::StatusOr<size_t> n_bytes = Result();
  if (!n_bytes.ok()) return n_bytes.status();
  ReceivedFds received;
  received.n_bytes = *n_bytes;
  received.truncated = (message_.msg_flags & MSG_CTRUNC) != 0;
  received.bytes_truncated = (message_.msg_flags & MSG_TRUNC) != 0;
  size_t n_fds = 0;
  ForEachFd(message_, [&](int) { ++n_fds; });
  try {
    received.fds.reserve(n_fds);
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "received fds");
  }
  taken_ = true;
  ForEachFd(message_, [&](int fd) { received.fds.emplace_back(fd); });
  return received;
}

}  // namespace ringway::net
