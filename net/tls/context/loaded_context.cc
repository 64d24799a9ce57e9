// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/loaded_context.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "openssl/err.h"
#include "openssl/x509v3.h"
#include "ringway/net/tls/context/client_hello.h"
#include "ringway/net/tls/engine/peer_certificate.h"

namespace ringway::net::internal {
namespace {

// SSL_CTX -> its LoadedContext.
int ContextIndex() {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// What keys are agreed on with. OpenSSL's own choice has finite fields of up to
// 8192 bits, too: a client that asks for one costs a loop 19 ms (openssl speed
// ffdh8192: 106 operations a second, and a handshake has two).
constexpr char kGroups[] = "X25519:P-256:P-384";

int VersionNumber(TlsVersion version) {
  return version == TlsVersion::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

absl::StatusOr<std::string> EncodeAlpn(
    const std::vector<std::string>& protocols) {
  std::string encoded;
  for (size_t i = 0; i < protocols.size(); ++i) {
    const std::string& protocol = protocols[i];
    if (protocol.empty() || protocol.size() > 255) {
      return absl::InvalidArgumentError(
          absl::StrCat("alpn[", i, "]: a protocol's name has 1 to 255 bytes"));
    }
    encoded.push_back(static_cast<char>(protocol.size()));
    encoded += protocol;
  }
  return encoded;
}

const unsigned char* AsUnsigned(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool IsAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored;
  return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

absl::Status UseIdentity(SSL_CTX& context, const Identity& identity,
                         std::string_view what) {
  ERR_clear_error();
  bool ok = SSL_CTX_use_certificate(&context, identity.chain[0].get()) == 1 &&
            SSL_CTX_use_PrivateKey(&context, identity.key.get()) == 1;
  for (size_t i = 1; ok && i < identity.chain.size(); ++i)
    ok = SSL_CTX_add1_chain_cert(&context, identity.chain[i].get()) == 1;
  if (ok) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what), ": ", TakeOpenSslError()));
}

}  // namespace

absl::StatusOr<SslContextPtr> LoadedContext::MakeContext(
    const TlsProtocolOptions& options, const SSL_METHOD* method) {
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(method));
  if (context == nullptr)
    return absl::ResourceExhaustedError(TakeOpenSslError());
  SSL_CTX_set_ex_data(context.get(), ContextIndex(), this);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_min_proto_version(context.get(),
                                VersionNumber(options.min_version));
  SSL_CTX_set_max_proto_version(context.get(),
                                VersionNumber(options.max_version));
  std::string groups = kGroups;  // OpenSSL's macro takes no constant
  if (SSL_CTX_set1_groups_list(context.get(), groups.data()) != 1)
    return absl::InternalError(TakeOpenSslError());
  if (SSL_CTX_set_cipher_list(context.get(), options.ciphers.c_str()) != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "ciphers: \"", options.ciphers, "\": ", TakeOpenSslError()));
  }
  if (SSL_CTX_set_ciphersuites(context.get(), options.cipher_suites.c_str()) !=
      1) {
    return absl::InvalidArgumentError(absl::StrCat("cipher_suites: \"",
                                                   options.cipher_suites,
                                                   "\": ", TakeOpenSslError()));
  }
  if (shared_->key_log.is_open())
    SSL_CTX_set_keylog_callback(context.get(), &OnKeyLog);
  return context;
}

absl::StatusOr<std::shared_ptr<const LoadedContext>> LoadedContext::Server(
    const TlsServerOptions& options, std::shared_ptr<SharedState> shared) {
  const OpenSslOrder order;
  std::shared_ptr<LoadedContext> loaded(new LoadedContext(std::move(shared)));
  absl::StatusOr<std::string> alpn = EncodeAlpn(options.alpn);
  if (!alpn.ok()) return alpn.status();
  loaded->alpn_ = *std::move(alpn);
  if (options.certificates.empty())
    return absl::InvalidArgumentError("certificates: a server needs one");
  if (options.client_certificates != ClientCertificates::kNone &&
      options.client_roots.empty()) {
    return absl::InvalidArgumentError(
        "client_roots: required to verify clients' certificates");
  }
  std::vector<NamedCertificate> named;
  for (size_t i = 0; i < options.certificates.size(); ++i) {
    absl::StatusOr<Identity> identity = ReadIdentity(
        options.certificates[i], absl::StrCat("certificates[", i, "]"));
    if (!identity.ok()) return identity.status();
    NamedCertificate& names = named.emplace_back();
    names.names = DnsNamesOf(*identity->chain[0]);
    names.key_type = identity->key_type();
    loaded->identities_.push_back(*std::move(identity));
  }
  loaded->names_.emplace(named);
  if (absl::Status made = loaded->MakeGroups(options); !made.ok()) return made;
  return loaded;
}

