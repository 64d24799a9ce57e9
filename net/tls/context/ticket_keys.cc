// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/ticket_keys.h"

#include <algorithm>
#include <cstring>

#include "absl/time/clock.h"
#include "openssl/core_names.h"
#include "openssl/evp.h"
#include "openssl/rand.h"

namespace ringway::net::internal {
namespace {

bool MakeKey(TicketKey& key, absl::Time now) {
  key.made = now;
  return RAND_bytes(key.name.data(), key.name.size()) == 1 &&
         RAND_priv_bytes(key.aes.data(), key.aes.size()) == 1 &&
         RAND_priv_bytes(key.hmac.data(), key.hmac.size()) == 1;
}

bool SetMacKey(EVP_MAC_CTX* mac, TicketKey& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.hmac.data(),
                                        key.hmac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, params) == 1;
}

}  // namespace

std::optional<TicketKey> TicketKeys::Current(absl::Time now) {
  const std::scoped_lock lock(mutex_);
  if (!current_.has_value() || now - current_->made >= lifetime_) {
    TicketKey fresh;
    if (!MakeKey(fresh, now)) return std::nullopt;
    previous_ = current_;
    current_ = fresh;
  }
  return current_;
}

std::optional<TicketKeys::Found> TicketKeys::Find(std::span<const uint8_t> name,
                                                  absl::Time now) {
  const std::scoped_lock lock(mutex_);
  for (const std::optional<TicketKey>& key : {current_, previous_}) {
    if (!key.has_value() || !std::equal(name.begin(), name.end(),
                                        key->name.begin(), key->name.end())) {
      continue;
    }
    const absl::Duration age = now - key->made;
    if (age >= 2 * lifetime_) return std::nullopt;
    Found found;
    found.key = *key;
    found.outdated = age >= lifetime_;
    return found;
  }
  return std::nullopt;
}

int TicketKeys::OnTicket(uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac, bool encrypts) {
  constexpr int kFailed = -1;
  constexpr int kUnknown = 0;
  constexpr int kGood = 1;
  constexpr int kGoodButRenew = 2;
  const EVP_CIPHER* aes = EVP_aes_256_cbc();
  if (encrypts) {
    std::optional<TicketKey> key = Current(absl::Now());
    if (!key.has_value()) return kFailed;
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1) return kFailed;
    memcpy(name, key->name.data(), key->name.size());
    const bool ready =
        EVP_EncryptInit_ex(cipher, aes, nullptr, key->aes.data(), iv) == 1 &&
        SetMacKey(mac, *key);
    return ready ? kGood : kFailed;
  }
  std::optional<Found> found = Find(
      std::span<const uint8_t>(name, sizeof(TicketKey::name)), absl::Now());
  if (!found.has_value()) return kUnknown;
  const bool ready = EVP_DecryptInit_ex(cipher, aes, nullptr,
                                        found->key.aes.data(), iv) == 1 &&
                     SetMacKey(mac, found->key);
  if (!ready) return kFailed;
  return found->outdated ? kGoodButRenew : kGood;
}

}  // namespace ringway::net::internal
