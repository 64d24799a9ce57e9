// SPDX-License-Identifier: Apache-2.0
//
// SocketCallsConformance: for tests of what is done to sockets beside
// operations, on the SocketCalls of a backend.
//
//   TEST_P(MySuite, SaysTheBehaviourInWords) {
//     SocketFd socket = Make(AF_INET, SOCK_STREAM);
//     EXPECT_EQ(Bind(socket, Loopback(0)), 0);
//   }

#ifndef RINGWAY_BACKENDS_TESTING_SOCKET_CALLS_FIXTURE_H_
#define RINGWAY_BACKENDS_TESTING_SOCKET_CALLS_FIXTURE_H_

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {

sockaddr_in Ipv4(uint32_t ip, uint16_t port);  // both in the host's order
inline sockaddr_in Loopback(uint16_t port) {
  return Ipv4(INADDR_LOOPBACK, port);
}

// A Unix address as the calls take it: a path, or "\0name".
struct UnixName {
  explicit UnixName(std::string_view name);
  sockaddr_un address = {};
  socklen_t length = 0;
};

class SocketCallsConformance : public BackendConformance {
 protected:
  void SetUp() override;

  BackendDriver& driver() { return *driver_; }
  SocketCalls& calls() { return driver()->sockets(); }

  // Negative, -errno, if it cannot be had.
  SocketFd Make(int family, int type) {
    return SocketFd(calls(), calls().Socket(family, type));
  }
  // On 127.0.0.1 and a free port.
  SocketFd Listener(int backlog = 8);
  struct Streams {
    SocketFd near_end;
    TestFd far_end;
  };
  // A TCP connection, of which the near end is one of calls().
  Streams Connect();

  int Bind(const SocketFd& socket, const sockaddr_in& address);
  int Bind(const SocketFd& socket, const UnixName& name);
  // Of datagram sockets.
  int ConnectTo(const SocketFd& socket, const sockaddr_in& address);
  int ConnectTo(const SocketFd& socket, const UnixName& name);
  // What a stream's connecting gives, which must not wait.
  int ConnectStream(const sockaddr_in& address);
  // Of a Unix socket: its path, or its abstract name with the NUL before it.
  std::string NameOf(int fd);

  void Set(int fd, int level, int option, int value);
  int Get(int fd, int level, int option);
  int SetLinger(int fd, const linger& time);
  linger GetLinger(int fd);

  // Every call on `fd` but Close(), Duplicate() and SetMode() gives `error`.
  void ExpectNoSocket(int fd, int error);
  // True once `condition` holds. Does not block; simulated events happen.
  bool Becomes(absl::FunctionRef<bool()> condition);
  // The mode of the kernel's sockets that this backend needs.
  int ModeOfBackend() const;

 private:
  std::unique_ptr<BackendDriver> driver_;
};

}  // namespace ringway::testing

#endif  // RINGWAY_BACKENDS_TESTING_SOCKET_CALLS_FIXTURE_H_
