// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/stream_connection.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::loadgen {
namespace {

// The most written before replies are read: less than the smallest usual
// socket buffer, because a server may stop reading while its replies are not
// read. The rest is written while replies are read.
constexpr size_t kWrittenBeforeReading = 16 * 1024;

// Requests that wait are written together, up to this size.
constexpr size_t kMostWrittenAtOnce = 64 * 1024;

}  // namespace

template <net::ByteStream Stream>
Task<absl::Status> StreamConnection<Stream>::Open(absl::Duration patience) {
  patience_ = patience;
  Task<absl::StatusOr<Stream>> open = OpenStream<Stream>(target_, patience);
  absl::StatusOr<Stream> stream = co_await std::move(open);
  if (!stream.ok()) co_return stream.status();
  Use(*std::move(stream));
  co_return absl::OkStatus();
}

template <net::ByteStream Stream>
void StreamConnection<Stream>::Use(Stream stream) {
  stream_.emplace(std::move(stream));
  protocol_->Begin();
}

template <net::ByteStream Stream>
Task<absl::Status> StreamConnection<Stream>::Close() {
  if (!stream_.has_value()) co_return absl::OkStatus();
  absl::Status closed = co_await stream_->Close();
  stream_.reset();
  co_return closed;
}

template <net::ByteStream Stream>
Task<absl::Status> StreamConnection<Stream>::Run(RequestSource& source) {
  while (true) {
    Task<absl::Status> run = source.in_turns() && protocol_->in_turns()
                                 ? RunInTurns(source)
                                 : RunBothWays(source);
    absl::Status ended = co_await std::move(run);
    if (!ended.ok() || !protocol_->wants_new_connection()) co_return ended;
    absl::Status closed = co_await Close();
    if (!closed.ok()) co_return closed;
    if (source.ended()) co_return absl::OkStatus();
    Task<absl::Status> open = Open(patience_);
    absl::Status opened = co_await std::move(open);
    if (!opened.ok()) co_return opened;
    source.OnReopened();
  }
}

template <net::ByteStream Stream>
Task<absl::Status> StreamConnection<Stream>::RunInTurns(RequestSource& source) {
  while (!source.ended() && !protocol_->wants_new_connection()) {
    const std::span<const std::byte> bytes =
        protocol_->Fill(source.Take(protocol_->room()), source);
    const size_t to_read = protocol_->read_bytes();
    if (incoming_.size() < to_read) incoming_.resize(to_read);
    if (bytes.size() <= kWrittenBeforeReading) {
      absl::Status written = co_await stream_->Write(bytes);
      if (!written.ok()) co_return written;
      absl::Status read = co_await ReadReplies(source);
      if (!read.ok()) co_return read;
    } else {
      absl::Status both = co_await WriteWhileReading(bytes, source);
      if (!both.ok()) co_return both;
    }
  }
  co_return absl::OkStatus();
}

template <net::ByteStream Stream>
Task<absl::Status> StreamConnection<Stream>::WriteAll(
    std::span<const std::byte> bytes) {
  co_return co_await stream_->Write(bytes);
}

template <net::ByteStream Stream>
Task<absl::Status> StreamConnection<Stream>::WriteWhileReading(
    std::span<const std::byte> bytes, RequestSource& source) {
  TaskScope scope;
  scope.Spawn(WriteAll(bytes)).Detach();
  scope.Spawn(ReadReplies(source)).Detach();
  co_return co_await scope.Join();
}

template <net::ByteStream Stream>
Task<absl::Status> StreamConnection<Stream>::ReadReplies(
    RequestSource& source) {
  while (protocol_->in_flight() > 0) {
    absl::StatusOr<size_t> n = co_await stream_->Read(incoming_);
    if (!n.ok()) co_return n.status();
    absl::Status taken =
        *n == 0 ? protocol_->TakeEnd(source)
                : protocol_->Take(std::span(incoming_).first(*n), source);
    if (!taken.ok()) co_return taken;
  }
  co_return absl::OkStatus();
}

template <net::ByteStream Stream>
Task<absl::Status> StreamConnection<Stream>::RunBothWays(
    RequestSource& source) {
  TaskScope scope;
  scope.Spawn(WriteWhenDue(source, scope)).Detach();
  scope.Spawn(ReadAlways(source)).Detach();
  co_return co_await scope.Join();
}

template <net::ByteStream Stream>
Task<absl::Status> StreamConnection<Stream>::WriteWhenDue(RequestSource& source,
                                                          TaskScope& scope) {
  const size_t at_once =
      std::max<size_t>(1, kMostWrittenAtOnce / protocol_->request_bytes());
  while (!protocol_->wants_new_connection()) {
    const size_t most = std::min(protocol_->room(), at_once);
    const std::span<const std::byte> bytes =
        protocol_->Fill(most == 0 ? 0 : source.Take(most), source);
    if (!bytes.empty()) {
      absl::Status written = co_await stream_->Write(bytes);
      if (!written.ok()) co_return written;
      continue;
    }
    if (source.ended() && protocol_->in_flight() == 0) break;
    absl::Status woken = co_await source.due().Wait();
    if (!woken.ok()) co_return woken;
  }
  scope.Cancel();  // the reader would wait for ever
  co_return absl::OkStatus();
}

template <net::ByteStream Stream>
Task<absl::Status> StreamConnection<Stream>::ReadAlways(RequestSource& source) {
  while (true) {
    absl::StatusOr<net::ReceivedBuffer> received = co_await stream_->Receive();
    if (!received.ok()) co_return received.status();
    const bool was_full = protocol_->room() == 0;
    absl::Status taken = received->empty()
                             ? protocol_->TakeEnd(source)
                             : protocol_->Take(received->bytes(), source);
    if (!taken.ok()) co_return taken;
    if (was_full || protocol_->wants_write() || source.ended() ||
        protocol_->wants_new_connection()) {
      source.due().NotifyOne();
    }
    if (received->empty()) co_return absl::OkStatus();
  }
}

template class StreamConnection<net::TcpStream>;
template class StreamConnection<net::TlsStream>;

}  // namespace ringway::loadgen
