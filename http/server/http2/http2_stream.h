// SPDX-License-Identifier: Apache-2.0
//
// Http2Stream: one request of an HTTP/2 connection while it is answered, by a
// task of its own.

#ifndef RINGWAY_HTTP_SERVER_HTTP2_HTTP2_STREAM_H_
#define RINGWAY_HTTP_SERVER_HTTP2_HTTP2_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/http/http2/server_stream.h"
#include "ringway/http/server/answer_state.h"
#include "ringway/http/server/handler_watch.h"
#include "ringway/http/server/http2/http2_state.h"
#include "ringway/http/server/request.h"
#include "ringway/http/server/request_memory.h"

namespace ringway::http::internal {

// Destroyed by its connection's Forget(), which ends its task's work.
class Http2Stream final : public ServerStream,
                          public ListNode,
                          private AnswerState {
 public:
  explicit Http2Stream(Http2State& connection);

  // Runs the handler and sees to it that the client gets a response.
  Task<void> Run();
  void OnSpawned() { spawned_ = true; }
  bool spawned() const { return spawned_; }
  // Before it is destroyed, unless its worker ends.
  void ReturnMemory();

 private:
  // --- Exchange.
  Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte> to) override;
  const Headers& trailers() const override { return ServerStream::trailers(); }
  Task<absl::Status> Send(int status_code, const Headers& headers,
                          std::string_view body) override;
  Task<absl::Status> SendFile(int status_code, const Headers& headers, int file,
                              int64_t offset, uint64_t n_bytes) override;
  Task<absl::Status> Start(int status_code, const Headers& headers) override;
  Task<absl::Status> Write(std::span<const std::byte> bytes) override;
  Task<absl::Status> Finish(const Headers& trailers) override;
  Task<absl::Status> SendInformational(int status_code,
                                       const Headers& headers) override;
  Task<absl::StatusOr<Tunnel*>> Upgrade(std::string_view protocol,
                                        const Headers& headers) override;
  const net::SocketAddress& peer() override { return connection_.peer(); }
  bool is_secure() const override { return connection_.is_secure(); }

  void OnResponseBegun() override { watch_.Limit(options().response_timeout); }

  // --- ServerStream.
  void OnRequest() override { connection_.Begin(*this); }
  void OnBody() override { body_arrived_.Set(); }
  void OnSent() override { sent_.Set(); }
  void OnClosed() override;

  class Watch final : public HandlerWatch {
   public:
    explicit Watch(Http2Stream& stream)
        : HandlerWatch(stream.connection_.loop()), stream_(stream) {}

   private:
    // The connection looks after the client.
    bool OnPatience() override { return true; }
    void OnTimeout() override {
      stream_.timed_out_ = true;
      stream_.task_->RequestCancel();
    }

    Http2Stream& stream_;
  };

  ServerSession& session() { return connection_.session(); }

  Task<void> Answer();
  Task<void> EndAnswer(absl::Status handled);
  // Why the request gets no handler.
  absl::Status Refusal();
  // Submits the head of the response.
  absl::Status BeginResponse(int status_code, const Headers& headers,
                             std::optional<uint64_t> n_body, bool default_type);
  // Gives bytes to the session and waits until they are in frames. `last`: the
  // body ends with them.
  Task<absl::Status> Give(std::span<const std::byte> bytes, bool last);
  // Waits until the session has sent all that it was given, and for `end` also
  // the end of the response.
  Task<absl::Status> WaitSent(bool end);
  void Log(const absl::Status& handled);

  Http2State& connection_;
  std::unique_ptr<RequestMemory> memory_;
  Request request_;
  Watch watch_;
  TaskContext* task_ = nullptr;  // once it runs
  Event body_arrived_;
  Event sent_;
  bool spawned_ = false;
  bool continue_due_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_HTTP2_HTTP2_STREAM_H_
