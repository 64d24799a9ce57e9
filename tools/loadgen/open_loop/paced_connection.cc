// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/paced_connection.h"

#include <algorithm>
#include <span>

#include "absl/status/statusor.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"
#include "ringway/tools/loadgen/payload.h"

namespace ringway::loadgen {
namespace {

// Requests that wait are written together, up to this size.
constexpr size_t kMostWrittenAtOnce = 64 * 1024;

MonotonicTime LoopNow() { return CurrentLoop().backend().clock().Now(); }

}  // namespace

PacedConnection::PacedConnection(uint32_t index,
                                 const PacedTargetOptions& options,
                                 OpenMeter& meter)
    : index_(index),
      options_(options),
      meter_(meter),
      checker_(index, options.request_bytes, options.verify) {}

bool PacedConnection::Offer(const PacedRequest& request) {
  if (waiting_.size() + sent_.size() >= options_.queue) return false;
  waiting_.PushBack(request);
  if (waiting_.size() == 1) offered_.NotifyOne();
  return true;
}

template <net::ByteStream Stream>
Task<absl::Status> PacedConnection::Run(Stream& stream) {
  TaskScope scope;
  scope.Spawn(WriteRequests(stream)).Detach();
  scope.Spawn(ReadReplies(stream)).Detach();
  co_return co_await scope.Join();
}

void PacedConnection::Abandon() {
  while (!sent_.empty()) meter_.RecordLost(sent_.PopFront());
  while (!waiting_.empty()) meter_.RecordLost(waiting_.PopFront());
}

template <net::ByteStream Stream>
Task<absl::Status> PacedConnection::WriteRequests(Stream& stream) {
  while (true) {
    while (waiting_.empty()) {
      absl::Status woken = co_await offered_.Wait();
      if (!woken.ok()) co_return woken;
    }
    const size_t n_bytes = FillWrite();
    absl::Status written =
        co_await stream.Write(std::span(outgoing_).first(n_bytes));
    if (!written.ok()) co_return written;
  }
}

template <net::ByteStream Stream>
Task<absl::Status> PacedConnection::ReadReplies(Stream& stream) {
  while (true) {
    absl::StatusOr<net::ReceivedBuffer> received = co_await stream.Receive();
    if (!received.ok()) co_return received.status();
    if (received->empty()) co_return checker_.ClosedEarly(n_sent_);
    const absl::StatusOr<size_t> complete =
        checker_.Take(received->bytes(), n_sent_);
    if (!complete.ok()) co_return complete.status();
    if (*complete == 0) continue;
    const MonotonicTime now = LoopNow();
    for (size_t i = 0; i < *complete; ++i)
      meter_.RecordAnswered(sent_.PopFront(), now);
  }
}

size_t PacedConnection::FillWrite() {
  const size_t size = options_.request_bytes;
  const size_t n =
      std::min(waiting_.size(), std::max<size_t>(1, kMostWrittenAtOnce / size));
  if (outgoing_.size() < n * size) outgoing_.resize(n * size);
  const MonotonicTime now = LoopNow();
  for (size_t i = 0; i < n; ++i) {
    if (options_.verify) {
      FillRequest(index_, n_sent_,
                  std::span(outgoing_).subspan(i * size, size));
    }
    ++n_sent_;
    const PacedRequest request = waiting_.PopFront();
    meter_.RecordSent(request, now);
    sent_.PushBack(request);
  }
  return n * size;
}

template Task<absl::Status> PacedConnection::Run(net::TcpStream& stream);
template Task<absl::Status> PacedConnection::Run(net::TlsStream& stream);

}  // namespace ringway::loadgen
