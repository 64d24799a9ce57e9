// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/short_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"
#include "ringway/tools/loadgen/payload.h"

namespace ringway::loadgen {
namespace {

// The largest request that is written before its reply is read: less than the
// smallest usual socket buffer. A server may stop reading while its reply is
// not read.
constexpr size_t kWrittenFirst = 16 * 1024;

constexpr size_t kMostReadOfShort = 64 * 1024;

// Room to detect excess bytes.
constexpr size_t kExcessOfShort = 64;

const Clock& LoopClock() { return CurrentLoop().backend().clock(); }

}  // namespace

ShortClient::ShortClient(uint32_t index, const Target& target, size_t size,
                         bool verify)
    : index_(index),
      target_(target),
      request_(size),
      incoming_(std::min(size, kMostReadOfShort) + kExcessOfShort),
      checker_(index, size, verify) {}

Task<absl::StatusOr<MonotonicTime>> ShortClient::Exchange(
    absl::Duration patience) {
  return target_.tls.has_value() ? ExchangeOver<net::TlsStream>(patience)
                                 : ExchangeOver<net::TcpStream>(patience);
}

template <typename Stream>
Task<absl::StatusOr<MonotonicTime>> ShortClient::ExchangeOver(
    absl::Duration patience) {
  const MonotonicTime deadline = LoopClock().Now() + patience;
  checker_.SkipTo(exchanges_);
  FillRequest(index_, exchanges_++, request_);
  Task<absl::StatusOr<Stream>> open = OpenStream<Stream>(target_, patience);
  absl::StatusOr<Stream> stream = co_await std::move(open);
  if (!stream.ok()) co_return stream.status();
  absl::Status asked;
  if (request_.size() <= kWrittenFirst) {
    asked = co_await Ask(*stream, deadline);
  } else {
    asked = co_await AskWhileReading(*stream, deadline);
  }
  if (absl::IsDeadlineExceeded(asked)) {
    co_return absl::DeadlineExceededError(
        absl::StrCat("no reply within ", absl::FormatDuration(patience)));
  }
  if (!asked.ok()) co_return asked;
  const MonotonicTime answered = LoopClock().Now();
  absl::Status closed = co_await stream->Close();
  if (!closed.ok()) co_return closed;
  co_return answered;
}

template <typename Stream>
Task<absl::Status> ShortClient::Ask(Stream& stream, MonotonicTime deadline) {
  absl::Status written =
      co_await WithDeadline(deadline, stream.Write(request_));
  if (!written.ok()) co_return written;
  co_return co_await ReadReply(stream, deadline);
}

template <typename Stream>
Task<absl::Status> ShortClient::AskWhileReading(Stream& stream,
                                                MonotonicTime deadline) {
  TaskScope scope;
  scope.Spawn(Write(stream)).Detach();
  scope.Spawn(ReadReply(stream, deadline)).Detach();
  co_return co_await scope.Join();
}

template <typename Stream>
Task<absl::Status> ShortClient::Write(Stream& stream) {
  co_return co_await stream.Write(request_);
}

template <typename Stream>
Task<absl::Status> ShortClient::ReadReply(Stream& stream,
                                          MonotonicTime deadline) {
  while (checker_.complete() < exchanges_) {
    absl::StatusOr<size_t> n =
        co_await WithDeadline(deadline, stream.Read(incoming_));
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return checker_.ClosedEarly(exchanges_);
    absl::StatusOr<size_t> complete =
        checker_.Take(std::span(incoming_).first(*n), exchanges_);
    if (!complete.ok()) co_return complete.status();
  }
  co_return absl::OkStatus();
}

}  // namespace ringway::loadgen
