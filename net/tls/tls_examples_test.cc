// SPDX-License-Identifier: Apache-2.0
//
// The recipes of docs/tls.md, each run once.

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/resolver/fixed_resolver.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/tls/testing/test_certificates.h"
#include "ringway/net/tls/tls_accept.h"
#include "ringway/net/tls/tls_connect.h"
#include "ringway/pools/blocking/run_blocking.h"

namespace ringway::net {
namespace {

std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// --- A server

absl::StatusOr<TlsContext> MakeServerContext(const std::string& chain_file,
                                             const std::string& key_file) {
  TlsServerOptions options;
  options.certificates.push_back(
      TlsCertificate(TlsPem::File(chain_file), TlsPem::File(key_file)));
  options.alpn = {"echo"};
  return TlsContext::Server(options);
}

Task<absl::Status> ServeEcho(TlsContext context, TcpStream connection) {
  Task<absl::StatusOr<TlsStream>> accept =
      AcceptTls(context, std::move(connection));
  absl::StatusOr<TlsStream> stream = co_await std::move(accept);
  if (!stream.ok()) co_return stream.status();
  while (true) {
    absl::StatusOr<ReceivedBuffer> received = co_await stream->Receive();
    if (!received.ok()) co_return received.status();
    if (received->empty()) break;
    absl::Status sent = co_await stream->Write(received->bytes());
    if (!sent.ok()) co_return sent;
  }
  co_return co_await stream->Close();
}

// --- A client

Task<absl::StatusOr<std::string>> Ask(TlsContext context, Resolver& resolver,
                                      std::string host, uint16_t port) {
  Task<absl::StatusOr<TlsStream>> connect =
      ConnectTls(context, resolver, host, port);
  absl::StatusOr<TlsStream> stream = co_await std::move(connect);
  if (!stream.ok()) co_return stream.status();
  absl::Status sent = co_await stream->Write(AsBytes("question\n"));
  if (!sent.ok()) co_return sent;
  BufferedReader in(stream->reader());
  const absl::StatusOr<std::optional<std::string_view>> line =
      co_await in.ReadLine(/*limit_bytes=*/8192);
  if (!line.ok()) co_return line.status();
  co_return std::string(line->value_or(""));
}

// --- Clients with certificates

absl::StatusOr<TlsContext> MakeMutualContext(const std::string& chain_file,
                                             const std::string& key_file,
                                             const std::string& roots_file) {
  TlsServerOptions options;
  options.certificates.push_back(
      TlsCertificate(TlsPem::File(chain_file), TlsPem::File(key_file)));
  options.client_certificates = ClientCertificates::kRequired;
  options.client_roots = TlsPem::File(roots_file);
  return TlsContext::Server(options);
}

std::string NameOf(const TlsStream& stream) {
  const std::optional<TlsPeerCertificate> peer = stream.peer_certificate();
  return peer.has_value() ? peer->subject : "";
}

// --- Reloading

Task<absl::Status> Reload(TlsContext context) {
  auto reload = [context]() mutable { return context.Reload(); };
  co_return co_await RunBlocking(std::move(reload));
}

class TlsExamplesTest : public testing::NetTest {
 protected:
  static std::string File(std::string_view name) {
    return testing::CertificateFile(name);
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TlsExamplesTest);

TEST_P(TlsExamplesTest, AClientAsksAServer) {
  auto main = [&]() -> Task<void> {
    const TlsContext server = testing::ValueOf(
        MakeServerContext(File("server.pem"), File("server.key")));
    TlsClientOptions options = testing::TestClientOptions();
    options.alpn = {"echo"};
    const TlsContext client = testing::MakeClient(options);
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress address = testing::ValueOf(listener.LocalAddress());
    FixedResolver resolver;
    resolver.Add("server.test", address);
    JoinHandle<absl::StatusOr<std::string>> asking =
        Spawn(Ask(client, resolver, "server.test", address.port()));
    TcpStream connection = testing::ValueOf(co_await listener.Accept());
    JoinHandle<absl::Status> serving =
        Spawn(ServeEcho(server, std::move(connection)));
    EXPECT_EQ(testing::ValueOf(co_await asking), "question");
    (co_await serving).IgnoreError();
  };
  Run(main());
}

TEST_P(TlsExamplesTest, AServerKnowsItsClient) {
  RINGWAY_REQUIRES_KERNEL("time: a pool's threads have their own");
  auto main = [&]() -> Task<void> {
    const TlsContext server = testing::ValueOf(MakeMutualContext(
        File("server.pem"), File("server.key"), File("ca.pem")));
    TlsClientOptions options = testing::TestClientOptions();
    options.certificate = testing::TestCertificate("client");
    const TlsContext client = testing::MakeClient(options);
    auto pair = testing::ValueOf(StreamPair());
    JoinHandle<absl::StatusOr<TlsStream>> accepting =
        Spawn(AcceptTls(server, std::move(pair.first)));
    Task<absl::StatusOr<TlsStream>> connect =
        ConnectTls(client, std::move(pair.second), "server.test");
    absl::StatusOr<TlsStream> connected = co_await std::move(connect);
    EXPECT_TRUE(connected.ok()) << connected.status();
    absl::StatusOr<TlsStream> accepted = co_await accepting;
    EXPECT_EQ(NameOf(*accepted), "CN=client one");
    Task<absl::Status> reload = Reload(server);
    EXPECT_EQ(co_await std::move(reload), absl::OkStatus());
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
