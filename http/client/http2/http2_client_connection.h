// SPDX-License-Identifier: Apache-2.0
//
// Http2ClientConnection: many calls at a time by HTTP/2 over one connection,
// without a pool.
//
//   std::shared_ptr<Http2ClientState> connection =
//       Http2ClientConnection<net::TcpStream>::Start(options,
//                                                    std::move(stream));
//
// Http2Call makes a call. A task of the connection reads, another one writes:
// what calls give in one turn of the loop goes out in one write. They end with
// the connection: when it was retired and no call is under way, when it was
// idle for ClientOptions::idle_timeout, or when the server has ended it.

#ifndef RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_CLIENT_CONNECTION_H_
#define RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_CLIENT_CONNECTION_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/http2/http2_client_state.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/stream_concepts.h"

namespace ringway::http::internal {

template <net::ByteStream S>
class Http2ClientConnection final : public Http2ClientState {
 public:
  static constexpr size_t kReadBytes = size_t{64} << 10;

  // Spawns its tasks, which share it.
  //
  // Errors: those of Spawn(): ResourceExhausted, Cancelled.
  static absl::StatusOr<std::shared_ptr<Http2ClientState>> Start(
      std::shared_ptr<const ClientOptions> options, S stream) {
    auto made = std::make_shared<Http2ClientConnection>(std::move(options),
                                                        std::move(stream));
    const JoinHandle<void> run = Spawn(Run(made), "an HTTP/2 connection");
    if (!run.spawn_status().ok()) return run.spawn_status();
    return made;
  }

  Http2ClientConnection(std::shared_ptr<const ClientOptions> options, S stream)
      : Http2ClientState(std::move(options)),
        stream_(std::move(stream)),
        in_(stream_.reader(), kReadBytes) {}

 private:
  static constexpr size_t kWriteBytes = size_t{64} << 10;
  // That a connection keeps while it has nothing to write.
  static constexpr size_t kKeptBytes = 4096;

  // Tells calls, if their loop ends before the connection.
  struct LoopEnd {
    ~LoopEnd() { connection.EndWithLoop(); }
    Http2ClientConnection& connection;
  };

  static Task<void> Run(std::shared_ptr<Http2ClientConnection> self);
  // Keep it themselves: an executor that ends destroys tasks in any order.
  static Task<void> ReadLoop(std::shared_ptr<Http2ClientConnection> self);
  static Task<void> WriteLoop(std::shared_ptr<Http2ClientConnection> self);
  Task<void> Read();
  Task<void> Write();
  // Ends the other loop, too.
  void Stop(absl::Status why) {
    if (ended_with_.ok()) ended_with_ = std::move(why);
    interrupt_.Cancel();
    Wake();
  }

  S stream_;
  net::BufferedReader<decltype(std::declval<S&>().reader())> in_;
  std::string out_;
  CancelSource interrupt_;   // of the reader
  absl::Status ended_with_;  // OK: as agreed
  bool written_ = false;     // nothing more will be
};

template <net::ByteStream S>
Task<void> Http2ClientConnection<S>::Run(
    std::shared_ptr<Http2ClientConnection> self) {
  const LoopEnd at_loop_end{*self};
  TaskScope scope;
  scope.Spawn(ReadLoop(self), "HTTP/2 client reader").Detach();
  scope.Spawn(WriteLoop(self), "HTTP/2 client writer").Detach();
  absl::Status joined = co_await scope.Join();
  absl::Status why = self->ended_with_;
  if (why.ok()) why = self->session().status();
  if (why.ok()) why = std::move(joined);
  const bool cut = !why.ok();
  if (!cut) why = absl::UnavailableError("the server has ended the connection");
  self->Http2ClientState::End(why);
  if (cut) {
    self->stream_.Reset();
  } else {
    const absl::Status closed = co_await self->stream_.Close();
    closed.IgnoreError();
  }
}

template <net::ByteStream S>
Task<void> Http2ClientConnection<S>::ReadLoop(
    std::shared_ptr<Http2ClientConnection> self) {
  Task<void> read = self->Read();
  co_await std::move(read);
}

template <net::ByteStream S>
Task<void> Http2ClientConnection<S>::WriteLoop(
    std::shared_ptr<Http2ClientConnection> self) {
  Task<void> write = self->Write();
  co_await std::move(write);
}

template <net::ByteStream S>
Task<void> Http2ClientConnection<S>::Read() {
  while (!written_) {
    const absl::StatusOr<std::span<const std::byte>> arrived =
        co_await WithToken(interrupt_.token(),
                           WithDeadline(ReadLimit(), in_.Fill(1)));
    if (arrived.ok() && !arrived->empty()) {
      const std::span<const std::byte> bytes =
          arrived->first(std::min(arrived->size(), kReadBytes));
      Receive(bytes);
      in_.Consume(bytes.size());
    } else if (absl::IsDeadlineExceeded(arrived.status())) {
      OnReadLimit();
    } else if (interrupt_.cancelled()) {
      co_return;  // the writer has ended
    } else {
      Stop(arrived.ok()
               ? absl::UnavailableError("the server has closed the connection")
               : arrived.status());
      co_return;
    }
  }
}

template <net::ByteStream S>
Task<void> Http2ClientConnection<S>::Write() {
  Wake();  // for the preface
  while (!session().done() && ended_with_.ok()) {
    const absl::Status waited = co_await wake_.Wait();
    if (!waited.ok()) {
      Stop(waited);
      co_return;
    }
    wake_.Reset();
    while (ended_with_.ok()) {
      out_.clear();
      session().Send(out_, kWriteBytes);
      if (out_.empty()) break;
      const std::span<const std::byte> bytes = std::as_bytes(std::span(out_));
      absl::Status sent =
          co_await WithTimeout(options().write_timeout, stream_.Write(bytes));
      if (absl::IsDeadlineExceeded(sent)) {
        sent = absl::DeadlineExceededError(
            "the server has exceeded ClientOptions::write_timeout");
      }
      if (!sent.ok()) Stop(std::move(sent));
    }
    // Assigning an empty string would keep the memory.
    if (out_.capacity() > kKeptBytes && !session().has_output())
      std::string().swap(out_);
  }
  written_ = true;
  interrupt_.Cancel();
}

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_CLIENT_CONNECTION_H_
