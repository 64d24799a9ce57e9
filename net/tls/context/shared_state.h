// SPDX-License-Identifier: Apache-2.0
//
// SharedState: what all loads of one TlsContext have in common, and what their
// callbacks use: counters, ticket keys, sessions, the key log.

#ifndef RINGWAY_NET_TLS_CONTEXT_SHARED_STATE_H_
#define RINGWAY_NET_TLS_CONTEXT_SHARED_STATE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "openssl/ssl.h"
#include "ringway/net/tls/context/key_log.h"
#include "ringway/net/tls/context/session_cache.h"
#include "ringway/net/tls/context/ticket_keys.h"
#include "ringway/net/tls/kernel/kernel_keys.h"
#include "ringway/net/tls/tls_statistics.h"

namespace ringway::net::internal {

// Relaxed: they order nothing.
class HandshakeCounters {
 public:
  // The handshake of `ssl` is done.
  void CountSuccess(const SSL& ssl, absl::Duration time);
  // Of one that asked for the kernel: whether the kernel encrypts.
  void CountKernel(bool encrypts) {
    Add(encrypts ? kernel_encrypts_ : kernel_refused_);
  }
  void CountFailure(const absl::Status& status);
  void CountRefusal() { Add(refused_); }
  void CountOffload() { Add(offloaded_); }
  TlsStatistics Read() const;

 private:
  using Counter = std::atomic<uint64_t>;
  Counter& CounterOf(const SSL_CIPHER* cipher);
  static void Add(Counter& counter, uint64_t n = 1) {
    counter.fetch_add(n, std::memory_order_relaxed);
  }

  Counter tls12_{0};
  Counter tls13_{0};
  Counter aes128_gcm_{0};
  Counter aes256_gcm_{0};
  Counter chacha20_poly1305_{0};
  Counter other_cipher_{0};
  Counter resumed_{0};
  Counter kernel_encrypts_{0};
  Counter kernel_refused_{0};
  Counter failed_{0};
  Counter unauthenticated_{0};
  Counter timed_out_{0};
  Counter refused_{0};
  Counter offloaded_{0};
  Counter nanoseconds_{0};
};

// Threads: any.
struct SharedState {
  SharedState(absl::Duration ticket_key_lifetime, size_t session_cache_size)
      : tickets(ticket_key_lifetime), sessions(session_cache_size) {}

  // Set before it is shared: KernelTls::kAuto, and what the kernel has of it.
  bool wants_kernel = false;
  KernelCiphers kernel_ciphers;
  HandshakeCounters counters;
  TicketKeys tickets;
  SessionCache sessions;
  KeyLog key_log;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_CONTEXT_SHARED_STATE_H_