absl::Status LoadedContext::MakeGroups(const TlsServerOptions& options) {
  for (const std::vector<size_t>& members : names_->groups()) {
    absl::StatusOr<SslContextPtr> context = MakeServerContext(options);
    if (!context.ok()) return context.status();
    Group& group = groups_.emplace_back();
    group.context = *std::move(context);
    for (const size_t member : members) {
      const Identity& identity = identities_[member];
      absl::Status used = UseIdentity(
          *group.context, identity, absl::StrCat("certificates[", member, "]"));
      if (!used.ok()) return used;
      const bool is_rsa = identity.key_type() == EVP_PKEY_RSA;
      (is_rsa ? group.has_rsa : group.has_ecdsa) = true;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<SslContextPtr> LoadedContext::MakeServerContext(
    const TlsServerOptions& options) {
  absl::StatusOr<SslContextPtr> made =
      MakeContext(options, TLS_server_method());
  if (!made.ok()) return made.status();
  SSL_CTX& context = **made;
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char kSessions[] = "ringway";
  SSL_CTX_set_session_id_context(&context, kSessions, sizeof(kSessions));
  if (options.tickets) {
    SSL_CTX_set_timeout(&context, static_cast<int64_t>(absl::ToInt64Seconds(
                                      options.ticket_key_lifetime)));
    SSL_CTX_set_tlsext_ticket_key_evp_cb(&context, &OnTicket);
  } else {
    SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(&context, 0);
  }
  SSL_CTX_set_client_hello_cb(&context, &OnClientHello, this);
  // The name is acknowledged (RFC 6066, section 3), and kept with a session.
  SSL_CTX_set_tlsext_servername_callback(
      &context, +[](SSL*, int*, void*) { return SSL_TLSEXT_ERR_OK; });
  if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(&context, &OnAlpn, this);
  SSL_CTX_set_tlsext_status_cb(&context, &OnStatusRequest);
  SSL_CTX_set_tlsext_status_arg(&context, this);
  if (options.client_certificates == ClientCertificates::kNone) return made;
  const bool required =
      options.client_certificates == ClientCertificates::kRequired;
  SSL_CTX_set_verify(
      &context,
      SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
      nullptr);
  absl::Status set = SetVerification(context, options.client_roots,
                                     "client_roots", verification_);
  if (!set.ok()) return set;
  return made;
}

absl::StatusOr<std::shared_ptr<const LoadedContext>> LoadedContext::Client(
    const TlsClientOptions& options, std::shared_ptr<SharedState> shared) {
  const OpenSslOrder order;
  std::shared_ptr<LoadedContext> loaded(new LoadedContext(std::move(shared)));
  absl::StatusOr<std::string> alpn = EncodeAlpn(options.alpn);
  if (!alpn.ok()) return alpn.status();
  absl::StatusOr<std::vector<Sha256>> pinned =
      ParsePinnedKeys(options.pinned_keys);
  if (!pinned.ok()) return pinned.status();
  loaded->verification_.by_roots = options.verify;
  loaded->verification_.pinned_keys = *std::move(pinned);
  absl::StatusOr<SslContextPtr> context =
      loaded->MakeContext(options, TLS_client_method());
  if (!context.ok()) return context.status();
  loaded->client_ = *std::move(context);
  SSL_CTX& client = *loaded->client_;
  if (!alpn->empty()) {
    SSL_CTX_set_alpn_protos(&client, AsUnsigned(*alpn),
                            static_cast<unsigned>(alpn->size()));
  }
  const bool verifies =
      options.verify || !loaded->verification_.pinned_keys.empty();
  SSL_CTX_set_verify(&client, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                     nullptr);
  absl::Status set =
      SetVerification(client, options.roots, "roots", loaded->verification_);
  if (!set.ok()) return set;
  if (options.request_ocsp)
    SSL_CTX_set_tlsext_status_type(&client, TLSEXT_STATUSTYPE_ocsp);
  if (options.session_cache_size > 0) {
    SSL_CTX_set_session_cache_mode(
        &client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(&client, &OnNewSession);
  } else {
    SSL_CTX_set_session_cache_mode(&client, SSL_SESS_CACHE_OFF);
  }
  if (!options.certificate.chain.empty()) {
    absl::StatusOr<Identity> identity =
        ReadIdentity(options.certificate, "certificate");
    if (!identity.ok()) return identity.status();
    absl::Status used = UseIdentity(client, *identity, "certificate");
    if (!used.ok()) return used;
  }
  return loaded;
}

std::unique_ptr<TlsEngine> LoadedContext::MakeServerEngine() const {
  return std::make_unique<TlsEngine>(*groups_[0].context, TlsSide::kServer);
}

absl::StatusOr<std::unique_ptr<TlsEngine>> LoadedContext::MakeClientEngine(
    const std::string& host, std::string session_key) const {
  const OpenSslOrder order;
  auto engine = std::make_unique<TlsEngine>(*client_, TlsSide::kClient);
  SSL& ssl = engine->ssl();
  X509_VERIFY_PARAM* expected = SSL_get0_param(&ssl);
  bool ok = !host.empty() && host.size() < 256;
  if (ok && IsAddress(host)) {
    ok = X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
  } else if (ok) {
    X509_VERIFY_PARAM_set_hostflags(expected,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    ok = X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1 &&
         SSL_set_tlsext_host_name(&ssl, host.c_str()) == 1;
  }
  if (!ok) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        absl::StrCat("not a host's name or address: \"", host, "\""));
  }
  if (SslSessionPtr session = shared_->sessions.Take(session_key))
    SSL_set_session(&ssl, session.get());
  engine->set_session_key(std::move(session_key));
  return engine;
}

// --- Callbacks

const LoadedContext& LoadedContext::Of(const SSL& ssl) {
  return *static_cast<const LoadedContext*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(&ssl), ContextIndex()));
}

int LoadedContext::OnClientHello(SSL* ssl, int* /*alert*/, void* self) {
  const LoadedContext& loaded = *static_cast<const LoadedContext*>(self);
  const unsigned char* extension = nullptr;
  size_t n_bytes = 0;
  size_t index = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &extension,
                                &n_bytes) == 1) {
    index =
        loaded.names_->GroupOf(HostInExtension(std::span(extension, n_bytes)));
  }
  const Group& group = loaded.groups_[index];
  if (SSL_set_SSL_CTX(ssl, group.context.get()) == nullptr)
    return SSL_CLIENT_HELLO_ERROR;
  if (loaded.NeedsRsa(*ssl, group) && TlsEngine::Of(*ssl).TakePause())
    return SSL_CLIENT_HELLO_RETRY;
  return SSL_CLIENT_HELLO_SUCCESS;
}

