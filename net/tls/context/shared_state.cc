// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/shared_state.h"

namespace ringway::net::internal {

void HandshakeCounters::CountSuccess(bool is_tls13, bool resumed,
                                     absl::Duration time) {
  Add(is_tls13 ? tls13_ : tls12_);
  if (resumed) Add(resumed_);
  Add(nanoseconds_, static_cast<uint64_t>(absl::ToInt64Nanoseconds(time)));
}

void HandshakeCounters::CountFailure(const absl::Status& status) {
  Add(failed_);
  if (absl::IsUnauthenticated(status)) Add(unauthenticated_);
  if (absl::IsDeadlineExceeded(status)) Add(timed_out_);
}

TlsStatistics HandshakeCounters::Read() const {
  const auto value_of = [](const Counter& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  TlsStatistics statistics;
  statistics.tls12 = value_of(tls12_);
  statistics.tls13 = value_of(tls13_);
  statistics.handshakes_succeeded = statistics.tls12 + statistics.tls13;
  statistics.resumed = value_of(resumed_);
  statistics.handshakes_failed = value_of(failed_);
  statistics.unauthenticated = value_of(unauthenticated_);
  statistics.timed_out = value_of(timed_out_);
  statistics.handshakes_refused = value_of(refused_);
  statistics.offloaded = value_of(offloaded_);
  statistics.handshake_time =
      absl::Nanoseconds(static_cast<int64_t>(value_of(nanoseconds_)));
  return statistics;
}

}  // namespace ringway::net::internal
