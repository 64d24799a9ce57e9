// SPDX-License-Identifier: Apache-2.0
//
// KernelKeys: what the kernel needs to encrypt what a connection sends (kTLS).
// KernelCiphers: what it can encrypt with.

#ifndef RINGWAY_NET_TLS_KERNEL_KERNEL_KEYS_H_
#define RINGWAY_NET_TLS_KERNEL_KERNEL_KEYS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "ringway/core/compiler.h"

namespace ringway::net::internal {

// A version of TLS with a cipher, in the numbers of linux/tls.h.
struct KernelCipher {
  uint16_t version = 0;
  uint16_t cipher = 0;

  friend bool operator==(const KernelCipher&, const KernelCipher&) = default;
};

// All that are used here, of those that Linux has: AES-GCM with both key
// lengths and ChaCha20-Poly1305, with TLS 1.2 and 1.3.
std::span<const KernelCipher> AllKernelCiphers();

// A set of them.
class KernelCiphers {
 public:
  static KernelCiphers All();

  // `cipher` must be one of AllKernelCiphers() (checked).
  void Add(KernelCipher cipher);
  bool Contains(KernelCipher cipher) const;
  bool empty() const { return bits_ == 0; }

 private:
  uint32_t bits_ = 0;  // by place in AllKernelCiphers()
};

// A value of the socket option TLS_TX: a struct tls12_crypto_info_* of
// linux/tls.h. Wiped when destroyed.
class KernelKeys {
 public:
  // The largest, of AES-256-GCM and of ChaCha20-Poly1305.
  static constexpr size_t kMostBytes = 56;

  // Keys of zeros.
  explicit KernelKeys(KernelCipher cipher);
  // Those in `info`, which begins as a struct tls_crypto_info and is as long as
  // its cipher needs; none if that is not one of AllKernelCiphers().
  static std::optional<KernelKeys> Copy(const void* info);
  KernelKeys(const KernelKeys&) = default;
  KernelKeys& operator=(const KernelKeys&) = default;
  ~KernelKeys();

  KernelCipher cipher() const;
  std::span<std::byte> bytes() { return std::span(bytes_).first(n_bytes_); }
  std::span<const std::byte> bytes() const {
    return std::span(bytes_).first(n_bytes_);
  }
  // The number of the next record.
  uint64_t next_record() const;
  // What a record has besides its plaintext: header, nonce, type and tag.
  size_t overhead_bytes() const;

 private:
  alignas(8) std::array<std::byte, kMostBytes> bytes_ = {};
  size_t n_bytes_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_KERNEL_KERNEL_KEYS_H_
