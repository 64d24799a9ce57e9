// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/testing/tls_fixture.h"

#include <array>

#include "ringway/core/check.h"

namespace ringway::net::testing {

TlsServerOptions TlsTest::ServerOptions() {
  TlsServerOptions options = TestServerOptions();
  options.min_version = Version();
  options.max_version = Version();
  return options;
}

TlsContext& TlsTest::server_context() {
  if (server_context_ == nullptr)
    server_context_ = std::make_unique<TlsContext>(MakeServer(ServerOptions()));
  return *server_context_;
}

TlsContext& TlsTest::client_context() {
  if (client_context_ == nullptr)
    client_context_ = std::make_unique<TlsContext>(MakeClient());
  return *client_context_;
}

std::unique_ptr<internal::TlsEngine> TlsTest::ClientEngine() {
  const auto loaded = internal::TlsContextAccess::Of(client_context()).loaded();
  return ValueOf(loaded->MakeClientEngine(kTestHost, /*session_key=*/""));
}

Task<void> TlsTest::ShakeByHand(EngineEnd& client, Peer& far) {
  client.Deliver("");
  while (!client.engine().handshake_done()) {
    far.Send(client.TakeOutput());
    co_await TurnTimes(1);
    client.Deliver(far.ReceiveNow());
  }
}

Task<Handshaken> TlsTest::Shake(TlsContext server, TlsContext client,
                                std::string host) {
  Connected pair = ConnectedTcp(system());
  TcpStream near = Adopt(std::move(pair.near_end));
  TcpStream far = Adopt(pair.far_end.Release());
  JoinHandle<absl::StatusOr<TlsStream>> accepting =
      Spawn(AcceptTls(std::move(server), std::move(near)));
  Task<absl::StatusOr<TlsStream>> connect =
      ConnectTls(std::move(client), std::move(far), std::move(host));
  Handshaken both;
  both.client = co_await std::move(connect);
  both.server = co_await accepting;
  co_return both;
}

Task<absl::Status> TlsTest::Talk(TlsStream& client, TlsStream& server) {
  if (absl::Status s = co_await server.Write(Bytes("s")); !s.ok()) co_return s;
  std::array<std::byte, 1> byte;
  const absl::StatusOr<size_t> n = co_await client.Read(byte);
  if (!n.ok()) co_return n.status();
  if (absl::Status s = co_await client.Write(Bytes("c")); !s.ok()) co_return s;
  co_return (co_await server.Read(byte)).status();
}

Task<TlsPair> TlsTest::ConnectedTls(TlsContext server, TlsContext client) {
  Task<Handshaken> shake = Shake(std::move(server), std::move(client));
  Handshaken both = co_await std::move(shake);
  TlsPair streams;
  streams.client = ValueOf(std::move(both.client));
  streams.server = ValueOf(std::move(both.server));
  co_return streams;
}

Task<TlsPair> TlsTest::ConnectedTls(bool shrink) {
  Task<TlsPair> connect = ConnectedTls(server_context(), client_context());
  TlsPair pair = co_await std::move(connect);
  if (shrink) {
    system().Shrink(pair.client.transport().fd());
    system().Shrink(pair.server.transport().fd());
  }
  co_return pair;
}

}  // namespace ringway::net::testing
