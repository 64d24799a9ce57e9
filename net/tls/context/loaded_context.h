// SPDX-License-Identifier: Apache-2.0
//
// LoadedContext: a TlsContext as its files were when they were read last. Never
// changed; a connection keeps the one that it began with.

#ifndef RINGWAY_NET_TLS_CONTEXT_LOADED_CONTEXT_H_
#define RINGWAY_NET_TLS_CONTEXT_LOADED_CONTEXT_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/net/tls/context/pem.h"
#include "ringway/net/tls/context/server_names.h"
#include "ringway/net/tls/context/shared_state.h"
#include "ringway/net/tls/context/verification.h"
#include "ringway/net/tls/engine/handles.h"
#include "ringway/net/tls/engine/tls_engine.h"
#include "ringway/net/tls/tls_options.h"

namespace ringway::net::internal {

// Threads: any.
class LoadedContext {
 public:
  // Reads the files.
  //
  // Errors: of files and of options; they name what they are about.
  static absl::StatusOr<std::shared_ptr<const LoadedContext>> Server(
      const TlsServerOptions& options, std::shared_ptr<SharedState> shared);
  static absl::StatusOr<std::shared_ptr<const LoadedContext>> Client(
      const TlsClientOptions& options, std::shared_ptr<SharedState> shared);

  // Throw std::bad_alloc.
  std::unique_ptr<TlsEngine> MakeServerEngine() const;
  // For a connection to `host`, a name or an IP address, whose sessions are
  // kept under `session_key`.
  //
  // Errors: InvalidArgument if `host` is neither.
  absl::StatusOr<std::unique_ptr<TlsEngine>> MakeClientEngine(
      const std::string& host, std::string session_key) const;

  SharedState& shared() const { return *shared_; }

 private:
  // What a certificate's group has for a client.
  struct Group {
    SslContextPtr context;
    bool has_ecdsa = false;
    bool has_rsa = false;
  };

  explicit LoadedContext(std::shared_ptr<SharedState> shared)
      : shared_(std::move(shared)) {}

  absl::StatusOr<SslContextPtr> MakeContext(const TlsProtocolOptions& options,
                                            const SSL_METHOD* method);
  absl::Status MakeGroups(const TlsServerOptions& options);
  absl::StatusOr<SslContextPtr> MakeServerContext(
      const TlsServerOptions& options);
  bool NeedsRsa(SSL& ssl, const Group& group) const;

  static const LoadedContext& Of(const SSL& ssl);
  static int OnClientHello(SSL* ssl, int* alert, void* self);
  static int OnAlpn(SSL* ssl, const unsigned char** chosen,
                    unsigned char* chosen_bytes, const unsigned char* offered,
                    unsigned offered_bytes, void* self);
  static int OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv,
                      EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypts);
  static int OnStatusRequest(SSL* ssl, void* self);
  static int OnNewSession(SSL* ssl, SSL_SESSION* session);
  static void OnKeyLog(const SSL* ssl, const char* line);

  const std::shared_ptr<SharedState> shared_;
  std::string alpn_;  // as on the wire
  Verification verification_;
  std::vector<Identity> identities_;
  std::optional<ServerNames> names_;
  std::vector<Group> groups_;  // of a server
  SslContextPtr client_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_CONTEXT_LOADED_CONTEXT_H_
