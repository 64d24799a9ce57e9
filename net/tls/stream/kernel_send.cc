// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/stream/kernel_send.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/socket/stream_core.h"
#include "ringway/net/tls/kernel/kernel_keys.h"
#include "ringway/net/tls/kernel/kernel_options.h"
#include "ringway/net/tls/stream/kernel_record_op.h"

namespace ringway::net::internal {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Milliseconds(20);

// include/net/tcp_states.h
constexpr uint8_t kTcpEstablished = 1;
constexpr uint8_t kTcpCloseWait = 8;

SocketCalls& CallsOf(const TcpStream& transport) {
  return StreamAccess::CoreOf(transport)->sockets();
}

// The bytes that TCP has taken over, sent or not; none if it is past sending.
std::optional<uint64_t> TcpBytes(const TcpStream& transport) {
  tcp_info info = {};
  socklen_t length = sizeof(info);
  if (CallsOf(transport).GetOption(transport.fd(), IPPROTO_TCP, TCP_INFO, &info,
                                   length) != 0 ||
      (info.tcpi_state != kTcpEstablished &&
       info.tcpi_state != kTcpCloseWait)) {
    return std::nullopt;
  }
  return info.tcpi_bytes_sent - info.tcpi_bytes_retrans +
         info.tcpi_notsent_bytes;
}

// The bytes that `file` has from `offset` on, if it is a regular one, and at
// most `n_bytes`. Asked for more, sendfile(2) would announce that more comes,
// and the last record stay open until the next write (before Linux 6.5).
uint64_t BytesInFile(int file, int64_t offset, uint64_t n_bytes) {
  struct stat info;
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) return n_bytes;
  const int64_t n = std::max<int64_t>(info.st_size - offset, 0);
  return std::min(n_bytes, static_cast<uint64_t>(n));
}

}  // namespace

void KernelSend::Offer(TlsState& state, TcpStream& transport) {
  const KernelCiphers ciphers = state.context().shared().kernel_ciphers;
  if (ciphers.empty() || !transport.valid()) return;
  if (CallsOf(transport).SetOption(transport.fd(), IPPROTO_TCP, kTcpUlp,
                                   kTlsUlp, sizeof(kTlsUlp)) == 0) {
    state.engine().OfferKernel(ciphers);
  }
}

absl::Status KernelSend::GiveKeys(TlsState& state, TcpStream& transport) {
  const std::optional<KernelKeys> keys = state.engine().TakeKernelKeys();
  if (!keys.has_value()) return absl::OkStatus();
  TlsState::KernelStart& start = state.kernel_start();
  start.tcp_bytes = TcpBytes(transport).value_or(0);
  start.stream_bytes = transport.traffic().bytes_sent;
  start.record = keys->next_record();
  start.cipher = keys->cipher();
  const int result = CallsOf(transport).SetOption(
      transport.fd(), kSolTls, kTlsTx, keys->bytes().data(),
      static_cast<socklen_t>(keys->bytes().size()));
  if (result != 0) {
    return ErrnoToStatus(
        -result, "giving keys to the kernel (TlsProtocolOptions::kernel_tls)");
  }
  StreamAccess::CoreOf(transport)->set_send_flags(0);
  return absl::OkStatus();
}

// Of each record the kernel makes, TCP gets the plaintext and a fixed number of
// bytes besides. The kernel tells how many records it has made.
bool KernelSend::PassedToTcp(const TlsState& state,
                             const TcpStream& transport) {
  const TlsState::KernelStart& start = state.kernel_start();
  KernelKeys keys(start.cipher);
  socklen_t length = static_cast<socklen_t>(keys.bytes().size());
  const std::optional<uint64_t> tcp_bytes = TcpBytes(transport);
  if (!tcp_bytes.has_value() ||
      CallsOf(transport).GetOption(transport.fd(), kSolTls, kTlsTx,
                                   keys.bytes().data(), length) != 0) {
    return true;
  }
  const uint64_t records = keys.next_record() - start.record;
  const uint64_t plain = transport.traffic().bytes_sent - start.stream_bytes;
  return *tcp_bytes - start.tcp_bytes >=
         plain + records * keys.overhead_bytes();
}

