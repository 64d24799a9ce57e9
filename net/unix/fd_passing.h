// SPDX-License-Identifier: Apache-2.0
//
// SendFds, ReceiveFds: file descriptors with the bytes of a Unix stream, or
// with a packet.
//
//   absl::Status sent = co_await net::SendFds(stream, bytes, fds);
//   ...
//   absl::StatusOr<net::ReceivedFds> received =
//       co_await net::ReceiveFds(stream, buffer, /*max_fds=*/4);
//
// The simulator passes no fds: there SendFds() returns Unimplemented
// (EOPNOTSUPP).

#ifndef RINGWAY_NET_UNIX_FD_PASSING_H_
#define RINGWAY_NET_UNIX_FD_PASSING_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <coroutine>
#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/net/socket/stream_ops.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/unix/seq_packet_socket.h"

namespace ringway::net {

// The most fds that the kernel takes at once (SCM_MAX_FD in net/scm.h).
inline constexpr size_t kMaxPassedFds = 253;

namespace internal {

// Control data of one message with fds.
struct FdControl {
  alignas(cmsghdr)
      std::array<std::byte, CMSG_SPACE(kMaxPassedFds * sizeof(int))> bytes;
};

}  // namespace internal

class [[nodiscard]] SendFdsOp : public QueuedWrite {
 public:
  SendFdsOp(internal::StreamCore* core, std::span<const std::byte> bytes,
            std::span<const int> fds,
            const internal::StreamKind& kind = internal::kTcpStream);
  bool await_ready() const noexcept { return !valid_ && usable(); }
  absl::Status await_resume() const;

 private:
  static bool Advance(QueuedWrite& self, size_t n_bytes);

  const bool valid_;
  std::span<const std::byte> rest_;
  iovec part_;
  msghdr message_ = {};
  internal::FdControl control_;
};

struct ReceivedFds {
  ReceivedFds() {}

  size_t n_bytes = 0;  // 0: the stream has ended
  std::vector<UniqueFd> fds;
  // More fds had been sent than were asked for, or could be opened; the kernel
  // has closed those.
  bool truncated = false;
  // The packet was longer than the buffer; never for streams.
  bool bytes_truncated = false;
};

class [[nodiscard]] ReceiveFdsOp : public StreamRead {
 public:
  ReceiveFdsOp(internal::StreamCore* core, std::span<std::byte> buffer,
               size_t max_fds,
               const internal::StreamKind& kind = internal::kTcpStream);
  // Closes the fds that nobody has taken.
  ~ReceiveFdsOp();

  bool await_ready() const noexcept { return !valid_ && usable(); }
  absl::StatusOr<ReceivedFds> await_resume();

 private:
  const bool valid_;
  bool taken_ = false;
  iovec part_;
  msghdr message_ = {};
  internal::FdControl control_;
};

// Sends all of `bytes`, which are not empty, and with the first of them `fds`,
// at most kMaxPassedFds; in the order of writes.
//
// Errors:       InvalidArgument for no bytes, too many fds, or a stream that is
//               no Unix socket; EBADF for a bad fd; otherwise as
//               TcpStream::Write().
// Ownership:    the fds stay the caller's, which may close them once this has
//               ended. All arguments must outlive the await.
// Threads:      the stream's loop's only (checked).
// Cancellation: as TcpStream::Write(): the peer may have got the fds.
// Cost:         no allocation; one system call to see what the socket is.
inline SendFdsOp SendFds(TcpStream& stream, std::span<const std::byte> bytes,
                         std::span<const int> fds) {
  return SendFdsOp(internal::StreamAccess::CoreOf(stream), bytes, fds);
}

// Receives up to `buffer.size()` bytes, at least one, and up to `max_fds` fds
// (at most kMaxPassedFds) that were sent with them; bytes that were sent with
// other fds are left for the next call. The fds are CLOEXEC.
//
// Result:       the bytes, the fds, and whether there were more fds. A peer can
//               send fds with any byte: where none are expected, Read() lets
//               the kernel close them.
// Errors:       InvalidArgument for an empty buffer or too many fds;
//               FailedPrecondition after Receive(), ReceiveUntil() or a
//               BufferedReader, which lose fds; ResourceExhausted, no memory
//               for the result: the fds are closed; otherwise as
//               TcpStream::Read().
// Ownership:    `buffer` and the stream must outlive the await.
// Threads:      the stream's loop's only (checked).
// Cancellation: as TcpStream::Read(). No fd is lost: they come with the result,
//               or are closed.
// Cost:         one allocation if there are fds.
inline ReceiveFdsOp ReceiveFds(TcpStream& stream, std::span<std::byte> buffer,
                               size_t max_fds) {
  return ReceiveFdsOp(internal::StreamAccess::CoreOf(stream), buffer, max_fds);
}

// The same for one packet. What does not fit into the buffer is lost
// (ReceivedFds::bytes_truncated); the end and an empty packet with no fds look
// alike (Packet::is_end()).
inline SendFdsOp SendFds(SeqPacketSocket& socket,
                         std::span<const std::byte> bytes,
                         std::span<const int> fds) {
  return SendFdsOp(internal::SeqPacketAccess::CoreOf(socket), bytes, fds,
                   internal::kSeqPacket);
}
inline ReceiveFdsOp ReceiveFds(SeqPacketSocket& socket,
                               std::span<std::byte> buffer, size_t max_fds) {
  return ReceiveFdsOp(internal::SeqPacketAccess::CoreOf(socket), buffer,
                      max_fds, internal::kSeqPacket);
}

}  // namespace ringway::net

#endif  // RINGWAY_NET_UNIX_FD_PASSING_H_
