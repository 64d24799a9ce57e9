// SPDX-License-Identifier: Apache-2.0
//
// Http1State: the part of an HTTP/1 connection that does not depend on its
// stream: the request that has come, and the bytes of its response.

#ifndef RINGWAY_HTTP_SERVER_HTTP1_HTTP1_STATE_H_
#define RINGWAY_HTTP_SERVER_HTTP1_HTTP1_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/http1/request_parser.h"
#include "ringway/http/http1/response_head.h"
#include "ringway/http/server/answer_state.h"
#include "ringway/http/server/date_cache.h"
#include "ringway/http/server/request.h"
#include "ringway/http/server/request_memory.h"
#include "ringway/http/server/server_core.h"

namespace ringway::http::internal {

class Http1State : public AnswerState {
 public:
  // A body of up to so many bytes is copied behind its head: cheaper than a
  // write of two parts.
  static constexpr size_t kCopiedBytes = 2048;

  Http1State(std::shared_ptr<const ServerCore> core, DateCache& date,
             RequestMemoryPool& pool)
      : AnswerState(*core),
        keeps_core_(std::move(core)),
        date_(date),
        pool_(pool),
        parser_(options().request),
        request_(parser_.head(), *this) {}

  const Headers& trailers() const final { return parser_.trailers(); }

 protected:
  ~Http1State() = default;

  // --- The request.

  // Before the next head arrives.
  void Forget();
  // Something of it has.
  void BorrowMemory() {
    if (memory_ == nullptr) TakeMemory();
  }
  // Nothing is being received or answered.
  void ReturnMemory();
  // Bytes of the response.
  std::string& out() {
    BorrowMemory();
    return memory_->out;
  }
  // The head of a request is complete.
  void BeginRequest(MonotonicTime now);
  // Reads the rest of a body, for the next request to follow.
  Task<absl::Status> SkipBody();
  // Accounts for `n` bytes of the body that arrived; 0: it has ended.
  absl::Status OnBody(size_t n);
  // What is left of a body that nobody reads is too much to be skipped.
  bool TooMuchUnread() const;

  // --- The response.

  // Begins one: puts its head into out(). `n_body`: of a body whose length is
  // known.
  absl::Status BeginResponse(int status_code, const Headers& headers,
                             std::optional<uint64_t> n_body, bool default_type);
  // The same with the 101 that leaves HTTP for `protocol`.
  absl::Status BeginUpgrade(std::string_view protocol, const Headers& headers);
  // The answer is over.
  void Log(const absl::Status& handled, MonotonicTime now);

  const std::shared_ptr<const ServerCore> keeps_core_;
  DateCache& date_;
  RequestMemoryPool& pool_;
  RequestParser parser_;
  Request request_;

  CancelToken drain_;       // of no source until the first request has come
  uint64_t body_left_ = 0;  // of a body with a Content-Length
  uint64_t n_requests_ = 0;
  Framing framing_ = Framing::kLength;
  bool body_done_ = true;
  bool continue_due_ = false;
  bool keep_ = false;         // the connection, after this request
  bool client_keeps_ = true;  // the same, as the client has said

 private:
  void TakeMemory();

  std::unique_ptr<RequestMemory> memory_;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_HTTP1_HTTP1_STATE_H_