Task<absl::Status> KernelSend::SendOutput(Pointer state, TcpStream& transport) {
  OutputBuffer block = state->TakeOutput();
  absl::Status sent;
  if (!block.bytes().empty()) sent = co_await transport.Write(block.bytes());
  if (sent.ok()) sent = GiveKeys(*state, transport);
  std::span<const std::byte> records = block.records();
  while (sent.ok() && !records.empty()) {
    KernelRecordOp record(transport, OutputBuffer::TakeRecord(records));
    sent = co_await record;
  }
  state->GiveBackOutput(std::move(block), sent);
  co_return sent;
}

Task<absl::Status> KernelSend::SendLastOutput(Pointer state,
                                              TcpStream& transport) {
  Task<absl::Status> send = SendOutput(state, transport);
  absl::Status sent = co_await std::move(send);
  if (!sent.ok()) co_return sent;
  absl::Duration pause = kFirstPause;
  while (!PassedToTcp(*state, transport)) {
    absl::Status slept = co_await Sleep(pause);
    if (!slept.ok()) co_return slept;
    pause = std::min(2 * pause, kLongestPause);
  }
  co_return absl::OkStatus();
}

Task<absl::Status> KernelSend::Write(
    Pointer state, TcpStream& transport, std::span<const std::byte> bytes,
    std::span<const std::span<const std::byte>> parts) {
  if (absl::Status why = TlsState::WhyUnusable(state.get()); !why.ok())
    co_return why;
  absl::StatusOr<MutexLock> turn = co_await state->turn().Lock();
  if (!turn.ok()) co_return turn.status();
  if (absl::Status why = state->WhyNotNow(); !why.ok()) co_return why;
  if (state->has_output()) {  // a client may not wait for tickets after data
    Task<absl::Status> tickets = SendOutput(state, transport);
    absl::Status ticketed = co_await std::move(tickets);
    if (!ticketed.ok()) co_return ticketed;
  }
  absl::Status sent;
  if (parts.empty()) {
    sent = co_await transport.Write(bytes);
  } else {
    sent = co_await transport.Writev(parts);
  }
  if (!sent.ok()) {
    state->OnOutputLost(sent);
    co_return sent;
  }
  if (state->has_output()) {  // of reads meanwhile
    Task<absl::Status> replies = SendOutput(state, transport);
    sent = co_await std::move(replies);
  }
  co_return sent;
}

Task<absl::StatusOr<uint64_t>> KernelSend::SendFile(Pointer state,
                                                    TcpStream& transport,
                                                    int file, int64_t offset,
                                                    uint64_t n_bytes) {
  if (absl::Status why = TlsState::WhyUnusable(state.get()); !why.ok())
    co_return why;
  absl::StatusOr<MutexLock> turn = co_await state->turn().Lock();
  if (!turn.ok()) co_return turn.status();
  if (absl::Status why = state->WhyNotNow(); !why.ok()) co_return why;
  if (state->has_output()) {
    Task<absl::Status> tickets = SendOutput(state, transport);
    absl::Status ticketed = co_await std::move(tickets);
    if (!ticketed.ok()) co_return ticketed;
  }
  absl::StatusOr<uint64_t> n_sent = co_await transport.SendFile(
      file, offset, BytesInFile(file, offset, n_bytes));
  // Others are of the file.
  const absl::Status& status = n_sent.status();
  if (absl::IsCancelled(status) || absl::IsUnavailable(status) ||
      absl::IsDeadlineExceeded(status)) {
    state->OnOutputLost(status);
    co_return n_sent;
  }
  if (state->has_output()) {
    Task<absl::Status> replies = SendOutput(state, transport);
    absl::Status sent = co_await std::move(replies);
    if (!sent.ok()) co_return sent;
  }
  co_return n_sent;
}

}  // namespace ringway::net::internal
