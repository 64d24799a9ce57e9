// SPDX-License-Identifier: Apache-2.0
//
// TcpStream: one connected stream socket, TCP or Unix. Move-only; closes
// itself.
//
//   absl::StatusOr<size_t> n = co_await stream.Read(buffer);
//   absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
//
// One task may read while others write; writes are sent in call order. Dropping
// a stream cancels its operations in flight, then closes it: the peer sees end
// of stream after everything that was written. Closing never waits for the
// peer: a linger time set with SO_LINGER is removed first; a linger time of 0
// makes the close a reset. So does TCP input that was not read, and the reset
// can destroy what was written and not yet read: see CloseGracefully().

#ifndef RINGWAY_NET_TCP_STREAM_H_
#define RINGWAY_NET_TCP_STREAM_H_

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/socket/stream_core.h"
#include "ringway/net/socket/stream_ops.h"
#include "ringway/net/socket/stream_options.h"
#include "ringway/net/socket/timed_read.h"
#include "ringway/net/socket/write_gather_op.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/stream_halves.h"
#include "ringway/net/writing/write_part.h"

namespace ringway::net {

class TcpStream;

namespace internal {

// For awaitables that are defined elsewhere.
struct StreamAccess {
  static StreamCore* CoreOf(const TcpStream& stream);
};

}  // namespace internal

// May outlive its loop, whose end closes it (executor/loop/loop_dependent.h).
// Once it is closed, by Close() or by the loop's end, or moved from, calls that
// return a status return FailedPrecondition.
//
// Threads: the loop's only (checked), except for moving it.
class TcpStream {
 public:
  // Takes over a connected stream socket for use on `loop`'s thread: a socket
  // of the loop's backend, or any kernel socket, whose O_NONBLOCK mode is set
  // as the backend needs it. Throws std::bad_alloc after closing the socket.
  static TcpStream Adopt(Loop& loop, SocketFd fd);
  static TcpStream Adopt(Loop& loop, UniqueFd fd);

  // An empty stream to be assigned to; behaves like a closed one.
  TcpStream() = default;
  TcpStream(TcpStream&&) noexcept = default;
  TcpStream& operator=(TcpStream&& other) noexcept;
  ~TcpStream() { Drop(); }

  // False once it is closed or moved from, or its loop has ended.
  bool valid() const {
    return LoopDependent::WhyUnusable(core_.get(), "a TcpStream") ==
           Unusable::kNo;
  }

  // Receives up to `buffer.size()` bytes; completes as soon as at least one has
  // arrived.
  //
  // Result:       bytes received; 0 when the peer has closed its side (not an
  //               error), or when `buffer` is empty.
  // Errors:       Unavailable (ECONNRESET), Cancelled; any other errno of
  //               recv(2).
  // Ownership:    `buffer` and this stream must outlive the await, also after a
  //               cancel. Dropping the stream while another task reads ends
  //               that read as cancelled.
  // Threads:      the owning loop's only (checked).
  // Cancellation: two-phase; the await still completes, cancelled or with the
  //               bytes that raced it.
  // Cost:         no allocation; no system call before the turn ends.
  ReadOp Read(std::span<std::byte> buffer) {
    return ReadOp(core_.get(), buffer);
  }

  // The same, with the time at which the kernel got the bytes, if the stream
  // has StreamOptions::receive_timestamps; TimedRead documents which time it
  // is, and when there is none.
  //
  // Cost: as Read(); one system call in a stream's life, to learn its family.
  TimedReadOp ReadWithTime(std::span<std::byte> buffer) {
    return TimedReadOp(core_.get(), buffer);
  }

  // Receives into a buffer of the worker, lent until the result is dropped:
  // an idle connection holds no memory. Empty at end of stream. Can be mixed
  // with Read(); bytes keep their order.
  //
  // Errors:       as Read().
  // Threads:      as Read().
  // Cancellation: as Read(). A cancelled receive loses nothing: bytes that
  //               arrive stay for the next one.
  // Cost:         no allocation and no system call; the kernel's receive
  //               stays armed between calls. If all buffers of the worker are
  //               lent, one allocation of BackendOptions::receive_own_bytes.
  ReceiveOp Receive() { return ReceiveOp(core_.get()); }

  // Gives `consumer` what arrives, in order, until it has enough, and continues
  // the task only then: what protocols are made of (net/buffered_reader.h).
  // The end of the stream, or an error, ends it too.
  //
  // Errors:       as Read(); the consumer is not told.
  // Ownership:    `consumer` must outlive the await.
  // Threads:      as Read().
  // Cancellation: as Receive(). What the consumer has taken it keeps.
  // Cost:         as Receive().
  ReceiveUntilOp ReceiveUntil(ReceiveConsumer& consumer) {
    return ReceiveUntilOp(core_.get(), consumer);
  }

  // Sends all of `bytes`; completes when the kernel has accepted the last one.
  //
  // Errors:       Unavailable (EPIPE, ECONNRESET), Cancelled; any other errno
  //               of send(2). SIGPIPE is never raised.
  // Ownership:    as Read().
  // Cancellation: two-phase. A cancelled write may have sent a part; the
  //               stream's position is then unknown, so reset it or close it.
  // Cost:         no allocation; no system call before the turn ends. Waits
  //               while the peer does not read (back-pressure).
  WriteOp Write(std::span<const std::byte> bytes) {
    return WriteOp(core_.get(), bytes);
  }

