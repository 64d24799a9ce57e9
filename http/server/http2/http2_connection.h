// SPDX-License-Identifier: Apache-2.0
//
// Http2Connection: serves the requests of one connection by HTTP/2.
//
// One task reads, one writes, and each request has one that runs its handler:
// all of one scope. What handlers give in one turn of the loop goes out in one
// write.

#ifndef RINGWAY_HTTP_SERVER_HTTP2_HTTP2_CONNECTION_H_
#define RINGWAY_HTTP_SERVER_HTTP2_HTTP2_CONNECTION_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/http2/upgrade_request.h"
#include "ringway/http/server/http2/http2_state.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/runtime/serving/server.h"

namespace ringway::http::internal {

template <net::ByteStream S>
class Http2Connection final : private Http2State {
 public:
  using Reader = net::BufferedReader<decltype(std::declval<S&>().reader())>;
  static constexpr size_t kReadBytes = size_t{64} << 10;

  // `in` reads from `stream`, and has nothing taken from it.
  Http2Connection(std::shared_ptr<const ServerCore> core, S stream, Reader in)
      : Http2State(std::move(core), CurrentExecutor().locals().Get<DateCache>(),
                   CurrentExecutor().locals().Get<RequestMemoryPool>(),
                   CurrentExecutor().loop()),
        stream_(std::move(stream)),
        in_(std::move(in)) {}

  // Called once. `upgrade`: the first request, if it came by HTTP/1.1.
  //
  // Result: OK when either side has ended it; else why it ended.
  Task<absl::Status> Serve(std::unique_ptr<UpgradeRequest> upgrade);

 private:
  static constexpr size_t kWriteBytes = size_t{64} << 10;
  // That a connection keeps while it has nothing to write.
  static constexpr size_t kKeptBytes = 4096;

  const net::SocketAddress& peer() override;
  bool is_secure() const override {
    return requires { stream_.transport(); };
  }

  Task<void> ReadLoop();
  Task<void> Read();
  Task<void> WriteLoop();
  Task<absl::Status> End();

  S stream_;
  Reader in_;
  std::string out_;
  CancelToken drain_ = DrainToken();
  // Ends the wait for the client: by the drain, or when the writer has ended.
  CancelSource interrupt_{drain_};
  net::SocketAddress peer_;
  absl::Status ended_;  // why, unless it is as agreed
  bool has_peer_ = false;
  bool written_ = false;  // nothing more will be
  bool at_end_ = false;   // the client's
  bool cut_ = false;
};

template <net::ByteStream S>
Task<absl::Status> Http2Connection<S>::Serve(
    std::unique_ptr<UpgradeRequest> upgrade) {
  TaskScope scope;
  scope_ = &scope;
  if (upgrade != nullptr) session().Upgrade(*upgrade);
  scope.Spawn(ReadLoop(), "HTTP/2 reader").Detach();
  scope.Spawn(WriteLoop(), "HTTP/2 writer").Detach();
  const absl::Status joined = co_await scope.Join();
  // Tasks end as cancelled when the reader has ended; the owner, at the cut.
  if (Executor::RunningTask("an HTTP/2 connection").cancelled()) {
    cut_ = true;
    if (ended_.ok()) ended_ = joined;
  }
  Task<absl::Status> end = End();
  co_return co_await std::move(end);
}

// The connection ends with it. Requests whose tasks are shielded end as well.
template <net::ByteStream S>
Task<void> Http2Connection<S>::ReadLoop() {
  Task<void> read = Read();
  co_await std::move(read);
  AbandonStreams();
  scope_->Cancel();
}

template <net::ByteStream S>
Task<void> Http2Connection<S>::Read() {
  Wake();  // for the SETTINGS
  while (!written_) {
    Shutdown(/*drain=*/drain_.cancelled());
    if (interrupt_.cancelled()) interrupt_ = CancelSource();
    // Of this frame: an executor that ends may destroy the connection first.
    const CancelToken interrupted = interrupt_.token();
    const absl::StatusOr<std::span<const std::byte>> arrived =
        co_await WithToken(interrupted, WithDeadline(ReadLimit(), in_.Fill(1)));
    if (arrived.ok() && !arrived->empty()) {
      const std::span<const std::byte> bytes =
          arrived->first(std::min(arrived->size(), kReadBytes));
      Http2State::Receive(bytes);
      in_.Consume(bytes.size());
    } else if (arrived.ok()) {
      at_end_ = true;
      if (options().client_end_cancels) co_return;
      // It waits for the responses to what it has sent.
      session().EndShutdown();
      Wake();
      while (!written_) {
        if (interrupt_.cancelled()) interrupt_ = CancelSource();
        CancelToken written = interrupt_.token();
        const absl::Status waited = co_await written.Cancelled();
        if (!waited.ok()) break;
      }
      co_return;
    } else if (interrupt_.cancelled()) {
      continue;
    } else if (absl::IsDeadlineExceeded(arrived.status())) {
      OnReadLimit();
    } else {
      ended_ = arrived.status();
      cut_ = true;
      co_return;
    }
  }
}

template <net::ByteStream S>
Task<void> Http2Connection<S>::WriteLoop() {
  while (!session().done()) {
    const absl::Status waited = co_await wake_.Wait();
    if (!waited.ok()) co_return;
    wake_.Reset();
    while (true) {
      out_.clear();
      session().Send(out_, kWriteBytes);
      if (out_.empty()) break;
      const std::span<const std::byte> bytes = std::as_bytes(std::span(out_));
      absl::Status sent =
          co_await WithTimeout(options().write_timeout, stream_.Write(bytes));
      if (!sent.ok()) {
        ended_ = std::move(sent);
        cut_ = true;
        break;
      }
    }
    if (cut_) break;
    // Assigning an empty string would keep the memory.
    if (idle() && out_.capacity() > kKeptBytes) std::string().swap(out_);
  }
  written_ = true;
  interrupt_.Cancel();
}

template <net::ByteStream S>
Task<absl::Status> Http2Connection<S>::End() {
  if (ended_.ok()) ended_ = session().status();
  if (cut_) {
    stream_.Reset();
  } else {
    // How that ends is of no interest: all responses have left.
    absl::Status closed;
    if (at_end_) {
      closed = co_await stream_.Close();
    } else {
      closed = co_await stream_.CloseGracefully(options().goodbye_timeout);
    }
    closed.IgnoreError();
  }
  co_return ended_;
}

template <net::ByteStream S>
const net::SocketAddress& Http2Connection<S>::peer() {
  if (has_peer_) return peer_;
  has_peer_ = true;
  if constexpr (requires { stream_.PeerAddress(); }) {
    peer_ = stream_.PeerAddress().value_or(net::SocketAddress());
  } else if constexpr (requires { stream_.transport().PeerAddress(); }) {
    peer_ = stream_.transport().PeerAddress().value_or(net::SocketAddress());
  }
  return peer_;
}

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_HTTP2_HTTP2_CONNECTION_H_
