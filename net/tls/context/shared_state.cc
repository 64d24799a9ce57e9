// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/shared_state.h"

namespace ringway::net::internal {

void HandshakeCounters::CountSuccess(const SSL& ssl, absl::Duration time) {
  Add(SSL_version(&ssl) >= TLS1_3_VERSION ? tls13_ : tls12_);
  Add(CounterOf(SSL_get_current_cipher(&ssl)));
  if (SSL_session_reused(&ssl) == 1) Add(resumed_);
  Add(nanoseconds_, static_cast<uint64_t>(absl::ToInt64Nanoseconds(time)));
}

HandshakeCounters::Counter& HandshakeCounters::CounterOf(
    const SSL_CIPHER* cipher) {
  switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm:
      return aes128_gcm_;
    case NID_aes_256_gcm:
      return aes256_gcm_;
    case NID_chacha20_poly1305:
      return chacha20_poly1305_;
    default:
      return other_cipher_;
  }
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
  statistics.aes128_gcm = value_of(aes128_gcm_);
  statistics.aes256_gcm = value_of(aes256_gcm_);
  statistics.chacha20_poly1305 = value_of(chacha20_poly1305_);
  statistics.other_cipher = value_of(other_cipher_);
  statistics.resumed = value_of(resumed_);
  statistics.kernel_encrypts = value_of(kernel_encrypts_);
  statistics.kernel_refused = value_of(kernel_refused_);
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
