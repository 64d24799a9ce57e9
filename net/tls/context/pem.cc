// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/pem.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "openssl/err.h"
#include "openssl/pem.h"
#include "ringway/core/errno_status.h"

namespace ringway::net::internal {
namespace {

// "-----BEGIN label-----" to "-----END label-----".
struct PemEntry {
  std::string_view label;
  std::string_view text;
  size_t number = 0;  // from 1
  size_t line = 0;
};

// Takes the next entry from `rest`, whose first line is `line`.
std::optional<PemEntry> NextEntry(std::string_view& rest, size_t& line) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kDashes = "-----";
  const size_t begin = rest.find(kBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  const auto lines = [](std::string_view text) {
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  };
  line += lines(rest.substr(0, begin));
  rest.remove_prefix(begin);
  PemEntry entry;
  entry.line = line;
  const size_t label_end = rest.find(kDashes, kBegin.size());
  entry.label = label_end == std::string_view::npos
                    ? rest.substr(kBegin.size())
                    : rest.substr(kBegin.size(), label_end - kBegin.size());
  const std::string end = absl::StrCat("-----END ", std::string(entry.label));
  const size_t end_at = rest.find(end);
  const size_t n =
      end_at == std::string_view::npos
          ? rest.size()
          : std::min(rest.size(), end_at + end.size() + kDashes.size());
  entry.text = rest.substr(0, n);
  line += lines(entry.text);
  rest.remove_prefix(n);
  return entry;
}

// The text of `pem`, and what errors call it.
struct Source {
  std::string text;
  std::string name;
};

absl::StatusOr<Source> Open(const TlsPem& pem, std::string_view what) {
  Source source;
  if (pem.file().empty()) {
    source.text = pem.text();
    source.name = absl::StrCat(std::string(what), ": the text");
    return source;
  }
  absl::StatusOr<std::string> text = ReadWholeFile(pem.file(), what);
  if (!text.ok()) return text.status();
  source.text = *std::move(text);
  source.name = absl::StrCat(std::string(what), ": ", pem.file());
  return source;
}

absl::Status At(const Source& source, const PemEntry& entry,
                std::string_view reason) {
  return absl::InvalidArgumentError(
      absl::StrCat(source.name, ", line ", entry.line, ", entry ", entry.number,
                   " (", std::string(entry.label), "): ", std::string(reason)));
}

BioPtr BioOf(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// OpenSSL would ask for it on the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

std::string TakeReason() {
  std::string reason = TakeOpenSslError();
  return reason.empty() ? "it cannot be decoded" : reason;
}

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path,
                                          std::string_view what) {
  const auto failed = [&] {
    return ErrnoToStatus(errno, absl::StrCat(std::string(what), ": ", path));
  };
  struct Closer {
    void operator()(FILE* file) const { static_cast<void>(fclose(file)); }
  };
  const std::unique_ptr<FILE, Closer> file(fopen(path.c_str(), "re"));
  if (file == nullptr) return failed();
  std::string content;
  std::array<char, 4096> part;
  while (true) {
    const size_t n = fread(part.data(), 1, part.size(), file.get());
    content.append(part.data(), n);
    if (n == part.size()) continue;
    if (ferror(file.get()) != 0) return failed();
    return content;
  }
}

absl::StatusOr<std::vector<CertificatePtr>> ReadCertificates(
    const TlsPem& pem, std::string_view what) {
  absl::StatusOr<Source> source = Open(pem, what);
  if (!source.ok()) return source.status();
  std::vector<CertificatePtr> certificates;
  std::string_view rest = source->text;
  size_t line = 1;
  size_t number = 0;
  while (std::optional<PemEntry> entry = NextEntry(rest, line)) {
    entry->number = ++number;
    if (!entry->label.ends_with("CERTIFICATE")) continue;
    ERR_clear_error();
    const BioPtr bio = BioOf(entry->text);
    CertificatePtr certificate(
        PEM_read_bio_X509_AUX(bio.get(), nullptr, &NoPassword, nullptr));
    if (certificate == nullptr) return At(*source, *entry, TakeReason());
    certificates.push_back(std::move(certificate));
  }
  if (certificates.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source->name, " has no certificate in PEM form"));
  }
  return certificates;
}

absl::StatusOr<PrivateKeyPtr> ReadPrivateKey(const TlsPem& pem,
                                             std::string_view what) {
  absl::StatusOr<Source> source = Open(pem, what);
  if (!source.ok()) return source.status();
  std::string_view rest = source->text;
  size_t line = 1;
  size_t number = 0;
  while (std::optional<PemEntry> entry = NextEntry(rest, line)) {
    entry->number = ++number;
    if (!entry->label.ends_with("PRIVATE KEY")) continue;
    if (entry->label.starts_with("ENCRYPTED") ||
        entry->text.find("ENCRYPTED") != std::string_view::npos) {
      return At(*source, *entry, "the key is encrypted");
    }
    ERR_clear_error();
    const BioPtr bio = BioOf(entry->text);
    PrivateKeyPtr key(
        PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassword, nullptr));
    if (key == nullptr) return At(*source, *entry, TakeReason());
    return key;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(source->name, " has no private key in PEM form"));
}

absl::StatusOr<Identity> ReadIdentity(const TlsCertificate& certificate,
                                      std::string_view what) {
  Identity identity;
  absl::StatusOr<std::vector<CertificatePtr>> chain = ReadCertificates(
      certificate.chain, absl::StrCat(std::string(what), ".chain"));
  if (!chain.ok()) return chain.status();
  identity.chain = *std::move(chain);
  absl::StatusOr<PrivateKeyPtr> key =
      ReadPrivateKey(certificate.key, absl::StrCat(std::string(what), ".key"));
  if (!key.ok()) return key.status();
  identity.key = *std::move(key);
  ERR_clear_error();
  if (X509_check_private_key(identity.chain[0].get(), identity.key.get()) !=
      1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(absl::StrCat(
        std::string(what), ": the key does not belong to the certificate",
        certificate.chain.file().empty() ? "" : " in ",
        certificate.chain.file()));
  }
  if (!certificate.ocsp_file.empty()) {
    absl::StatusOr<std::string> ocsp = ReadWholeFile(
        certificate.ocsp_file, absl::StrCat(std::string(what), ".ocsp_file"));
    if (!ocsp.ok()) return ocsp.status();
    identity.ocsp = *std::move(ocsp);
  }
  return identity;
}

}  // namespace ringway::net::internal
