// SPDX-License-Identifier: Apache-2.0
//
// TlsTest: NetTest with two TLS streams connected to each other. Instantiated
// for both versions of the protocol, on every backend.
//
//   using MyTest = testing::TlsTest;
//   RINGWAY_INSTANTIATE_TLS(MyTest);
//   TEST_P(MyTest, SaysTheBehaviourInWords) {
//     auto main = [&]() -> Task<void> {
//       TlsPair pair = co_await ConnectedTls();
//       EXPECT_TRUE((co_await pair.client.Write(Bytes("hello"))).ok());
//       ...

#ifndef RINGWAY_NET_TLS_TESTING_TLS_FIXTURE_H_
#define RINGWAY_NET_TLS_TESTING_TLS_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/tls/testing/engine_pair.h"
#include "ringway/net/tls/testing/test_certificates.h"
#include "ringway/net/tls/tls_accept.h"
#include "ringway/net/tls/tls_connect.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net::testing {

struct TlsPair {
  TlsPair() {}
  TlsStream client;
  TlsStream server;
};

// Both ends of a handshake that may fail.
struct Handshaken {
  Handshaken() {}
  absl::StatusOr<TlsStream> client;
  absl::StatusOr<TlsStream> server;
};

class TlsTest : public NetTest {
 protected:
  explicit TlsTest(const ExecutorOptions& options = ExecutorOptions())
      : NetTest(options) {}

  // By the instantiation's name.
  static TlsVersion Version() {
    return Instantiation() == "Tls12" ? TlsVersion::kTls12 : TlsVersion::kTls13;
  }
  static TlsServerOptions ServerOptions();

  // Contexts of this version, made on first use.
  TlsContext& server_context();
  TlsContext& client_context();

  // Two streams after their handshakes, over TCP. `shrink`: with the smallest
  // buffers.
  Task<TlsPair> ConnectedTls(bool shrink = false);
  Task<TlsPair> ConnectedTls(TlsContext server, TlsContext client);

  Task<Handshaken> Shake(TlsContext server, TlsContext client,
                         std::string host = kTestHost);
  // A byte each way: what a client of TLS 1.3 needs to hear of tickets, and of
  // a server that does not accept it.
  static Task<absl::Status> Talk(TlsStream& client, TlsStream& server);

  // The handshake of a client by hand, which can then do what TlsStream does
  // not. Its last flight is left to be sent.
  Task<void> ShakeByHand(EngineEnd& client, Peer& far);
  // Its engine.
  std::unique_ptr<internal::TlsEngine> ClientEngine();

  // AcceptTls() over the near end of a connection.
  Task<absl::StatusOr<TlsStream>> Accept(ringway::testing::TestFd fd) {
    return AcceptTls(server_context(), Adopt(std::move(fd)));
  }

 private:
  std::unique_ptr<TlsContext> server_context_;
  std::unique_ptr<TlsContext> client_context_;
};

#define RINGWAY_INSTANTIATE_TLS(suite)                   \
  RINGWAY_INSTANTIATE_ON_EVERY_BACKEND_AS(Tls12, suite); \
  RINGWAY_INSTANTIATE_ON_EVERY_BACKEND_AS(Tls13, suite)

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TLS_TESTING_TLS_FIXTURE_H_
