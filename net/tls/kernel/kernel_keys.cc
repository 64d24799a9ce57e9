// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/kernel/kernel_keys.h"

#include <linux/tls.h>

#include <algorithm>
#include <cstring>

#include "openssl/crypto.h"
#include "ringway/core/check.h"

namespace ringway::net::internal {
namespace {

constexpr auto kAll = std::to_array<KernelCipher>({
    {.version = TLS_1_2_VERSION, .cipher = TLS_CIPHER_AES_GCM_128},
    {.version = TLS_1_2_VERSION, .cipher = TLS_CIPHER_AES_GCM_256},
    {.version = TLS_1_2_VERSION, .cipher = TLS_CIPHER_CHACHA20_POLY1305},
    {.version = TLS_1_3_VERSION, .cipher = TLS_CIPHER_AES_GCM_128},
    {.version = TLS_1_3_VERSION, .cipher = TLS_CIPHER_AES_GCM_256},
    {.version = TLS_1_3_VERSION, .cipher = TLS_CIPHER_CHACHA20_POLY1305},
});

size_t PlaceOf(KernelCipher cipher) {
  return static_cast<size_t>(std::find(kAll.begin(), kAll.end(), cipher) -
                             kAll.begin());
}

constexpr size_t SizeOf(uint16_t cipher) {
  switch (cipher) {
    case TLS_CIPHER_AES_GCM_128:
      return sizeof(tls12_crypto_info_aes_gcm_128);
    case TLS_CIPHER_AES_GCM_256:
      return sizeof(tls12_crypto_info_aes_gcm_256);
    default:
      return sizeof(tls12_crypto_info_chacha20_poly1305);
  }
}

static_assert(SizeOf(TLS_CIPHER_AES_GCM_256) == KernelKeys::kMostBytes);
static_assert(SizeOf(TLS_CIPHER_CHACHA20_POLY1305) == KernelKeys::kMostBytes);

}  // namespace

std::span<const KernelCipher> AllKernelCiphers() { return kAll; }

// --- KernelCiphers

KernelCiphers KernelCiphers::All() {
  KernelCiphers all;
  for (const KernelCipher cipher : kAll) all.Add(cipher);
  return all;
}

void KernelCiphers::Add(KernelCipher cipher) {
  const size_t place = PlaceOf(cipher);
  RINGWAY_CHECK(place < kAll.size(), "not a cipher of the kernel's");
  bits_ |= uint32_t{1} << place;
}

bool KernelCiphers::Contains(KernelCipher cipher) const {
  return (bits_ >> PlaceOf(cipher) & 1) != 0;
}

// --- KernelKeys

KernelKeys::KernelKeys(KernelCipher cipher) : n_bytes_(SizeOf(cipher.cipher)) {
  const tls_crypto_info info = {.version = cipher.version,
                                .cipher_type = cipher.cipher};
  memcpy(bytes_.data(), &info, sizeof(info));
}

std::optional<KernelKeys> KernelKeys::Copy(const void* info) {
  tls_crypto_info header;
  memcpy(&header, info, sizeof(header));
  const KernelCipher cipher = {.version = header.version,
                               .cipher = header.cipher_type};
  if (PlaceOf(cipher) >= kAll.size()) return std::nullopt;
  KernelKeys keys(cipher);
  memcpy(keys.bytes_.data(), info, keys.n_bytes_);
  return keys;
}

KernelKeys::~KernelKeys() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

KernelCipher KernelKeys::cipher() const {
  tls_crypto_info info;
  memcpy(&info, bytes_.data(), sizeof(info));
  return {.version = info.version, .cipher = info.cipher_type};
}

// In all of them it comes last, in network order.
uint64_t KernelKeys::next_record() const {
  uint64_t number = 0;
  for (const std::byte byte : bytes().last(sizeof(number)))
    number = number << 8 | static_cast<uint64_t>(byte);
  return number;
}

size_t KernelKeys::overhead_bytes() const {
  constexpr size_t kHeader = 5;
  constexpr size_t kTag = 16;
  const KernelCipher used = cipher();
  // RFC 8446, section 5.2: the type. RFC 5288, section 3: the explicit nonce.
  if (used.version == TLS_1_3_VERSION) return kHeader + 1 + kTag;
  const bool is_gcm = used.cipher != TLS_CIPHER_CHACHA20_POLY1305;
  return kHeader + (is_gcm ? 8 : 0) + kTag;
}

}  // namespace ringway::net::internal
