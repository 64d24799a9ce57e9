// SPDX-License-Identifier: Apache-2.0
//
// TlsStatistics: what became of the handshakes of a TlsContext.

#ifndef RINGWAY_NET_TLS_TLS_STATISTICS_H_
#define RINGWAY_NET_TLS_TLS_STATISTICS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "ringway/core/compiler.h"

namespace ringway::net {

// Since the context was made, on all workers.
struct TlsStatistics {
  uint64_t handshakes_succeeded = 0;
  uint64_t tls12 = 0;  // of these, by version
  uint64_t tls13 = 0;
  uint64_t aes128_gcm = 0;  // of these, by cipher
  uint64_t aes256_gcm = 0;
  uint64_t chacha20_poly1305 = 0;
  uint64_t other_cipher = 0;
  uint64_t resumed = 0;  // of these
  // Of these, with KernelTls::kAuto: the kernel encrypts, or does not.
  uint64_t kernel_encrypts = 0;
  uint64_t kernel_refused = 0;
  uint64_t handshakes_failed = 0;
  uint64_t unauthenticated = 0;     // of these: a certificate was not accepted
  uint64_t timed_out = 0;           // of these: handshake_timeout
  uint64_t handshakes_refused = 0;  // ended or not begun: max_handshakes
  uint64_t offloaded = 0;           // steps that were made on the blocking pool
  absl::Duration handshake_time;    // of those that succeeded, together
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_TLS_STATISTICS_H_
