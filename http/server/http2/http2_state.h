// SPDX-License-Identifier: Apache-2.0
//
// Http2State: the part of an HTTP/2 connection that does not depend on its
// stream of bytes: the session, and the requests that are being answered.

#ifndef RINGWAY_HTTP_SERVER_HTTP2_HTTP2_STATE_H_
#define RINGWAY_HTTP_SERVER_HTTP2_HTTP2_STATE_H_

#include <cstddef>
#include <memory>
#include <span>

#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/task/event.h"
#include "ringway/http/http2/server_session.h"
#include "ringway/http/server/date_cache.h"
#include "ringway/http/server/request_memory.h"
#include "ringway/http/server/server_core.h"
#include "ringway/net/socket_address.h"

namespace ringway::http::internal {

class Http2Stream;

class Http2State : private ServerSession::Host {
 public:
  Http2State(std::shared_ptr<const ServerCore> core, DateCache& date,
             RequestMemoryPool& memory, Loop& loop);
  Http2State(const Http2State&) = delete;
  Http2State& operator=(const Http2State&) = delete;

  const ServerCore& core() const { return *core_; }
  const ServerOptions& options() const { return core_->options; }
  DateCache& date() { return date_; }
  RequestMemoryPool& memory() { return memory_; }
  Loop& loop() { return loop_; }
  ServerSession& session() { return session_; }

  virtual const net::SocketAddress& peer() = 0;
  virtual bool is_secure() const = 0;

  // The session may have something to send: that is written once the tasks
  // that are ready have run.
  void Wake() { wake_.Set(); }

  // --- For streams.

  // Spawns its task, or refuses it: then it is destroyed.
  void Begin(Http2Stream& stream);
  // Destroys it.
  void Forget(Http2Stream& stream);

 protected:
  // No task of a stream is alive.
  ~Http2State();

  // No request is being answered.
  bool idle() const { return streams_.empty(); }
  // When the client has to have sent more.
  MonotonicTime ReadLimit();
  // That time is over.
  void OnReadLimit();
  // Takes what the client has sent.
  void Receive(std::span<const std::byte> bytes);
  // The connection is lost, for all requests.
  void AbandonStreams();
  // Begins the graceful end once it is due, and goes on with it. `drain`: the
  // server wants that.
  void Shutdown(bool drain);

  TaskScope* scope_ = nullptr;  // that of the tasks
  Event wake_;

 private:
  ServerStream& NewStream() override;

  const std::shared_ptr<const ServerCore> core_;
  DateCache& date_;
  RequestMemoryPool& memory_;
  Loop& loop_;
  ServerSession session_;
  IntrusiveList<Http2Stream> streams_;
  size_t n_tasks_ = 0;
  int32_t head_stream_ = 0;
  MonotonicTime head_limit_;
  MonotonicTime idle_since_;
  MonotonicTime shutdown_limit_ = MonotonicTime::Infinite();
  bool shutting_down_ = false;
  bool read_limit_over_ = false;  // the end has begun
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_HTTP2_HTTP2_STATE_H_
