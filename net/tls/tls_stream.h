// SPDX-License-Identifier: Apache-2.0
//
// TlsStream: an encrypted stream over a TcpStream. BasicTlsStream<S>: over any
// stream (stream_concepts.h), also over another TLS stream. Move-only; closes
// itself. AcceptTls() and ConnectTls() make one.
//
//   absl::StatusOr<size_t> n = co_await stream.Read(buffer);
//   absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
//
// It is a ByteStream: BufferedReader, BufferedWriter and Forward() work on it.
// Records are made and read in user space, unless the kernel makes them
// (TlsProtocolOptions::kernel_tls). What is documented for TcpStream holds here
// too, unless stated otherwise.
//
// The end: a peer that closes its side tells so by a close_notify, which is the
// end of the stream. A transport that ends without one was cut, perhaps by an
// attacker: DataLoss. Dropping or closing this stream sends a close_notify if
// there is room for it within kTlsFarewellTime; a transport with unread input,
// such as session tickets that a client has never read for, is then closed with
// a reset, which can destroy what the peer has not read: see CloseGracefully().

#ifndef RINGWAY_NET_TLS_TLS_STREAM_H_
#define RINGWAY_NET_TLS_TLS_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/tls/engine/connection_info.h"
#include "ringway/net/tls/engine/peer_certificate.h"
#include "ringway/net/tls/stream/tls_core.h"
#include "ringway/net/tls/stream/tls_core_end.h"
#include "ringway/net/tls/stream/tls_receive_op.h"

namespace ringway::net {

// The reading half of a stream. May be copied. Once the stream has been closed
// or dropped, every call returns FailedPrecondition.
//
// Threads: the loop's only (checked).
template <ByteStream S>
class BasicTlsReader {
 public:
  using Core = std::shared_ptr<internal::TlsCore<S>>;
  explicit BasicTlsReader(Core core) : core_(std::move(core)) {}

  // As the functions of BasicTlsStream.
  TlsReadOp<S> Read(std::span<std::byte> buffer) {
    return TlsReadOp<S>(core_, buffer);
  }
  TlsReceiveSomeOp<S> Receive() { return TlsReceiveSomeOp<S>(core_); }
  TlsReceiveUntilOp<S> ReceiveUntil(ReceiveConsumer& consumer) {
    return TlsReceiveUntilOp<S>(core_, consumer);
  }

 private:
  Core core_;
};

// The writing half of a stream; otherwise as BasicTlsReader.
template <ByteStream S>
class BasicTlsWriter {
 public:
  using Core = std::shared_ptr<internal::TlsCore<S>>;
  explicit BasicTlsWriter(Core core) : core_(std::move(core)) {}

  // As the functions of BasicTlsStream.
  Task<absl::Status> Write(std::span<const std::byte> bytes) {
    return internal::TlsCore<S>::Write(core_, bytes, {});
  }
  Task<absl::Status> Writev(std::span<const std::span<const std::byte>> parts) {
    return internal::TlsCore<S>::Write(core_, {}, parts);
  }
  Task<absl::StatusOr<uint64_t>> SendFile(int file, int64_t offset,
                                          uint64_t n_bytes) {
    return internal::TlsCore<S>::SendFile(core_, file, offset, n_bytes);
  }
  Task<absl::Status> ShutdownWrite() {
    return internal::TlsCore<S>::ShutdownWrite(core_);
  }

 private:
  Core core_;
};

// May outlive its loop, whose end closes it (executor/loop/loop_dependent.h).
// Once it is closed, by Close() or by the loop's end, or moved from, calls that
// return a status return FailedPrecondition.
//
// Threads: the loop's only (checked), except for moving it.
template <ByteStream S>
class BasicTlsStream {
 public:
  using Core = std::shared_ptr<internal::TlsCore<S>>;

