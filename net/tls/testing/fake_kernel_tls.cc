// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/testing/fake_kernel_tls.h"

#include <linux/tls.h>

#include <algorithm>
#include <memory>

#include "openssl/evp.h"
#include "ringway/core/check.h"

namespace ringway::net::testing {
namespace {

constexpr size_t kTagBytes = 16;
constexpr size_t kSaltBytes = 4;

using CipherPtr = std::unique_ptr<EVP_CIPHER_CTX,
                                  internal::OpenSslFree<&EVP_CIPHER_CTX_free>>;

const EVP_CIPHER* CipherOf(uint16_t cipher) {
  switch (cipher) {
    case TLS_CIPHER_AES_GCM_128:
      return EVP_aes_128_gcm();
    case TLS_CIPHER_AES_GCM_256:
      return EVP_aes_256_gcm();
    default:
      return EVP_chacha20_poly1305();
  }
}

std::string BigEndian(uint64_t number, size_t n_bytes) {
  std::string bytes(n_bytes, 0);
  for (size_t i = 0; i < std::min(n_bytes, sizeof(number)); ++i)
    bytes[n_bytes - 1 - i] = static_cast<char>(number >> (8 * i));
  return bytes;
}

unsigned char* Unsigned(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

std::string Seal(const EVP_CIPHER* cipher, std::string key, std::string nonce,
                 std::string added, std::string plaintext) {
  const CipherPtr context(EVP_CIPHER_CTX_new());
  std::string sealed(plaintext.size() + kTagBytes, 0);
  int n = 0;
  const bool ok =
      EVP_EncryptInit_ex(context.get(), cipher, nullptr, Unsigned(key),
                         Unsigned(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &n, Unsigned(added),
                        static_cast<int>(added.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), Unsigned(sealed), &n,
                        Unsigned(plaintext),
                        static_cast<int>(plaintext.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), Unsigned(sealed) + n, &n) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                          Unsigned(sealed) + plaintext.size()) == 1;
  RINGWAY_CHECK(ok, "cannot encrypt");
  return sealed;
}

}  // namespace

// The structures of linux/tls.h: version and cipher, 8 bytes of nonce, the key,
// a salt that precedes the nonce, the number; of ChaCha20-Poly1305 12 bytes of
// nonce and no salt.
FakeKernelTls::FakeKernelTls(const internal::KernelKeys& keys)
    : cipher_(keys.cipher()), number_(keys.next_record()) {
  const std::string_view all(reinterpret_cast<const char*>(keys.bytes().data()),
                             keys.bytes().size());
  const std::string_view rest = all.substr(sizeof(tls_crypto_info));
  const bool salted = cipher_.cipher != TLS_CIPHER_CHACHA20_POLY1305;
  const size_t nonce = salted ? 8 : 12;
  const size_t salt = salted ? kSaltBytes : 0;
  const size_t key = rest.size() - nonce - salt - sizeof(number_);
  key_ = rest.substr(nonce, key);
  iv_ = std::string(rest.substr(nonce + key, salt)) +
        std::string(rest.substr(0, nonce));
}

bool FakeKernelTls::tls13() const { return cipher_.version == TLS_1_3_VERSION; }

// With TLS 1.2 the nonce of AES-GCM counts; otherwise the number is mixed in.
std::string FakeKernelTls::NextNonce() {
  std::string nonce = iv_;
  if (!tls13() && cipher_.cipher != TLS_CIPHER_CHACHA20_POLY1305) {
    for (size_t i = iv_.size(); i-- > kSaltBytes && ++iv_[i] == 0;) {
    }
    return nonce;
  }
  const std::string number = BigEndian(number_, nonce.size());
  for (size_t i = 0; i < nonce.size(); ++i)
    nonce[i] = static_cast<char>(nonce[i] ^ number[i]);
  return nonce;
}

std::string FakeKernelTls::Encrypt(uint8_t type, std::string_view plaintext) {
  const std::string nonce = NextNonce();
  std::string inner(plaintext);
  std::string explicit_nonce;
  uint8_t outer_type = type;
  if (tls13()) {
    inner.push_back(static_cast<char>(type));
    outer_type = kData;
  } else if (cipher_.cipher != TLS_CIPHER_CHACHA20_POLY1305) {
    explicit_nonce = nonce.substr(kSaltBytes);
  }
  const std::string start = {static_cast<char>(outer_type), 3, 3};
  const std::string header =
      start + BigEndian(explicit_nonce.size() + inner.size() + kTagBytes, 2);
  const std::string added =
      tls13() ? header
              : BigEndian(number_, 8) + start + BigEndian(inner.size(), 2);
  ++number_;
  return header + explicit_nonce +
         Seal(CipherOf(cipher_.cipher), key_, nonce, added, inner);
}

}  // namespace ringway::net::testing
