// SPDX-License-Identifier: Apache-2.0
//
// LoadTest: a server on the test's own executor, whose behaviour the test
// writes, for the load generator to ask. On every backend; time is virtual on
// the simulated one.
//
//   TEST_P(MyTest, SaysTheBehaviourInWords) {
//     Serve("127.0.0.1:0", [](net::TcpStream stream) -> Task<absl::Status> {
//       ...
//     });
//     const OpenLoopResult result = RunOpenLoop(executor(), options);
//   }

#ifndef RINGWAY_TOOLS_LOADGEN_TESTING_LOAD_FIXTURE_H_
#define RINGWAY_TOOLS_LOADGEN_TESTING_LOAD_FIXTURE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/udp_socket.h"

namespace ringway::loadgen::testing {

class LoadTest : public net::testing::NetTest {
 protected:
  // Serves one connection. A lambda without captures, or whose captures
  // outlive the executor: the fixture keeps it.
  using Handler = std::function<Task<absl::Status>(net::TcpStream)>;

  // Runs `handler` for each connection to `address`, until the test ends.
  void Serve(std::string_view address, Handler handler);
  // Where it listens.
  const net::SocketAddress& address() const { return *address_; }
  // An address at which no server listens.
  net::SocketAddress NoServer();
  // Connections accepted.
  uint64_t accepted() const { return accepted_; }

  // Echoes, and calls `before_echo` with what has arrived before it is sent
  // back.
  using BeforeEcho = std::function<Task<absl::Status>(size_t n_bytes)>;
  static Task<absl::Status> Echo(net::TcpStream stream,
                                 const BeforeEcho* before_echo);
  // Serve()s that. `before_echo` is kept.
  void ServeEcho(std::string_view address, BeforeEcho before_echo = nullptr);

  // What the server sends for a datagram, and how much later.
  struct DatagramReply {
    std::string bytes;
    absl::Duration delay;
  };
  using DatagramHandler =
      std::function<std::vector<DatagramReply>(std::string datagram)>;
  // Serves datagrams to a port of 127.0.0.1, which is then address().
  void ServeDatagrams(DatagramHandler handler);

 private:
  Task<void> AcceptAll(net::TcpListener listener);
  Task<void> AnswerAll();
  Task<void> SendLater(DatagramReply reply, net::SocketAddress receiver);

  Handler handler_;
  BeforeEcho before_echo_;
  DatagramHandler datagram_handler_;
  std::optional<net::UdpSocket> datagrams_;
  std::optional<net::SocketAddress> address_;
  uint64_t accepted_ = 0;
};

}  // namespace ringway::loadgen::testing

#endif  // RINGWAY_TOOLS_LOADGEN_TESTING_LOAD_FIXTURE_H_
