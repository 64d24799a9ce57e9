// SPDX-License-Identifier: Apache-2.0
//
// TlsCore: a TLS stream over a transport `S`: TlsState, and what it sends. How
// it ends is defined in tls_core_end.h.
//
// Whoever writes holds the turn (a FIFO of tasks) from the first byte that it
// encrypts to the last that the transport has accepted. So records leave in the
// order in which they were encrypted, which their numbers require.

#ifndef RINGWAY_NET_TLS_STREAM_TLS_CORE_H_
#define RINGWAY_NET_TLS_STREAM_TLS_CORE_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/tls/stream/kernel_send.h"
#include "ringway/net/tls/stream/plain_parts.h"
#include "ringway/net/tls/stream/tls_state.h"
#include "ringway/net/writing/file_read.h"

namespace ringway::net {

// How long closing waits for room to send a close_notify or an alert.
inline constexpr absl::Duration kTlsFarewellTime = absl::Milliseconds(100);

namespace internal {

template <ByteStream S>
class TlsCore final : public TlsState {
 public:
  using Pointer = std::shared_ptr<TlsCore>;

  TlsCore(std::shared_ptr<const LoadedContext> context,
          std::unique_ptr<TlsEngine> engine, S transport)
      : TlsState(std::move(context), std::move(engine)),
        transport_(std::move(transport)) {}

  S& transport() { return transport_; }

  // The functions of BasicTlsStream; `core` may be null. The functions with
  // `closing` are for one that was marked as closed.
  static Task<absl::Status> Write(
      Pointer core, std::span<const std::byte> bytes,
      std::span<const std::span<const std::byte>> parts) {
    if constexpr (kOverTcp) {
      if (ByKernel(core))
        return KernelSend::Write(core, core->transport_, bytes, parts);
    }
    return WriteEncrypted(std::move(core), bytes, parts);
  }
  static Task<absl::StatusOr<uint64_t>> SendFile(Pointer core, int file,
                                                 int64_t offset,
                                                 uint64_t n_bytes) {
    if constexpr (kOverTcp) {
      if (ByKernel(core)) {
        return KernelSend::SendFile(core, core->transport_, file, offset,
                                    n_bytes);
      }
    }
    return SendFileEncrypted(std::move(core), file, offset, n_bytes);
  }
  static Task<absl::Status> ShutdownWrite(Pointer core);
  static Task<absl::Status> Close(Pointer closing);
  static Task<absl::Status> CloseGracefully(Pointer closing,
                                            absl::Duration timeout);
  // Closes it in the background if the peer is to be told, else at once.
  static void Drop(const Pointer& core);

  // Before the handshake.
  void OfferKernel() {
    if constexpr (kOverTcp) KernelSend::Offer(*this, transport_);
  }
  // Sends all output. Requires the turn.
  static Task<absl::Status> SendOutput(Pointer core) {
    if constexpr (kOverTcp) {
      if (ByKernel(core)) return KernelSend::SendOutput(core, core->transport_);
    }
    return SendEncrypted(std::move(core));
  }
  // After a read: sends what it has caused, unless a write will.
  static void SendReplies(const Pointer& core) noexcept;

 private:
  static constexpr bool kOverTcp = std::same_as<S, TcpStream>;

  static bool ByKernel(const Pointer& core) {
    return core != nullptr && core->kernel_encrypts();
  }
  // What is sent next may be followed by the transport's end.
  static Task<absl::Status> SendLastOutput(Pointer core) {
    if constexpr (kOverTcp) {
      if (ByKernel(core))
        return KernelSend::SendLastOutput(core, core->transport_);
    }
    return SendEncrypted(std::move(core));
  }

