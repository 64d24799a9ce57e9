// SPDX-License-Identifier: Apache-2.0
//
// For tests: a Server on one executor of every backend, with clients in tasks
// beside it.

#ifndef RINGWAY_RUNTIME_SERVING_TESTING_SERVER_FIXTURE_H_
#define RINGWAY_RUNTIME_SERVING_TESTING_SERVER_FIXTURE_H_

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/runtime/serving/server.h"

namespace ringway::testing {

// Echoes until the client's end, or the drain.
inline Task<absl::Status> EchoUntilDrain(net::TcpStream stream) {
  std::array<std::byte, 64> buffer;
  absl::StatusOr<size_t> n = co_await stream.Read(buffer);
  while (n.ok() && *n > 0) {
    absl::Status sent = co_await stream.Write(std::span(buffer).first(*n));
    if (!sent.ok()) co_return sent;
    n = co_await WithToken(DrainToken(), stream.Read(buffer));
  }
  if (absl::IsUnavailable(n.status()))  // the server drains
    co_return co_await stream.CloseGracefully(absl::Seconds(1));
  co_return n.status();
}

class ServerTest : public net::testing::NetTest {
 protected:
  // Makes a server with one listener on this address.
  Server& Make(ConnectionHandler handler,
               const ServerOptions& options = ServerOptions()) {
    server_ = std::make_unique<Server>(executor(), options);
    net::TcpListener listener = ListenOn("127.0.0.1:0");
    address_ = net::testing::ValueOf(listener.LocalAddress());
    EXPECT_TRUE(server_->Listen(std::move(listener), std::move(handler)).ok());
    return *server_;
  }

  Task<net::TcpStream> Join() {
    co_return net::testing::ValueOf(co_await net::Connect(address_));
  }

  static Task<std::string> Ask(net::TcpStream& stream, std::string text) {
    EXPECT_TRUE((co_await stream.Write(net::testing::Bytes(text))).ok());
    co_return co_await net::testing::ReadExactly(stream, text.size());
  }

  Server& server() { return *server_; }
  const net::SocketAddress& address() const { return address_; }

  // Runs until `n` connections are open.
  Task<void> UntilOpen(size_t n) {
    for (int i = 0; i < 1'000 && server_->connections() != n; ++i)
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_EQ(server_->connections(), n);
  }

  void TearDown() override {
    NetTest::TearDown();  // ends the executor first
    server_.reset();
  }

 private:
  net::SocketAddress address_;
  std::unique_ptr<Server> server_;
};

}  // namespace ringway::testing

#endif  // RINGWAY_RUNTIME_SERVING_TESTING_SERVER_FIXTURE_H_
