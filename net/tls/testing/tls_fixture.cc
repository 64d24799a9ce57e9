// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/testing/tls_fixture.h"

#include <array>

#include "ringway/core/check.h"

namespace ringway::net::testing {

Task<absl::Status> WriteAll(TlsStream& stream,
                            std::span<const std::byte> bytes) {
  co_return co_await stream.Write(bytes);
}

Task<absl::StatusOr<size_t>> ReadSome(TlsStream& stream,
                                      std::span<std::byte> buffer) {
  co_return co_await stream.Read(buffer);
}

Task<absl::StatusOr<std::string>> ReceiveSome(TlsStream& stream) {
  absl::StatusOr<ReceivedBuffer> received = co_await stream.Receive();
  if (!received.ok()) co_return received.status();
  co_return AsString(received->bytes());
}

Task<std::string> ReadExactly(TlsStream& stream, size_t n_bytes) {
  std::string all(n_bytes, '\0');
  size_t have = 0;
  while (have < n_bytes) {
    absl::StatusOr<size_t> n = co_await stream.Read(
        std::as_writable_bytes(std::span(all)).subspan(have));
    if (!n.ok() || *n == 0) break;
    have += *n;
  }
  all.resize(have);
  co_return all;
}

Task<absl::StatusOr<std::string>> ReadToEnd(TlsStream& stream) {
  std::string all;
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return all;
    all.append(reinterpret_cast<const char*>(buffer.data()), *n);
  }
}

Task<absl::StatusOr<std::string>> ReceiveToEnd(TlsStream& stream) {
  std::string all;
  while (true) {
    absl::StatusOr<ReceivedBuffer> received = co_await stream.Receive();
    if (!received.ok()) co_return received.status();
    if (received->empty()) co_return all;
    all += AsString(received->bytes());
  }
}

Task<absl::Status> Echo(TlsStream stream) {
  std::array<std::byte, 16 * 1024> buffer;
  while (true) {
    absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok()) co_return n.status();
    if (*n == 0) co_return absl::OkStatus();
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
  }
}

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
