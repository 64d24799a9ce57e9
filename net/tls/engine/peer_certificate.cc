// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/engine/peer_certificate.h"

#include <arpa/inet.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "openssl/sha.h"
#include "openssl/x509v3.h"
#include "ringway/net/tls/engine/handles.h"

namespace ringway::net::internal {
namespace {

using GeneralNamesPtr =
    std::unique_ptr<GENERAL_NAMES, OpenSslFree<&GENERAL_NAMES_free>>;

std::string TextOf(const ASN1_STRING& text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(&text)),
          static_cast<size_t>(ASN1_STRING_length(&text))};
}

std::string AddressOf(const ASN1_STRING& address) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  const int family = ASN1_STRING_length(&address) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(&address) != 16) return {};
  inet_ntop(family, ASN1_STRING_get0_data(&address), text.data(), text.size());
  return text.data();
}

void AddAlternativeNames(const X509& certificate, TlsPeerCertificate& to) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value =
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    const auto* text = static_cast<const ASN1_STRING*>(value);
    switch (type) {
      case GEN_DNS:
        to.dns_names.push_back(TextOf(*text));
        break;
      case GEN_IPADD:
        to.ip_addresses.push_back(AddressOf(*text));
        break;
      case GEN_EMAIL:
        to.emails.push_back(TextOf(*text));
        break;
      case GEN_URI:
        to.uris.push_back(TextOf(*text));
        break;
      default:
        break;
    }
  }
}

std::string CommonNameOf(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return TextOf(*X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

}  // namespace

std::string SubjectOf(const X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(&certificate), 0,
                     XN_FLAG_RFC2253);
  char* text = nullptr;
  const auto n = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(n)};
}

TlsPeerCertificate Describe(const X509& certificate) {
  TlsPeerCertificate peer;
  peer.subject = SubjectOf(certificate);
  AddAlternativeNames(certificate, peer);
  std::array<uint8_t, SHA256_DIGEST_LENGTH> hash = {};
  unsigned length = 0;
  X509_digest(&certificate, EVP_sha256(), hash.data(), &length);
  peer.sha256 = absl::BytesToHexString(
      {reinterpret_cast<const char*>(hash.data()), hash.size()});
  return peer;
}

std::vector<std::string> DnsNamesOf(const X509& certificate) {
  TlsPeerCertificate peer;
  AddAlternativeNames(certificate, peer);
  if (peer.dns_names.empty() && peer.ip_addresses.empty()) {
    std::string common = CommonNameOf(certificate);
    if (!common.empty()) peer.dns_names.push_back(std::move(common));
  }
  return std::move(peer.dns_names);
}

std::string NamesOf(const X509& certificate) {
  TlsPeerCertificate peer;
  AddAlternativeNames(certificate, peer);
  std::vector<std::string> names = std::move(peer.dns_names);
  names.insert(names.end(), peer.ip_addresses.begin(), peer.ip_addresses.end());
  return names.empty() ? "no name" : absl::StrJoin(names, ", ");
}

}  // namespace ringway::net::internal
