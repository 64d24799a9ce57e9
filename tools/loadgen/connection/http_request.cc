// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/http_request.h"

#include "absl/strings/str_cat.h"
#include "ringway/tools/loadgen/error_counts.h"

namespace ringway::loadgen {

http::OutgoingRequest OutgoingOf(const HttpRequest& request) {
  http::OutgoingRequest outgoing(request.method, request.target,
                                 request.authority, request.headers);
  outgoing.scheme = request.secure ? "https" : "http";
  outgoing.close = request.close;
  if (request.body_bytes > 0) {
    outgoing.framing = http::internal::Framing::kLength;
    outgoing.content_length = request.body_bytes;
  }
  return outgoing;
}

absl::Status CheckHttpRequest(const HttpRequest& request) {
  return http::CheckRequest(OutgoingOf(request));
}

absl::Status ExpectedResponse::CheckSlowly(int status_code, uint64_t n_bytes,
                                           uint64_t hash) {
  if (status_code / 100 != 2) return BadStatusError(status_code);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!known_) {
    n_bytes_ = n_bytes;
    hash_ = hash;
    known_.store(true, std::memory_order_release);
  }
  if (n_bytes != n_bytes_) {
    return absl::DataLossError(absl::StrCat(
        "a body of ", n_bytes, " bytes, the first one had ", n_bytes_));
  }
  if (hash != hash_)
    return absl::DataLossError("a body that differs from the first one");
  return absl::OkStatus();
}

}  // namespace ringway::loadgen
