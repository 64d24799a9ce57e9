// SPDX-License-Identifier: Apache-2.0
//
// ServerMetrics: what an HTTP server counts, on the page of MetricRegistry.

#ifndef RINGWAY_HTTP_SERVER_SERVER_METRICS_H_
#define RINGWAY_HTTP_SERVER_SERVER_METRICS_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/metrics/metric_handles.h"

namespace ringway::http::internal {

// Threads: any.
class ServerMetrics {
 public:
  // Counts nothing.
  ServerMetrics() = default;

  // Those with the label server="NAME" (docs/http.md has their names).
  //
  // Errors: as MetricRegistry's, such as AlreadyExists for a second server of
  //         the name.
  static absl::StatusOr<ServerMetrics> Named(std::string_view name);

  // `status_code` 0: the client got no response.
  void OnRequestEnd(int status_code, uint64_t body_bytes,
                    absl::Duration duration);
  // The server has refused a request for one of its limits or deadlines, or
  // because it is malformed.
  void OnRefusal(int status_code);
  // The client has ended its connection, which has cancelled a handler.
  void OnClientGone() { clients_gone_.Increment(); }

 private:
  static constexpr std::array<int, 9> kRefusals = {400, 408, 413, 414, 417,
                                                   431, 501, 503, 505};

  std::array<Counter, 6> requests_;  // by the first digit of the status code
  std::array<Counter, kRefusals.size()> refusals_;
  Counter clients_gone_;
  Counter body_bytes_;
  Distribution duration_;
  bool counts_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_SERVER_METRICS_H_
