// SPDX-License-Identifier: Apache-2.0
//
// Http2ClientState: the client's side of an HTTP/2 connection, but for its
// stream of bytes: the session, and the calls that are under way.

#ifndef RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_CLIENT_STATE_H_
#define RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_CLIENT_STATE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/event.h"
#include "ringway/http/client/client_options.h"
#include "ringway/http/http2/client/client_session.h"

namespace ringway::http::internal {

class Http2Call;

// Calls and the task of the connection share it.
class Http2ClientState {
 public:
  Http2ClientState(const Http2ClientState&) = delete;
  Http2ClientState& operator=(const Http2ClientState&) = delete;
  virtual ~Http2ClientState() = default;

  const ClientOptions& options() const { return *options_; }
  ClientSession& session() { return session_; }
  // For Http2ClientLimits::max_streams calls at one time; closed once no call
  // may begin.
  Semaphore& places() { return places_; }

  // A call may begin.
  bool accepts() const { return !retired_ && !ended_ && session_.accepts(); }
  // No call begins any more; it ends after those that are under way.
  void Retire();
  // Calls `function` once it has ended.
  void OnEnd(std::function<void()> function) { on_end_ = std::move(function); }

  // --- For calls.

  // The session may have something to send: that is written once the tasks
  // that are ready have run.
  void Wake() { wake_.Set(); }
  void Add(Http2Call& call);
  void Remove(Http2Call& call);
  // A call has waited in vain since then. If nothing has come meanwhile, for
  // no call, the connection is taken for dead.
  void OnSilence(MonotonicTime since);
  // It has ended, and no call can go on.
  bool ended() const { return ended_; }
  // That have begun on it.
  size_t n_calls() const { return n_calls_; }

 protected:
  explicit Http2ClientState(std::shared_ptr<const ClientOptions> options);

  // When to look again whether it is idle for too long.
  MonotonicTime ReadLimit() const;
  void OnReadLimit();
  // Takes what the server has sent.
  void Receive(std::span<const std::byte> bytes);
  // The connection is lost, for all calls.
  void End(const absl::Status& why);
  // Without a word to them: their tasks have ended.
  void EndWithLoop() { ended_ = true; }

  Event wake_;

 private:
  const std::shared_ptr<const ClientOptions> options_;
  ClientSession session_;
  Semaphore places_;
  IntrusiveList<Http2Call> calls_;
  std::function<void()> on_end_;
  size_t n_calls_ = 0;
  MonotonicTime idle_since_;
  MonotonicTime heard_at_;
  bool retired_ = false;
  bool ended_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_CLIENT_STATE_H_
