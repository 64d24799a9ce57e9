// SPDX-License-Identifier: Apache-2.0
//
// SocketCallsConformance: for tests of a backend's SocketCalls.
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

// A Unix address for the calls: a path, or "\0name".
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

  // Holds -errno if the call fails.
  SocketFd Make(int family, int type, int protocol = 0) {
    return SocketFd(calls(), calls().Socket(family, type, protocol));
  }
  // On 127.0.0.1 and a free port.
  SocketFd Listener(int backlog = 8);
  struct Streams {
    SocketFd near_end;
    TestFd far_end;
  };
  // A TCP connection, whose near end belongs to calls().
  Streams Connect();

  int Bind(const SocketFd& socket, const sockaddr_in& address);
  int Bind(const SocketFd& socket, const UnixName& name);
  // For datagram sockets.
  int ConnectTo(const SocketFd& socket, const sockaddr_in& address);
  int ConnectTo(const SocketFd& socket, const UnixName& name);
  // The result of a stream's connect, which must not wait.
  int ConnectStream(const sockaddr_in& address);
  // A Unix socket's path, or its abstract name after a NUL.
  std::string NameOf(int fd);

  void Set(int fd, int level, int option, int value);
  int Get(int fd, int level, int option);
  int SetLinger(int fd, const linger& time);
  linger GetLinger(int fd);

  // Every call on `fd` except Close(), Duplicate() and SetMode() returns
  // `error`.
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