  // Sends the parts in order, like one Write(). `parts` itself must outlive the
  // await too.
  WritevOp Writev(std::span<const std::span<const std::byte>> parts) {
    return WritevOp(core_.get(), parts);
  }

  // Sends `bytes` without copying them into the kernel, if they are at least
  // zero_copy_threshold() long. Completes like Write(), and with it the stream
  // is free for the next write; the bytes are kept until the kernel has done
  // with them, which over a network is when the peer has acknowledged them.
  //
  // Errors, Cancellation: as Write().
  // Ownership:    shares `bytes`, also beyond the end of the stream. If the
  //               loop ends while a peer does not acknowledge them, for ever.
  // Threads:      as Read(); the loop's is the one that releases `bytes`.
  // Cost:         no allocation once warm. Where memory cannot be pinned
  //               (RLIMIT_MEMLOCK), and on epoll, the bytes are copied.
  WriteGatherOp WriteZeroCopy(SharedBytes bytes) {
    return WriteGatherOp(core_.get(), std::move(bytes));
  }

  // Sends the parts in order, like one Write(): those that are shared and at
  // least zero_copy_threshold() long as WriteZeroCopy() does, the others by a
  // copy. `parts` itself must outlive the await too.
  WriteGatherOp WriteGather(std::span<const WritePart> parts) {
    return WriteGatherOp(core_.get(), parts);
  }

  // Until it is set: 16 KiB over a network; without limit within the machine,
  // where the kernel copies all bytes anyway. Aborts unless valid().
  size_t zero_copy_threshold() const;
  void set_zero_copy_threshold(size_t n_bytes);

  // Sends `n_bytes` of the file `file` from `offset` on, in the order of
  // writes: by sendfile(2), or through a buffer of the worker on io_uring.
  //
  // Result:       bytes sent; less than `n_bytes` only if the file ends there.
  // Errors:       as Write(), and those of reading `file`, such as EBADF.
  // Ownership:    `file` stays the caller's and must stay open; it and the
  //               stream must outlive the await.
  // Cancellation: as Write().
  // Cost:         no allocation.
  SendFileOp SendFile(int file, int64_t offset, uint64_t n_bytes) {
    return SendFileOp(core_.get(), file, offset, n_bytes);
  }

  // Shuts down the writing side after all earlier writes: the peer then reads
  // end of stream. Reading stays possible.
  //
  // Errors: the errno of shutdown(2), ENOTCONN when the peer has reset the
  // connection; Cancelled.
  ShutdownWriteOp ShutdownWrite() { return ShutdownWriteOp(core_.get()); }

  // Closes the stream and waits until it is closed. The stream is empty at
  // once.
  //
  // Errors: the errno of close(2); none if it is closed already. Not
  //         cancellable, as it does not wait for the peer.
  CloseOp Close() { return CloseOp(std::move(core_)); }

  // Closes the stream so that everything written arrives, although input was
  // left unread: ends the writing side after all earlier writes, meanwhile
  // drops input until the peer has closed its side, then closes. The stream is
  // empty at once; no other task may be reading from it.
  //
  //   if (absl::Status s = co_await stream.Write(answer); !s.ok()) co_return;
  //   absl::Status s = co_await stream.CloseGracefully(absl::Seconds(5));
  //
  // Result:       OK once the peer has closed its side: then it has read
  //               everything, or never will.
  // Errors:       DeadlineExceeded after `timeout`, which may be infinite;
  //               Unavailable (ECONNRESET, EPIPE) if the peer has reset the
  //               connection; FailedPrecondition if it is closed already;
  //               Cancelled. It is closed in each case, as by Close().
  // Cancellation: closes it at once.
  // Cost:         one frame; one receive for each delivery that is dropped.
  Task<absl::Status> CloseGracefully(absl::Duration timeout);

  // Closes the stream with a reset and discards unsent bytes. Does nothing if
  // it is closed already.
  void Reset();

  // Gives up the socket without closing it, to be adopted on another loop. The
  // stream is then empty.
  //
  // Errors: FailedPrecondition, and the stream is as before: it is closed, a
  //         task reads or writes, or bytes have been received that were not
  //         taken.
  absl::StatusOr<SocketFd> Release();

  StreamReader reader() { return StreamReader(core_.get()); }
  StreamWriter writer() { return StreamWriter(core_.get()); }

  // Changes what is set in `options`; the rest stays as it is.
  //
  // Errors: InvalidArgument naming a value that is out of range; the errno of
  //         setsockopt(2), naming the option: PermissionDenied for a mark
  //         without CAP_NET_ADMIN. FailedPrecondition unless valid().
  absl::Status SetOptions(const StreamOptions& options);

  absl::StatusOr<SocketAddress> LocalAddress() const;
  absl::StatusOr<SocketAddress> PeerAddress() const;

  // What was transferred; 0 once it is closed.
  StreamTraffic traffic() const {
    return core_ == nullptr ? StreamTraffic() : core_->traffic();
  }

  // For other socket options and calls; the stream keeps it. Aborts unless
  // valid().
  int fd() const;

 private:
  friend struct internal::StreamAccess;

  explicit TcpStream(std::unique_ptr<internal::StreamCore> core)
      : core_(std::move(core)) {}
  void Drop();

  std::unique_ptr<internal::StreamCore> core_;
};

inline internal::StreamCore* internal::StreamAccess::CoreOf(
    const TcpStream& stream) {
  return stream.core_.get();
}

}  // namespace ringway::net

#endif  // RINGWAY_NET_TCP_STREAM_H_
