// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/socket_calls_fixture.h"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/check.h"
#include "ringway/core/time/clock.h"

namespace ringway::testing {
namespace {

constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);

// Reached only on failure.
constexpr absl::Duration kPatience = absl::Seconds(20);

}  // namespace

sockaddr_in Ipv4(uint32_t ip, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(ip);
  return address;
}

UnixName::UnixName(std::string_view name) {
  RINGWAY_CHECK(name.size() < sizeof(address.sun_path), "%zu bytes of a name",
                name.size());
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, name.data(), name.size());
  const bool is_path = name[0] != '\0';
  length = static_cast<socklen_t>(kPathOffset + name.size() + is_path);
}

void SocketCallsConformance::SetUp() {
  BackendConformance::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  driver_ = std::make_unique<BackendDriver>(MakeForTest());
}

SocketFd SocketCallsConformance::Listener(int backlog) {
  SocketFd socket = Make(AF_INET, SOCK_STREAM);
  EXPECT_EQ(Bind(socket, Loopback(0)), 0);
  EXPECT_EQ(calls().Listen(socket.get(), backlog), 0);
  return socket;
}

SocketCallsConformance::Streams SocketCallsConformance::Connect() {
  TestFd listener = system().TcpListener(/*backlog=*/1);
  Streams streams;
  TestFd near_end = system().ConnectTo(system().AddressOf(listener.get()));
  EXPECT_EQ(calls().SetMode(near_end.get()), 0);
  streams.near_end = SocketFd(calls(), near_end.Release());
  streams.far_end = system().Accept(listener.get());
  EXPECT_TRUE(streams.far_end.valid());
  return streams;
}

int SocketCallsConformance::Bind(const SocketFd& socket,
                                 const sockaddr_in& address) {
  return calls().Bind(socket.get(), AsSockaddr(address), sizeof(address));
}

int SocketCallsConformance::Bind(const SocketFd& socket, const UnixName& name) {
  return calls().Bind(socket.get(), AsSockaddr(name.address), name.length);
}

int SocketCallsConformance::ConnectTo(const SocketFd& socket,
                                      const sockaddr_in& address) {
  return calls().Connect(socket.get(), AsSockaddr(address), sizeof(address));
}

int SocketCallsConformance::ConnectTo(const SocketFd& socket,
                                      const UnixName& name) {
  return calls().Connect(socket.get(), AsSockaddr(name.address), name.length);
}

int SocketCallsConformance::ConnectStream(const sockaddr_in& address) {
  TestFd socket = system().TcpSocket();
  return system().sockets().Connect(socket.get(), AsSockaddr(address),
                                    sizeof(address));
}

std::string SocketCallsConformance::NameOf(int fd) {
  sockaddr_storage name = {};
  socklen_t length = 0;
  EXPECT_EQ(calls().LocalName(fd, name, length), 0);
  EXPECT_EQ(name.ss_family, AF_UNIX);
  const auto& un = reinterpret_cast<const sockaddr_un&>(name);
  const size_t size = std::max<size_t>(length, kPathOffset) - kPathOffset;
  if (size > 0 && un.sun_path[0] != '\0') {
    EXPECT_EQ(un.sun_path[size - 1], '\0') << "ends a path, and is counted";
    return std::string(un.sun_path, size - 1);
  }
  return std::string(un.sun_path, size);
}

void SocketCallsConformance::Set(int fd, int level, int option, int value) {
  EXPECT_EQ(calls().SetOption(fd, level, option, &value, sizeof(value)), 0);
}

int SocketCallsConformance::Get(int fd, int level, int option) {
  int value = -1;
  socklen_t length = sizeof(value);
  EXPECT_EQ(calls().GetOption(fd, level, option, &value, length), 0);
  EXPECT_EQ(length, sizeof(value));
  return value;
}

int SocketCallsConformance::SetLinger(int fd, const linger& time) {
  return calls().SetOption(fd, SOL_SOCKET, SO_LINGER, &time, sizeof(time));
}

linger SocketCallsConformance::GetLinger(int fd) {
  linger time = {.l_onoff = -1, .l_linger = -1};
  socklen_t length = sizeof(time);
  EXPECT_EQ(calls().GetOption(fd, SOL_SOCKET, SO_LINGER, &time, length), 0);
  EXPECT_EQ(length, sizeof(time));
  return time;
}

void SocketCallsConformance::ExpectNoSocket(int fd, int error) {
  const sockaddr_in to = Loopback(1);
  sockaddr_storage name;
  int value = 1;
  socklen_t length = sizeof(value);
  EXPECT_EQ(calls().Bind(fd, AsSockaddr(to), sizeof(to)), error);
  EXPECT_EQ(calls().Listen(fd, 1), error);
  EXPECT_EQ(calls().Connect(fd, AsSockaddr(to), sizeof(to)), error);
  EXPECT_EQ(calls().SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, &value, length),
            error);
  EXPECT_EQ(calls().GetOption(fd, SOL_SOCKET, SO_KEEPALIVE, &value, length),
            error);
  EXPECT_EQ(calls().LocalName(fd, name, length), error);
  EXPECT_EQ(calls().PeerName(fd, name, length), error);
}

bool SocketCallsConformance::Becomes(absl::FunctionRef<bool()> condition) {
  const MonotonicTime limit = Clock::Real().Now() + kPatience;
  while (!condition()) {
    if (Clock::Real().Now() > limit) return false;
    driver_->TurnWithoutBlocking(1);
  }
  return true;
}

int SocketCallsConformance::ModeOfBackend() const {
  return GetParam().name == "epoll" ? O_NONBLOCK : 0;
}

}  // namespace ringway::testing
