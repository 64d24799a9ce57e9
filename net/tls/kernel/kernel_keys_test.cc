// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/kernel/kernel_keys.h"

#include <linux/tls.h>

#include <cstring>
#include <optional>

#include "gtest/gtest.h"

namespace ringway::net::internal {
namespace {

constexpr KernelCipher kGcm = {.version = TLS_1_2_VERSION,
                               .cipher = TLS_CIPHER_AES_GCM_128};
constexpr KernelCipher kChaCha = {.version = TLS_1_3_VERSION,
                                  .cipher = TLS_CIPHER_CHACHA20_POLY1305};

TEST(KernelCiphers, ContainWhatWasAdded) {
  KernelCiphers ciphers;
  EXPECT_TRUE(ciphers.empty());
  ciphers.Add(kChaCha);
  EXPECT_FALSE(ciphers.empty());
  EXPECT_TRUE(ciphers.Contains(kChaCha));
  EXPECT_FALSE(ciphers.Contains(kGcm));
  EXPECT_FALSE(KernelCiphers::All().Contains(
      {.version = TLS_1_3_VERSION, .cipher = TLS_CIPHER_SM4_GCM}));
}

TEST(KernelKeys, AreAsLongAsTheirCipherNeeds) {
  tls12_crypto_info_aes_gcm_128 info = {};
  info.info.version = kGcm.version;
  info.info.cipher_type = kGcm.cipher;
  info.key[0] = 7;
  const std::optional<KernelKeys> keys = KernelKeys::Copy(&info);
  ASSERT_TRUE(keys.has_value());
  EXPECT_EQ(keys->cipher(), kGcm);
  ASSERT_EQ(keys->bytes().size(), sizeof(info));
  EXPECT_EQ(memcmp(keys->bytes().data(), &info, sizeof(info)), 0);
}

TEST(KernelKeys, AreNoneOfAnotherCipher) {
  const tls_crypto_info info = {.version = TLS_1_3_VERSION,
                                .cipher_type = TLS_CIPHER_AES_CCM_128};
  EXPECT_FALSE(KernelKeys::Copy(&info).has_value());
}

TEST(KernelKeys, HaveTheNumberOfTheNextRecord) {
  tls12_crypto_info_chacha20_poly1305 info = {};
  info.info.version = kChaCha.version;
  info.info.cipher_type = kChaCha.cipher;
  info.rec_seq[6] = 1;
  info.rec_seq[7] = 2;
  EXPECT_EQ(KernelKeys::Copy(&info)->next_record(), 0x102u);
}

// A record of 5 bytes of header, and what RFC 8446 (5.2), RFC 5288 (3) and
// RFC 7905 (2) add.
TEST(KernelKeys, KnowWhatARecordHasBesidesItsPlaintext) {
  EXPECT_EQ(KernelKeys(kChaCha).overhead_bytes(), 5u + 1 + 16);
  EXPECT_EQ(KernelKeys(kGcm).overhead_bytes(), 5u + 8 + 16);
  EXPECT_EQ(KernelKeys({.version = TLS_1_2_VERSION, .cipher = kChaCha.cipher})
                .overhead_bytes(),
            5u + 16);
}

}  // namespace
}  // namespace ringway::net::internal
