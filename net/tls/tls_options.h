// SPDX-License-Identifier: Apache-2.0
//
// TlsServerOptions, TlsClientOptions: what a TlsContext is made from.
//
//   net::TlsServerOptions options;
//   options.certificates.push_back(
//       net::TlsCertificate(net::TlsPem::File("/etc/tls/chain.pem"),
//                           net::TlsPem::File("/etc/tls/key.pem")));
//   options.alpn = {"http/1.1"};

#ifndef RINGWAY_NET_TLS_TLS_OPTIONS_H_
#define RINGWAY_NET_TLS_TLS_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "ringway/core/compiler.h"

namespace ringway::net {

// Text in PEM form, or the file that has it. TlsContext::Reload() reads a file
// again.
class TlsPem {
 public:
  // None.
  TlsPem() = default;
  static TlsPem File(std::string path) {
    return {std::move(path), std::string()};
  }
  static TlsPem Text(std::string pem) {
    return {std::string(), std::move(pem)};
  }

  bool empty() const { return file_.empty() && text_.empty(); }
  const std::string& file() const { return file_; }
  const std::string& text() const { return text_; }

 private:
  TlsPem(std::string file, std::string text)
      : file_(std::move(file)), text_(std::move(text)) {}

  std::string file_;
  std::string text_;
};

// A certificate and its private key.
struct TlsCertificate {
  TlsCertificate() {}
  TlsCertificate(TlsPem chain_pem, TlsPem key_pem)
      : chain(std::move(chain_pem)), key(std::move(key_pem)) {}

  // The certificate itself, then those up to the root, which is left out.
  TlsPem chain;
  // Not encrypted.
  TlsPem key;
  // A file with an OCSP response in DER form, which is stapled for clients that
  // ask for one. Empty: none.
  std::string ocsp_file;
};

enum class TlsVersion : uint8_t { kTls12, kTls13 };

enum class ClientCertificates : uint8_t {
  kNone,      // not asked for
  kOptional,  // one that is sent must be valid
  kRequired,
};

enum class KernelTls : uint8_t {
  kOff,
  kAuto,  // if the kernel has it, for the version and cipher agreed on
};

// For both sides.
struct TlsProtocolOptions {
  TlsProtocolOptions() {}

  TlsVersion min_version = TlsVersion::kTls12;
  TlsVersion max_version = TlsVersion::kTls13;

  // Application protocols, the best first. Empty: none are negotiated.
  std::vector<std::string> alpn;

  // Ciphers of TLS 1.2 and suites of TLS 1.3 in OpenSSL's notation
  // (ciphers(1)). By default those with forward secrecy and authenticated
  // encryption, which are all that a client of the last ten years needs.
  std::string ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
  std::string cipher_suites =
      "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
      "TLS_AES_128_GCM_SHA256";

  // Whether the kernel encrypts what is sent (kTLS): over a TcpStream, on a
  // kernel with CONFIG_TLS, with AES-GCM or ChaCha20-Poly1305, by an OpenSSL
  // that is built with it. Other connections are encrypted here; TlsStatistics
  // counts both. Writes then go to the socket as they are, and SendFile() is
  // the socket's; reading is as ever. docs/tls.md has what is different:
  //   - A record has what one write gives, up to 16 KiB.
  //   - A peer of TLS 1.3 that asks for new keys gets an alert, and reading
  //     ends with Unimplemented.
  //   - What TCP has no room for within kTlsFarewellTime is lost at Close();
  //     CloseGracefully() and ShutdownWrite() wait for it.
  // Making a context with kAuto tries the kernel's ciphers, by connections to
  // itself over the loopback interface.
  KernelTls kernel_tls = KernelTls::kOff;

  // How long a handshake may take. May be infinite.
  absl::Duration handshake_timeout = absl::Seconds(10);

  // A file to which the secrets of each connection are appended, for programs
  // that decrypt captured traffic (SSLKEYLOGFILE of other programs). Empty:
  // none.
  std::string key_log_file;
};

struct TlsServerOptions : TlsProtocolOptions {
  TlsServerOptions() {}

  // At least one. A client gets the one whose names contain the name that it
  // asks for, "www.example.org" before "*.example.org"; the first if none does,
  // or if it asks for none. Of two with the same name and keys of different
  // kinds, ECDSA and RSA, it gets the one that it understands, ECDSA first.
  std::vector<TlsCertificate> certificates;

  ClientCertificates client_certificates = ClientCertificates::kNone;
  // Whose certificates clients may have; required unless kNone.
  TlsPem client_roots;

  // Clients may resume sessions by tickets, on every worker of the context. A
  // ticket's key encrypts for this long and decrypts for twice as long.
  bool tickets = true;
  absl::Duration ticket_key_lifetime = absl::Hours(12);

  // Handshakes in progress on one worker. For one more the one that has waited
  // longest for its client ends, with ResourceExhausted and a reset: clients
  // that stop half-way do not keep others out. At least 1.
  size_t max_handshakes = 1000;

  // Signatures by RSA keys, about a millisecond each, are made on the pool of
  // RunBlocking().
  bool offload_rsa = true;
};

struct TlsClientOptions : TlsProtocolOptions {
  TlsClientOptions() {}

  // False accepts every certificate: for tests only.
  bool verify = true;
  // Whose certificates servers may have. Empty: the system's.
  TlsPem roots;

  // If not empty, a key of the server's chain must be one of these: the SHA-256
  // hash of its SubjectPublicKeyInfo, in hexadecimal (64 digits).
  std::vector<std::string> pinned_keys;

  // For servers that ask for one.
  TlsCertificate certificate;

  // Asks for an OCSP response (TlsConnectionInfo::ocsp), which is not verified.
  bool request_ocsp = false;

  // Sessions that are kept to be resumed, of all servers together. 0: none.
  size_t session_cache_size = 1000;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_TLS_OPTIONS_H_
