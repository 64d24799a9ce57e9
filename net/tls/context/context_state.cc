// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/context_state.h"

#include "openssl/ssl.h"
#include "ringway/net/tls/kernel/kernel_probe.h"

namespace ringway::net::internal {
namespace {

absl::Status Check(const TlsProtocolOptions& options) {
  if (options.min_version > options.max_version) {
    return absl::InvalidArgumentError(
        "min_version must not be above max_version");
  }
  if (options.handshake_timeout <= absl::ZeroDuration())
    return absl::InvalidArgumentError("handshake_timeout must be positive");
  return absl::OkStatus();
}

// Before its first use: OpenSSL shall not free its tables when the process
// exits, since threads of a pool may then still sign, or read certificates.
void InitOpenSsl() {
  OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, /*settings=*/nullptr);
}

}  // namespace

absl::StatusOr<std::shared_ptr<ContextState>> ContextState::Server(
    TlsServerOptions options) {
  InitOpenSsl();
  if (options.max_handshakes == 0)
    return absl::InvalidArgumentError("max_handshakes must be at least 1");
  if (options.ticket_key_lifetime < absl::Seconds(1) ||
      options.ticket_key_lifetime > absl::Hours(24 * 7)) {
    return absl::InvalidArgumentError(
        "ticket_key_lifetime must be from a second to a week (RFC 8446, "
        "section 4.6.1)");
  }
  auto shared =
      std::make_shared<SharedState>(options.ticket_key_lifetime, size_t{0});
  return Make(std::move(options), std::move(shared));
}

absl::StatusOr<std::shared_ptr<ContextState>> ContextState::Client(
    TlsClientOptions options) {
  InitOpenSsl();
  auto shared = std::make_shared<SharedState>(absl::InfiniteDuration(),
                                              options.session_cache_size);
  return Make(std::move(options), std::move(shared));
}

absl::StatusOr<std::shared_ptr<ContextState>> ContextState::Make(
    Options options, std::shared_ptr<SharedState> shared) {
  const TlsProtocolOptions& protocol = std::visit(
      [](const auto& of_a_side) -> const TlsProtocolOptions& {
        return of_a_side;
      },
      options);
  if (absl::Status s = Check(protocol); !s.ok()) return s;
  if (!protocol.key_log_file.empty()) {
    absl::Status opened = shared->key_log.Open(protocol.key_log_file);
    if (!opened.ok()) return opened;
  }
  if (protocol.kernel_tls == KernelTls::kAuto) {
    shared->wants_kernel = true;
    shared->kernel_ciphers = ProbeKernelCiphers();
  }
  const absl::Duration timeout = protocol.handshake_timeout;
  std::shared_ptr<ContextState> state(
      new ContextState(std::move(options), timeout, std::move(shared)));
  if (absl::Status s = state->Reload(); !s.ok()) return s;
  return state;
}

absl::Status ContextState::Reload() {
  absl::StatusOr<std::shared_ptr<const LoadedContext>> read =
      is_server()
          ? LoadedContext::Server(std::get<TlsServerOptions>(options_), shared_)
          : LoadedContext::Client(std::get<TlsClientOptions>(options_),
                                  shared_);
  if (!read.ok()) return read.status();
  shared_->sessions.Clear();
  std::shared_ptr<const LoadedContext> loaded = *std::move(read);
  const std::scoped_lock lock(mutex_);
  loaded_.swap(loaded);  // the old one goes after the lock
  return absl::OkStatus();
}

}  // namespace ringway::net::internal
