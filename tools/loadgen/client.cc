// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/client.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"
#include "ringway/tools/loadgen/payload.h"

namespace ringway::loadgen {
namespace {

// The most written before replies are read: less than the smallest usual
// socket buffer, because a server may stop reading while its replies are not
// read. The rest is written while replies are read.
constexpr size_t kWrittenBeforeReading = 16 * 1024;

constexpr size_t kMostReadAtOnce = 64 * 1024;

// Room to detect excess bytes.
constexpr size_t kExcess = 64;

}  // namespace

Client::Client(int index, const ClientOptions& options, Meter& meter)
    : index_(index),
      options_(options),
      meter_(meter),
      batch_(options.size * options.pipeline),
      incoming_(std::min(batch_.size(), kMostReadAtOnce) + kExcess) {
  FillBatch();
}

template <net::ByteStream Stream>
Task<absl::Status> Client::Run(Stream& stream, const bool& stop) {
  written_ = Clock::Real().Now();
  while (!stop) {
    if (batch_.size() <= kWrittenBeforeReading) {
      absl::Status written = co_await stream.Write(batch_);
      if (!written.ok()) co_return written;
      absl::Status read = co_await ReadReplies(stream);
      if (!read.ok()) co_return read;
    } else {
      JoinHandle<absl::Status> writing = Spawn(WriteBatch(stream));
      absl::Status read = co_await ReadReplies(stream);
      if (!read.ok()) writing.Cancel();
      absl::Status written = co_await writing;
      if (!read.ok()) co_return read;
      if (!written.ok()) co_return written;
    }
    ++batches_;
    if (options_.verify) FillBatch();
  }
  co_return absl::OkStatus();
}

void Client::FillBatch() {
  for (size_t i = 0; i < options_.pipeline; ++i) {
    FillRequest(static_cast<uint32_t>(index_), batches_ * options_.pipeline + i,
                std::span(batch_).subspan(i * options_.size, options_.size));
  }
}

template <net::ByteStream Stream>
Task<absl::Status> Client::WriteBatch(Stream& stream) {
  co_return co_await stream.Write(batch_);
}

template <net::ByteStream Stream>
Task<absl::Status> Client::ReadReplies(Stream& stream) {
  size_t received = 0;
  size_t replies = 0;
  while (received < batch_.size()) {
    absl::StatusOr<size_t> n = co_await stream.Read(incoming_);
    if (!n.ok()) co_return n.status();
    received += *n;
    if (absl::Status s = Check(received, *n); !s.ok()) co_return s;
    const size_t complete = received / options_.size;
    if (complete == replies) continue;
    const MonotonicTime now = Clock::Real().Now();
    meter_.RecordReplies(written_, now, complete - replies);
    replies = complete;
    // The next batch follows at once, so one clock reading serves both.
    if (received == batch_.size()) written_ = now;
  }
  co_return absl::OkStatus();
}

absl::Status Client::Check(size_t received, size_t n) const {
  if (n == 0) {
    return absl::OutOfRangeError(absl::StrCat("the server hung up with ",
                                              batch_.size() - received,
                                              " bytes of replies missing"));
  }
  if (received > batch_.size()) {
    return absl::DataLossError(absl::StrCat(
        "the server sent ", received - batch_.size(), " bytes too many"));
  }
  const size_t from = received - n;
  if (!options_.verify || memcmp(&batch_[from], incoming_.data(), n) == 0)
      [[likely]] {
    return absl::OkStatus();
  }
  const auto [sent, got] = std::mismatch(
      batch_.begin() + static_cast<ptrdiff_t>(from),
      batch_.begin() + static_cast<ptrdiff_t>(received), incoming_.begin());
  return Mismatch(static_cast<size_t>(sent - batch_.begin()), *got);
}

absl::Status Client::Mismatch(size_t at, std::byte got) const {
  return absl::DataLossError(absl::StrFormat(
      "byte %d of the reply to request %d is 0x%02x, must be 0x%02x",
      at % options_.size, batches_ * options_.pipeline + at / options_.size,
      static_cast<int>(got), static_cast<int>(batch_[at])));
}

template Task<absl::Status> Client::Run(net::TcpStream& stream,
                                        const bool& stop);
template Task<absl::Status> Client::Run(net::TlsStream& stream,
                                        const bool& stop);

}  // namespace ringway::loadgen
