// SPDX-License-Identifier: Apache-2.0
//
// TicketKeys: the keys of a server's session tickets, shared by its workers, so
// that a session is resumed on whichever worker gets the connection.

#ifndef RINGWAY_NET_TLS_CONTEXT_TICKET_KEYS_H_
#define RINGWAY_NET_TLS_CONTEXT_TICKET_KEYS_H_

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "absl/time/time.h"
#include "openssl/ssl.h"

namespace ringway::net::internal {

struct TicketKey {
  std::array<uint8_t, 16> name;
  std::array<uint8_t, 32> aes;
  std::array<uint8_t, 32> hmac;
  absl::Time made;
};

// A key encrypts for a lifetime, and then decrypts for another.
//
// Threads: any.
class TicketKeys {
 public:
  explicit TicketKeys(absl::Duration lifetime) : lifetime_(lifetime) {}

  // The key that encrypts at `now`; none if the generator of random numbers
  // fails.
  std::optional<TicketKey> Current(absl::Time now);

  struct Found {
    TicketKey key;
    bool outdated = false;  // give the client a new ticket
  };
  // The key of this name, if it may still decrypt.
  std::optional<Found> Find(std::span<const uint8_t> name, absl::Time now);

  // OpenSSL's callback for tickets.
  int OnTicket(uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher,
               EVP_MAC_CTX* mac, bool encrypts);

 private:
  const absl::Duration lifetime_;
  std::mutex mutex_;
  std::optional<TicketKey> current_;
  std::optional<TicketKey> previous_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_CONTEXT_TICKET_KEYS_H_