  // An empty stream to be assigned to; behaves like a closed one.
  BasicTlsStream() = default;
  // After a handshake: what AcceptTls() and ConnectTls() call.
  explicit BasicTlsStream(Core core) : core_(std::move(core)) {}
  BasicTlsStream(BasicTlsStream&&) noexcept = default;
  BasicTlsStream& operator=(BasicTlsStream&& other) noexcept {
    if (this != &other) {
      Drop();
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~BasicTlsStream() { Drop(); }

  // False once it is closed or moved from, or its loop has ended.
  bool valid() const {
    return internal::TlsState::WhyUnusable(core_.get()).ok();
  }

  // Receives up to `buffer.size()` bytes; completes as soon as at least one has
  // arrived.
  //
  // Result:       bytes received; 0 when the peer has sent close_notify, or
  //               when `buffer` is empty.
  // Errors:       DataLoss: the transport has ended without a close_notify.
  //               Aborted: the peer has sent an alert, or broken the protocol.
  //               ResourceExhausted: the peer causes replies (key updates) and
  //               does not read them. Unimplemented: it asks for new keys, of
  //               the kernel. These stay; the peer is sent an alert.
  //               Those of the transport, such as Unavailable (ECONNRESET), are
  //               returned once. Cancelled.
  // Ownership:    `buffer` must outlive the await, also after a cancel.
  //               Dropping the stream while another task reads ends that read
  //               as cancelled, at the latest after kTlsFarewellTime.
  // Cancellation: two-phase; the await still completes, cancelled or with the
  //               bytes that raced it. No byte is lost.
  // Cost:         no allocation of ours, no frame; OpenSSL copies each record
  //               twice. A stream that waits holds no delivery.
  TlsReadOp<S> Read(std::span<std::byte> buffer) {
    return TlsReadOp<S>(core_, buffer);
  }

  // Receives into memory of the worker, lent until the result is dropped: an
  // idle connection holds none. Empty at end of stream. Can be mixed with
  // Read(); bytes keep their order.
  //
  // Errors, Cancellation: as Read().
  // Cost: as Read(). The memory is at most 64 KiB, and 2 KiB for a message.
  TlsReceiveSomeOp<S> Receive() { return TlsReceiveSomeOp<S>(core_); }

  // Gives `consumer` what arrives until it has enough: see
  // TcpStream::ReceiveUntil().
  TlsReceiveUntilOp<S> ReceiveUntil(ReceiveConsumer& consumer) {
    return TlsReceiveUntilOp<S>(core_, consumer);
  }

  // Encrypts and sends all of `bytes`; completes when the transport has
  // accepted the last one. Writes are whole, and in the order in which they are
  // awaited.
  //
  // Errors:       those of the transport, such as Unavailable (EPIPE,
  //               ECONNRESET); Aborted or DataLoss if reading has ended with
  //               it; Cancelled.
  // Ownership:    as Read().
  // Cancellation: a write that waits for earlier ones leaves no trace. One that
  //               has begun may have sent a part: nothing more can be written
  //               (FailedPrecondition), reading goes on.
  // Cost:         a frame; one write of the transport for each 64 KiB, from a
  //               block of the worker that is given back afterwards. Records
  //               are small at first (kSmallTlsRecordBytes).
  Task<absl::Status> Write(std::span<const std::byte> bytes) {
    return writer().Write(bytes);
  }
  // Sends the parts in order, like one Write(): small ones share records.
  // `parts` itself must outlive the await too.
  Task<absl::Status> Writev(std::span<const std::span<const std::byte>> parts) {
    return writer().Writev(parts);
  }

  // Sends `n_bytes` of the file `file` from `offset` on, in the order of
  // writes.
  //
  // Result:       bytes sent; less than `n_bytes` only if the file ends there.
  // Errors:       as Write(), and those of reading `file`, such as EBADF, after
  //               which the stream goes on.
  // Ownership:    `file` stays the caller's and must stay open during the
  // await. Cancellation: as Write(). Cost:         frames; a read of the file,
  // off the loop, for each 64 KiB.
  Task<absl::StatusOr<uint64_t>> SendFile(int file, int64_t offset,
                                          uint64_t n_bytes) {
    return writer().SendFile(file, offset, n_bytes);
  }

  // Sends a close_notify after all earlier writes, and shuts down the
  // transport's writing side. Reading stays possible. If writing has failed
  // before, there is no close_notify: the peer's stream ends with DataLoss.
  // Waits while the peer does not read, where the kernel encrypts.
  //
  // Errors: as Write(), and those of the transport.
  Task<absl::Status> ShutdownWrite() { return writer().ShutdownWrite(); }

  // Sends a close_notify if there is room within kTlsFarewellTime and no write
  // is in progress, and closes the transport. The stream is empty at once; so
  // it is closed even if this is not awaited. Where the kernel encrypts, what
  // TCP has no room for by then is lost, too.
  //
  // Errors: those of the transport's Close(). Not cancellable.
  Task<absl::Status> Close() { return CloseNow(std::move(*this)); }

  // Closes the stream so that everything written arrives, although input was
  // left unread: see TcpStream::CloseGracefully(). Unread input is not
  // decrypted.
  Task<absl::Status> CloseGracefully(absl::Duration timeout) {
    return FinishAndClose(std::move(*this), timeout);
  }

  // Resets the transport; nothing is sent. Does nothing if it is closed
  // already.
  void Reset() {
    if (!valid()) return;
    core_->MarkAbandoned();
    core_->transport().Reset();
    core_.reset();
  }

  BasicTlsReader<S> reader() { return BasicTlsReader<S>(core_); }
  BasicTlsWriter<S> writer() { return BasicTlsWriter<S>(core_); }

  // What the handshake has agreed on. Aborts unless valid(). Allocates.
  TlsConnectionInfo info() const {
    internal::TlsState::CheckUsable(core_.get(), "a TlsStream");
    return internal::InfoOf(core_->engine().ssl());
  }
  // Whom the peer's certificate names; none if it has sent none. Aborts unless
  // valid(). Allocates.
  std::optional<TlsPeerCertificate> peer_certificate() const {
    internal::TlsState::CheckUsable(core_.get(), "a TlsStream");
    const X509* peer = SSL_get0_peer_certificate(&core_->engine().ssl());
    if (peer == nullptr) return std::nullopt;
    return internal::Describe(*peer);
  }

  // For its addresses, counters and socket options; this stream keeps it, and
  // nothing may be read from or written to it. Aborts unless valid().
  S& transport() const {
    internal::TlsState::CheckUsable(core_.get(), "a TlsStream");
    return core_->transport();
  }

 private:
  static Task<absl::Status> CloseNow(BasicTlsStream stream) {
    if (!stream.valid()) {
      stream.core_.reset();
      co_return absl::OkStatus();
    }
    stream.core_->MarkClosed();
    Task<absl::Status> close =
        internal::TlsCore<S>::Close(std::move(stream.core_));
    co_return co_await std::move(close);
  }
  static Task<absl::Status> FinishAndClose(BasicTlsStream stream,
                                           absl::Duration timeout) {
    absl::Status usable = internal::TlsState::WhyUnusable(stream.core_.get());
    if (!usable.ok()) co_return usable;
    stream.core_->MarkClosed();
    Task<absl::Status> finish =
        internal::TlsCore<S>::CloseGracefully(std::move(stream.core_), timeout);
    co_return co_await std::move(finish);
  }

  void Drop() {
    if (core_ != nullptr) internal::TlsCore<S>::Drop(std::exchange(core_, {}));
  }

  Core core_;
};

using TlsStream = BasicTlsStream<TcpStream>;
using TlsReader = BasicTlsReader<TcpStream>;
using TlsWriter = BasicTlsWriter<TcpStream>;

static_assert(ByteStream<TlsStream>);

}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_TLS_STREAM_H_
