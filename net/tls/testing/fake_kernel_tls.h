// SPDX-License-Identifier: Apache-2.0
//
// FakeKernelTls: encrypts records as the kernel does with keys of TLS_TX, for
// tests without sockets and on kernels without it.

#ifndef RINGWAY_NET_TLS_TESTING_FAKE_KERNEL_TLS_H_
#define RINGWAY_NET_TLS_TESTING_FAKE_KERNEL_TLS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "ringway/net/tls/engine/handles.h"
#include "ringway/net/tls/kernel/kernel_keys.h"

namespace ringway::net::testing {

class FakeKernelTls {
 public:
  static constexpr uint8_t kData = 23;

  explicit FakeKernelTls(const internal::KernelKeys& keys);

  // The record of `plaintext`; aborts if OpenSSL fails.
  std::string Encrypt(uint8_t type, std::string_view plaintext);

 private:
  bool tls13() const;
  std::string NextNonce();

  const internal::KernelCipher cipher_;
  std::string key_;
  std::string iv_;  // all 12 bytes
  uint64_t number_;
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TLS_TESTING_FAKE_KERNEL_TLS_H_