bool LoadedContext::NeedsRsa(SSL& ssl, const Group& group) const {
  if (!group.has_rsa) return false;
  if (!group.has_ecdsa) return true;
  const unsigned char* extension = nullptr;
  size_t n_bytes = 0;
  return SSL_client_hello_get0_ext(&ssl, TLSEXT_TYPE_signature_algorithms,
                                   &extension, &n_bytes) != 1 ||
         !AcceptsEcdsa(std::span(extension, n_bytes));
}

int LoadedContext::OnAlpn(SSL* /*ssl*/, const unsigned char** chosen,
                          unsigned char* chosen_bytes,
                          const unsigned char* offered, unsigned offered_bytes,
                          void* self) {
  const std::string& ours = static_cast<const LoadedContext*>(self)->alpn_;
  unsigned char* found = nullptr;
  // Its first list is the one whose order counts.
  const int result = SSL_select_next_proto(
      &found, chosen_bytes, AsUnsigned(ours),
      static_cast<unsigned>(ours.size()), offered, offered_bytes);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

int LoadedContext::OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv,
                            EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                            int encrypts) {
  constexpr int kGood = 1;
  constexpr int kGoodButRenew = 2;
  const int result =
      Of(*ssl).shared_->tickets.OnTicket(name, iv, cipher, mac, encrypts == 1);
  // Clients use a ticket of TLS 1.3 once, and need the next one.
  const bool used_up = encrypts == 0 && SSL_version(ssl) >= TLS1_3_VERSION;
  return result == kGood && used_up ? kGoodButRenew : result;
}

int LoadedContext::OnStatusRequest(SSL* ssl, void* self) {
  const X509* used = SSL_get_certificate(ssl);
  for (const Identity& identity :
       static_cast<const LoadedContext*>(self)->identities_) {
    if (identity.ocsp.empty() ||
        (identity.chain[0].get() != used &&
         X509_cmp(identity.chain[0].get(), used) != 0)) {
      continue;
    }
    const size_t n = identity.ocsp.size();
    void* copy = OPENSSL_memdup(identity.ocsp.data(), n);
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<int64_t>(n));
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

int LoadedContext::OnNewSession(SSL* ssl, SSL_SESSION* session) {
  const std::string& key = TlsEngine::Of(*ssl).session_key();
  if (key.empty() || SSL_SESSION_is_resumable(session) != 1) return 0;
  Of(*ssl).shared_->sessions.Store(key, SslSessionPtr(session));
  return 1;  // the reference is the cache's
}

void LoadedContext::OnKeyLog(const SSL* ssl, const char* line) {
  Of(*ssl).shared_->key_log.Write(line);
}

}  // namespace ringway::net::internal
