// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/stream_tasks.h"
#include "ringway/net/tls/testing/test_certificates.h"
#include "ringway/net/tls/tls_connect.h"
#include "ringway/runtime/metrics/testing/scenarios.h"
#include "ringway/runtime/testing/runtime_fixture.h"
#include "ringway/runtime/tls/listen_tls.h"

namespace ringway::moving {
namespace {

using net::TlsClientOptions;
using net::TlsContext;
using net::TlsServerOptions;
using net::TlsVersion;
using net::testing::TestCertificate;
using net::testing::TestClientOptions;

Task<absl::Status> Greet(net::TlsStream stream) {
  absl::Status sent = co_await stream.Write(net::testing::Bytes("hello"));
  if (!sent.ok()) co_return sent;
  co_return co_await stream.CloseGracefully(absl::Seconds(10));
}

// Connects once, and reads to the end.
Task<absl::Status> Visit(TlsContext client, net::SocketAddress address) {
  absl::StatusOr<net::TcpStream> connected = co_await net::Connect(address);
  if (!connected.ok()) co_return connected.status();
  Task<absl::StatusOr<net::TlsStream>> connect = net::ConnectTls(
      std::move(client), *std::move(connected), net::testing::kTestHost);
  absl::StatusOr<net::TlsStream> stream = co_await std::move(connect);
  if (!stream.ok()) co_return stream.status();
  while (true) {
    const absl::StatusOr<net::ReceivedBuffer> part = co_await stream->Receive();
    if (!part.ok()) co_return part.status();
    if (part->empty()) co_return co_await stream->Close();
  }
}

void VisitWith(const TlsContext& client, const Runtime& runtime) {
  const std::unique_ptr<Executor> executor =
      net::testing::ValueOf(Executor::Create());
  // The server counts and looks at what became of it.
  executor->Run(Visit(client, runtime.addresses()[0])).IgnoreError();
}

TlsContext ClientOf(TlsVersion newest) {
  TlsClientOptions options = TestClientOptions();
  options.max_version = newest;
  return net::testing::MakeClient(options);
}

}  // namespace

// A server with an RSA key that asks clients for certificates, makes one
// handshake at a time, and has the kernel encrypt where it can: AES-128-CCM is
// nothing that is left to it.
void TlsHandshakesEndInManyWays(WatchedMetrics& watched) {
  TlsServerOptions options;
  options.certificates.push_back(TestCertificate("server_rsa"));
  options.client_certificates = net::ClientCertificates::kOptional;
  options.client_roots =
      net::TlsPem::File(net::testing::CertificateFile("ca.pem"));
  options.cipher_suites += ":TLS_AES_128_CCM_SHA256";
  options.kernel_tls = net::KernelTls::kAuto;
  options.max_handshakes = 1;
  options.handshake_timeout = absl::Milliseconds(500);
  Runtime::Builder builder = Watched();
  builder.ListenTls("127.0.0.1:0", net::testing::MakeServer(options), Greet);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);

  const TlsContext newest = ClientOf(TlsVersion::kTls13);
  VisitWith(newest, *runtime);
  for (const char* metric :
       {"ringway_tls_handshakes_total", "ringway_tls_handshakes_tls13_total",
        "ringway_tls_handshakes_seconds_total",
        "ringway_tls_handshakes_offloaded_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  VisitWith(newest, *runtime);
  watched.LookUntilMoved(*runtime, "ringway_tls_handshakes_resumed_total");
  VisitWith(ClientOf(TlsVersion::kTls12), *runtime);
  watched.LookUntilMoved(*runtime, "ringway_tls_handshakes_tls12_total");
  for (const auto& [suite, metric] :
       {std::pair{"TLS_AES_128_GCM_SHA256",
                  "ringway_tls_handshakes_aes128_gcm_total"},
        {"TLS_AES_256_GCM_SHA384", "ringway_tls_handshakes_aes256_gcm_total"},
        {"TLS_CHACHA20_POLY1305_SHA256",
         "ringway_tls_handshakes_chacha20_poly1305_total"},
        {"TLS_AES_128_CCM_SHA256",
         "ringway_tls_handshakes_other_cipher_total"}}) {
    TlsClientOptions client = TestClientOptions();
    client.cipher_suites = suite;
    VisitWith(net::testing::MakeClient(client), *runtime);
    watched.LookUntilMoved(*runtime, metric);
  }
  watched.LookUntilMoved(*runtime,
                         "ringway_tls_handshakes_kernel_refused_total");
  TlsClientOptions stranger = TestClientOptions();
  stranger.certificate = TestCertificate("stranger");
  VisitWith(net::testing::MakeClient(stranger), *runtime);
  for (const char* metric : {"ringway_tls_handshakes_failed_total",
                             "ringway_tls_handshakes_unauthenticated_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  const UniqueFd displaced = ConnectTo(runtime->addresses()[0]);
  const UniqueFd slow = ConnectTo(runtime->addresses()[0]);
  for (const char* metric : {"ringway_tls_handshakes_refused_total",
                             "ringway_tls_handshakes_timed_out_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  End(*runtime);
}

}  // namespace ringway::moving