  static Task<absl::Status> SendEncrypted(Pointer core);
  static Task<absl::Status> WriteEncrypted(
      Pointer core, std::span<const std::byte> bytes,
      std::span<const std::span<const std::byte>> parts);
  static Task<absl::StatusOr<uint64_t>> SendFileEncrypted(Pointer core,
                                                          int file,
                                                          int64_t offset,
                                                          uint64_t n_bytes);
  static Task<void> SendRepliesInTurn(Pointer core);
  static Task<absl::Status> EndWritingInTurn(Pointer core);
  static Task<absl::Status> FinishWriting(Pointer core);
  static Task<absl::Status> DropInput(Pointer core);
  static Task<absl::Status> FinishBothSides(Pointer core);
  S transport_;
  bool sends_replies_ = false;  // a task will
};

template <ByteStream S>
Task<absl::Status> TlsCore<S>::SendEncrypted(Pointer core) {
  bool more = core->has_output();
  while (more) {
    OutputBuffer block = core->TakeOutput();
    const absl::Status sent = co_await core->transport_.Write(block.bytes());
    more = core->GiveBackOutput(std::move(block), sent);
    if (!sent.ok()) co_return sent;
  }
  co_return absl::OkStatus();
}

// As SendEncrypted(), without its frame.
template <ByteStream S>
Task<absl::Status> TlsCore<S>::WriteEncrypted(
    Pointer core, std::span<const std::byte> bytes,
    std::span<const std::span<const std::byte>> parts) {
  if (absl::Status why = WhyUnusable(core.get()); !why.ok()) co_return why;
  PlainParts plain(bytes, parts);
  if (plain.empty()) co_return absl::OkStatus();
  absl::StatusOr<MutexLock> turn = co_await core->turn().Lock();
  if (!turn.ok()) co_return turn.status();
  if (absl::Status why = core->WhyNotNow(); !why.ok()) co_return why;
  bool more = true;
  while (more) {
    if (absl::Status s = core->Encrypt(plain); !s.ok()) {
      turn->Unlock();
      SendReplies(core);  // an alert
      co_return s;
    }
    OutputBuffer block = core->TakeOutput();
    const absl::Status sent = co_await core->transport_.Write(block.bytes());
    more = core->GiveBackOutput(std::move(block), sent) || !plain.empty();
    if (!sent.ok()) co_return sent;
  }
  turn->Unlock();
  SendReplies(core);
  co_return absl::OkStatus();
}

template <ByteStream S>
Task<absl::StatusOr<uint64_t>> TlsCore<S>::SendFileEncrypted(Pointer core,
                                                             int file,
                                                             int64_t offset,
                                                             uint64_t n_bytes) {
  if (absl::Status why = WhyUnusable(core.get()); !why.ok()) co_return why;
  absl::StatusOr<MutexLock> turn = co_await core->turn().Lock();
  if (!turn.ok()) co_return turn.status();
  if (absl::Status why = core->WhyNotNow(); !why.ok()) co_return why;
  MemoryLender::Block memory =
      core->worker().lender.Take(MemoryLender::kBlockBytes.back());
  uint64_t n_sent = 0;
  absl::Status status;
  while (n_sent < n_bytes) {
    const std::span<std::byte> to(
        memory.memory.get(), std::min<uint64_t>(memory.size, n_bytes - n_sent));
    const absl::StatusOr<size_t> n =
        co_await FileReadOp(file, to, offset + static_cast<int64_t>(n_sent));
    status = n.status();
    if (!n.ok() || *n == 0) break;
    PlainParts plain(to.first(*n), {});
    while (status.ok() && !plain.empty()) {
      status = core->Encrypt(plain);
      if (!status.ok()) break;
      Task<absl::Status> send = SendEncrypted(core);
      status = co_await std::move(send);
    }
    if (!status.ok()) break;
    n_sent += *n;
  }
  core->worker().lender.GiveBack(std::move(memory));
  turn->Unlock();
  SendReplies(core);
  if (!status.ok()) co_return status;
  co_return n_sent;
}

template <ByteStream S>
void TlsCore<S>::SendReplies(const Pointer& core) noexcept {
  if (!core->has_output() || core->sends_replies_ || core->abandoned() ||
      core->turn().locked()) {
    return;
  }
  try {
    JoinHandle<void> sending = Spawn(SendRepliesInTurn(core), "tls replies");
    core->sends_replies_ = sending.spawn_status().ok();
    sending.Detach();
  } catch (const std::bad_alloc&) {
    core->sends_replies_ = false;  // they go with the next write
  }
}

template <ByteStream S>
Task<void> TlsCore<S>::SendRepliesInTurn(Pointer core) {
  absl::StatusOr<MutexLock> turn = co_await core->turn().Lock();
  core->sends_replies_ = false;
  // Meanwhile others may come, for which SendReplies() leaves it to this task.
  while (turn.ok() && !core->abandoned() && core->has_output()) {
    Task<absl::Status> send = SendOutput(core);
    [[maybe_unused]] const absl::Status sent = co_await std::move(send);
  }
}

}  // namespace internal
}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_STREAM_TLS_CORE_H_
