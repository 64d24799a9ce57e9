// SPDX-License-Identifier: Apache-2.0
//
// TlsCore: a TLS stream over a transport `S`: TlsState, and what it sends.
//
// Whoever writes holds the turn (a FIFO of tasks) from the first byte that it
// encrypts to the last that the transport has accepted. So records leave in the
// order in which they were encrypted, which their numbers require.

#ifndef RINGWAY_NET_TLS_STREAM_TLS_CORE_H_
#define RINGWAY_NET_TLS_STREAM_TLS_CORE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/tls/stream/file_read.h"
#include "ringway/net/tls/stream/plain_parts.h"
#include "ringway/net/tls/stream/tls_state.h"

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
      std::span<const std::span<const std::byte>> parts);
  static Task<absl::StatusOr<uint64_t>> SendFile(Pointer core, int file,
                                                 int64_t offset,
                                                 uint64_t n_bytes);
  static Task<absl::Status> ShutdownWrite(Pointer core);
  static Task<absl::Status> Close(Pointer closing);
  static Task<absl::Status> CloseGracefully(Pointer closing,
                                            absl::Duration timeout);
  // Closes it in the background if the peer is to be told, else at once.
  static void Drop(const Pointer& core);

  // Sends all output. Requires the turn.
  static Task<absl::Status> SendOutput(Pointer core);
  // After a read: sends what it has caused, unless a write will.
  static void SendReplies(const Pointer& core) noexcept;

 private:
  static Task<void> SendRepliesInTurn(Pointer core);
  static Task<absl::Status> EndWritingInTurn(Pointer core);
  static Task<absl::Status> FinishWriting(Pointer core);
  static Task<absl::Status> DropInput(Pointer core);
  static Task<absl::Status> FinishBothSides(Pointer core);
  // Why a task that has got the turn must not write.
  absl::Status WhyNotNow() const {
    return IsCancelled() ? CancelledStatus() : write_status();
  }
  bool IsCancelled() const {
    return abandoned() || Executor::RunningTask("a write").cancelled();
  }

  S transport_;
  bool sends_replies_ = false;  // a task will
};

template <ByteStream S>
Task<absl::Status> TlsCore<S>::SendOutput(Pointer core) {
  bool more = core->has_output();
  while (more) {
    OutputBuffer block = core->TakeOutput();
    const absl::Status sent = co_await core->transport_.Write(block.bytes());
    more = core->GiveBackOutput(std::move(block), sent);
    if (!sent.ok()) co_return sent;
  }
  co_return absl::OkStatus();
}

// As SendOutput(), without its frame.
template <ByteStream S>
Task<absl::Status> TlsCore<S>::Write(
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
Task<absl::StatusOr<uint64_t>> TlsCore<S>::SendFile(Pointer core, int file,
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
      Task<absl::Status> send = SendOutput(core);
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
Task<absl::Status> TlsCore<S>::EndWritingInTurn(Pointer core) {
  absl::StatusOr<MutexLock> turn = co_await core->turn().Lock();
  if (!turn.ok()) co_return turn.status();
  if (core->IsCancelled()) co_return CancelledStatus();
  absl::Status ended;
  if (!core->engine().shut_down()) {
    ended = core->EndWriting();
    if (ended.ok()) {
      Task<absl::Status> send = SendOutput(core);
      ended = co_await std::move(send);
    }
    if (core->IsCancelled()) co_return CancelledStatus();
  }
  // Without a close_notify, too: the peer hears that no more comes.
  absl::Status shut = co_await core->transport_.ShutdownWrite();
  co_return ended.ok() ? shut : ended;
}

template <ByteStream S>
Task<absl::Status> TlsCore<S>::ShutdownWrite(Pointer core) {
  if (absl::Status why = WhyUnusable(core.get()); !why.ok()) co_return why;
  Task<absl::Status> end = EndWritingInTurn(core);
  co_return co_await std::move(end);
}

// As EndWritingInTurn(), but whatever has failed, the peer hears of the end.
template <ByteStream S>
Task<absl::Status> TlsCore<S>::FinishWriting(Pointer core) {
  absl::StatusOr<MutexLock> turn = co_await core->turn().Lock();
  if (!turn.ok()) co_return turn.status();
  if (core->PrepareFarewell()) {
    Task<absl::Status> send = SendOutput(core);
    absl::Status sent = co_await std::move(send);
    if (!sent.ok()) co_return sent;
  }
  co_return co_await core->transport_.ShutdownWrite();
}

template <ByteStream S>
Task<absl::Status> TlsCore<S>::Close(Pointer closing) {
  const Shield shield;
  std::optional<MutexLock> turn = closing->turn().TryLock();
  if (turn.has_value() && closing->PrepareFarewell()) {
    OutputBuffer block = closing->TakeOutput();
    const absl::Status sent = co_await WithTimeout(
        kTlsFarewellTime, closing->transport_.Write(block.bytes()));
    closing->GiveBackOutput(std::move(block), sent);
  }
  closing->MarkAbandoned();
  turn.reset();
  co_return co_await closing->transport_.Close();
}

// Unread input needs no decrypting: it is dropped.
template <ByteStream S>
Task<absl::Status> TlsCore<S>::DropInput(Pointer core) {
  while (true) {
    absl::StatusOr<ReceivedBuffer> unread = co_await core->transport_.Receive();
    if (!unread.ok() || unread->empty()) co_return unread.status();
  }
}

// Both at once: see TcpStream::CloseGracefully().
template <ByteStream S>
Task<absl::Status> TlsCore<S>::FinishBothSides(Pointer core) {
  std::vector<Task<absl::Status>> sides;
  sides.push_back(FinishWriting(core));
  sides.push_back(DropInput(core));
  Task<std::vector<absl::Status>> both = WhenAll(std::move(sides));
  const std::vector<absl::Status> ended = co_await std::move(both);
  co_return ended[1].ok() ? ended[0] : ended[1];
}

template <ByteStream S>
Task<absl::Status> TlsCore<S>::CloseGracefully(Pointer closing,
                                               absl::Duration timeout) {
  Task<absl::Status> finish = FinishBothSides(closing);
  absl::Status finished = co_await WithTimeout(timeout, std::move(finish));
  closing->MarkAbandoned();
  absl::Status closed = co_await closing->transport_.Close();
  co_return finished.ok() ? closed : finished;
}

template <ByteStream S>
void TlsCore<S>::Drop(const Pointer& core) {
  core->MarkAbandoned();
  Executor* executor = Executor::Current();
  if (!core->loop_ended() && executor != nullptr &&
      &executor->loop() == &core->loop() && !core->turn().locked() &&
      core->HasFarewell()) {
    try {
      // Refused, it drops its argument: the transport is then closed.
      executor->Spawn(Close(core), "tls close").Detach();
      return;
    } catch (const std::bad_alloc&) {
      executor = nullptr;  // then without a farewell
    }
  }
  const S dropped = std::move(core->transport_);
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
  if (!turn.ok() || core->abandoned()) co_return;
  Task<absl::Status> send = SendOutput(core);
  [[maybe_unused]] const absl::Status sent = co_await std::move(send);
}

}  // namespace internal
}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_STREAM_TLS_CORE_H_
