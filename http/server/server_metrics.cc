// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/server_metrics.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/metrics/metric.h"
#include "ringway/core/metrics/metric_registry.h"

namespace ringway::http::internal {

absl::StatusOr<ServerMetrics> ServerMetrics::Named(std::string_view name) {
  static constexpr std::array<std::string_view, 6> kClasses = {
      "none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  MetricRegistry& registry = MetricRegistry::Default();
  ServerMetrics metrics;
  for (size_t i = 0; i < kClasses.size(); ++i) {
    absl::StatusOr<Counter> added = registry.AddCounter(
        "http_requests_total",
        "Requests that have ended, by the class of their response's status.",
        {{"server", name}, {"code", kClasses[i]}});
    if (!added.ok()) return added.status();
    metrics.requests_[i] = *added;
  }
  for (size_t i = 0; i < kRefusals.size(); ++i) {
    const std::string code = absl::StrCat(kRefusals[i]);
    absl::StatusOr<Counter> added = registry.AddCounter(
        "http_refusals_total",
        "Requests that the server has refused by itself, by their status: a "
        "limit, a deadline, or a request that is malformed.",
        {{"server", name}, {"code", code}});
    if (!added.ok()) return added.status();
    metrics.refusals_[i] = *added;
  }
  absl::StatusOr<Counter> gone = registry.AddCounter(
      "http_clients_gone_total",
      "Handlers that were cancelled because their client has gone.",
      {{"server", name}});
  if (!gone.ok()) return gone.status();
  metrics.clients_gone_ = *gone;
  absl::StatusOr<Counter> bytes = registry.AddCounter(
      "http_response_body_bytes_total", "Bytes of bodies that were sent.",
      {{"server", name}});
  if (!bytes.ok()) return bytes.status();
  metrics.body_bytes_ = *bytes;
  absl::StatusOr<Distribution> duration = registry.AddDistribution(
      "http_request_duration_seconds",
      "From the end of a request's head to the end of its response.",
      kDurationBounds, {{"server", name}});
  if (!duration.ok()) return duration.status();
  metrics.duration_ = *duration;
  metrics.counts_ = true;
  return metrics;
}

void ServerMetrics::OnRequestEnd(int status_code, uint64_t body_bytes,
                                 absl::Duration duration) {
  if (!counts_) return;
  requests_[static_cast<size_t>(std::clamp(status_code / 100, 0, 5))]
      .Increment();
  body_bytes_.Increment(body_bytes);
  duration_.Record(duration);
}

void ServerMetrics::OnRefusal(int status_code) {
  const auto at = std::find(kRefusals.begin(), kRefusals.end(), status_code);
  if (at == kRefusals.end()) return;
  refusals_[static_cast<size_t>(at - kRefusals.begin())].Increment();
}

}  // namespace ringway::http::internal
