// SPDX-License-Identifier: Apache-2.0
//
// How a TlsCore (tls_core.h) ends: its functions that shut down, close or drop
// a stream.

#ifndef RINGWAY_NET_TLS_STREAM_TLS_CORE_END_H_
#define RINGWAY_NET_TLS_STREAM_TLS_CORE_END_H_

#include <new>
#include <optional>
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
#include "ringway/net/tls/stream/tls_core.h"

namespace ringway::net::internal {

template <ByteStream S>
Task<absl::Status> TlsCore<S>::EndWritingInTurn(Pointer core) {
  absl::StatusOr<MutexLock> turn = co_await core->turn().Lock();
  if (!turn.ok()) co_return turn.status();
  if (core->IsCancelled()) co_return CancelledStatus();
  absl::Status ended;
  if (!core->engine().shut_down()) {
    ended = core->EndWriting();
    if (ended.ok()) {
      Task<absl::Status> send = SendLastOutput(core);
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
    Task<absl::Status> send = SendLastOutput(core);
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
    absl::Status sent;
    if (ByKernel(closing)) {
      Task<absl::Status> send = SendLastOutput(closing);
      sent = co_await WithTimeout(kTlsFarewellTime, std::move(send));
    } else {
      OutputBuffer block = closing->TakeOutput();
      sent = co_await WithTimeout(kTlsFarewellTime,
                                  closing->transport_.Write(block.bytes()));
      closing->GiveBackOutput(std::move(block), sent);
    }
    sent.IgnoreError();
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

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_STREAM_TLS_CORE_END_H_
