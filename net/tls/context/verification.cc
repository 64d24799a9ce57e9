// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/verification.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "openssl/sha.h"
#include "openssl/x509_vfy.h"
#include "ringway/net/tls/context/pem.h"
#include "ringway/net/tls/engine/peer_certificate.h"
#include "ringway/net/tls/engine/tls_engine.h"

namespace ringway::net::internal {
namespace {

// The certificate where verification stopped: "certificate CN=server.test".
std::string NameOf(X509_STORE_CTX& store) {
  const X509* current = X509_STORE_CTX_get_current_cert(&store);
  if (current == nullptr) current = X509_STORE_CTX_get0_cert(&store);
  if (current == nullptr) return "the peer's certificate";
  return absl::StrCat("certificate ", SubjectOf(*current));
}

std::string FailureOf(X509_STORE_CTX& store) {
  const int error = X509_STORE_CTX_get_error(&store);
  std::string text =
      absl::StrCat(NameOf(store), ": ", X509_verify_cert_error_string(error));
  if (error == X509_V_ERR_HOSTNAME_MISMATCH ||
      error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    const X509* leaf = X509_STORE_CTX_get0_cert(&store);
    absl::StrAppend(&text, "; it is for ", NamesOf(*leaf));
  }
  const int depth = X509_STORE_CTX_get_error_depth(&store);
  if (depth > 0) absl::StrAppend(&text, " (entry ", depth, " of its chain)");
  return text;
}

bool HasPinnedKey(X509_STORE_CTX& store, const Verification& verification) {
  const auto is_pinned = [&](const X509& certificate) {
    return std::count(verification.pinned_keys.begin(),
                      verification.pinned_keys.end(),
                      PublicKeyHash(certificate)) > 0;
  };
  if (!verification.by_roots)
    return is_pinned(*X509_STORE_CTX_get0_cert(&store));
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(&store);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    if (is_pinned(*sk_X509_value(chain, i))) return true;
  }
  return false;
}

int Verify(X509_STORE_CTX* store, void* argument) {
  const Verification& verification =
      *static_cast<const Verification*>(argument);
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsEngine& engine = TlsEngine::Of(*ssl);
  if (verification.by_roots) {
    if (X509_verify_cert(store) <= 0) {
      engine.SetVerifyError(FailureOf(*store));
      return 0;
    }
  } else {
    X509_STORE_CTX_set_error(store, X509_V_OK);
  }
  if (verification.pinned_keys.empty()) return 1;
  if (HasPinnedKey(*store, verification)) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  engine.SetVerifyError(
      absl::StrCat(NameOf(*store), ": no key of its chain is pinned"));
  return 0;
}

}  // namespace

absl::StatusOr<std::vector<Sha256>> ParsePinnedKeys(
    const std::vector<std::string>& hashes) {
  std::vector<Sha256> parsed;
  for (size_t i = 0; i < hashes.size(); ++i) {
    const std::string& text = hashes[i];
    const bool is_hash =
        text.size() == 2 * sizeof(Sha256) &&
        std::all_of(text.begin(), text.end(), [](char c) {
          return absl::ascii_isxdigit(static_cast<unsigned char>(c));
        });
    if (!is_hash) {
      return absl::InvalidArgumentError(
          absl::StrCat("pinned_keys[", i, "]: not 64 hexadecimal digits: \"",
                       absl::CEscape(text), "\""));
    }
    const std::string bytes = absl::HexStringToBytes(text);
    std::copy(bytes.begin(), bytes.end(), parsed.emplace_back().begin());
  }
  return parsed;
}

absl::Status SetVerification(SSL_CTX& context, const TlsPem& roots,
                             std::string_view what,
                             const Verification& verification) {
  SSL_CTX_set_cert_verify_callback(&context, &Verify,
                                   const_cast<Verification*>(&verification));
  if (!verification.by_roots) return absl::OkStatus();
  if (roots.empty()) {
    if (SSL_CTX_set_default_verify_paths(&context) == 1)
      return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("the system's certificates: ", TakeOpenSslError()));
  }
  absl::StatusOr<std::vector<CertificatePtr>> certificates =
      ReadCertificates(roots, what);
  if (!certificates.ok()) return certificates.status();
  X509_STORE* store = SSL_CTX_get_cert_store(&context);
  for (const CertificatePtr& certificate : *certificates) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1)
      return absl::ResourceExhaustedError(TakeOpenSslError());
    // What a server tells clients that it accepts.
    static_cast<void>(SSL_CTX_add_client_CA(&context, certificate.get()));
  }
  return absl::OkStatus();
}

Sha256 PublicKeyHash(const X509& certificate) {
  Sha256 hash = {};
  uint8_t* encoded = nullptr;
  const int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &encoded);
  if (n <= 0) return hash;
  SHA256(encoded, static_cast<size_t>(n), hash.data());
  OPENSSL_free(encoded);
  return hash;
}

}  // namespace ringway::net::internal
