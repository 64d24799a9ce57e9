// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/samples/tls_flags.h"

#include <csignal>
#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tls/tls_options.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/runtime/signals/signal_stream.h"

namespace ringway {
namespace {

// One line for each reload, of this program's own log.
Task<absl::Status> ReloadOnHangup(net::TlsContext context) {
  if (CurrentWorker() != 0) co_return absl::OkStatus();
  absl::StatusOr<SignalStream> hangups = SignalStream::Open({SIGHUP});
  if (!hangups.ok()) co_return hangups.status();
  // First for those that have come before: see ContextFor().
  for (bool asked = false;; asked = true) {
    if (asked) {
      const absl::StatusOr<Signal> hangup = co_await hangups->Next();
      if (!hangup.ok()) co_return hangup.status();
    }
    auto reload = [context]() mutable { return context.Reload(); };
    const absl::Status reloaded = co_await RunBlocking(std::move(reload));
    if (absl::IsCancelled(reloaded)) co_return reloaded;
    if (reloaded.ok()) {
      if (asked) fprintf(stderr, "the certificate was read again\n");
    } else {
      fprintf(stderr, "the certificate stays: %s\n",
              reloaded.ToString().c_str());
    }
  }
}

// A SIGHUP that comes between the reading of the files and ReloadOnHangup()
// would end the process.
void SurviveHangups() {
  struct sigaction now = {};
  if (sigaction(SIGHUP, nullptr, &now) != 0 || now.sa_handler != SIG_DFL)
    return;
  struct sigaction handled = {};
  handled.sa_handler = [](int) {};
  sigaction(SIGHUP, &handled, nullptr);
}

}  // namespace

TlsFlags::TlsFlags(CommandLine& flags) {
  flags.Add("tls-cert",
            "TLS: PEM file of the certificate and those below its root; it "
            "and the key are read again on SIGHUP",
            &certificate_);
  flags.Add("tls-key", "TLS: PEM file of the certificate's private key", &key_);
}

absl::StatusOr<std::optional<net::TlsContext>> TlsFlags::ContextFor(
    Runtime::Builder& builder, std::vector<std::string> alpn) const {
  if (certificate_.empty() && key_.empty()) return std::nullopt;
  if (certificate_.empty() || key_.empty()) {
    return absl::InvalidArgumentError(certificate_.empty()
                                          ? "--tls-key needs --tls-cert"
                                          : "--tls-cert needs --tls-key");
  }
  SurviveHangups();
  net::TlsServerOptions options;
  options.certificates.push_back(net::TlsCertificate(
      net::TlsPem::File(certificate_), net::TlsPem::File(key_)));
  options.alpn = std::move(alpn);
  absl::StatusOr<net::TlsContext> context =
      net::TlsContext::Server(std::move(options));
  if (!context.ok()) return context.status();
  builder.OnStart([context = *context] { return ReloadOnHangup(context); });
  return *std::move(context);
}

}  // namespace ringway
