// SPDX-License-Identifier: Apache-2.0
//
// HttpRequest: what a run asks of a server of HTTP, again and again; and
// ExpectedResponse: what the responses must be.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_HTTP_REQUEST_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_HTTP_REQUEST_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "ringway/http/http1/request_text.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"

namespace ringway::loadgen {

struct HttpRequest {
  HttpRequest() {}

  http::Method method = http::Method::kGet;
  std::string authority;  // "127.0.0.1:8080"
  std::string target = "/";
  bool secure = false;  // https
  http::Headers headers;
  size_t body_bytes = 0;
  // It is the last one of its connection.
  bool close = false;
  // The bodies of responses are compared, not only their lengths.
  bool compare_bodies = false;
};

// Its head, whose views are of `request`.
http::OutgoingRequest OutgoingOf(const HttpRequest& request);

// Whether it can be sent: its headers are fields, and none that is the
// connection's (http::CheckRequest()).
//
// Errors: InvalidArgument, Unimplemented.
absl::Status CheckHttpRequest(const HttpRequest& request);

// The first response that is a success decides what the others must be.
//
// Threads: any.
class ExpectedResponse {
 public:
  // A response has come, with a body of `n_bytes` and this hash, which is
  // always the same if bodies are not compared.
  //
  // Errors: BadStatusError() unless it is 200 to 299; DataLoss for a body that
  //         is not like the first one.
  // Cost:   no allocation without an error.
  absl::Status Check(int status_code, uint64_t n_bytes, uint64_t hash) {
    if (status_code / 100 == 2 && known_.load(std::memory_order_acquire) &&
        n_bytes == n_bytes_ && hash == hash_) [[likely]] {
      return absl::OkStatus();
    }
    return CheckSlowly(status_code, n_bytes, hash);
  }

  // The length of the first body; none before.
  std::optional<uint64_t> body_bytes() const {
    if (!known_.load(std::memory_order_acquire)) return std::nullopt;
    return n_bytes_;
  }

 private:
  absl::Status CheckSlowly(int status_code, uint64_t n_bytes, uint64_t hash);

  std::mutex mutex_;
  std::atomic<bool> known_{false};  // the others do not change any more
  uint64_t n_bytes_ = 0;
  uint64_t hash_ = 0;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_HTTP_REQUEST_H_
