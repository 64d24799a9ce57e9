// SPDX-License-Identifier: Apache-2.0
//
// v6_only has the same effect on every machine.
//
// UDP sockets used to set the option only to enable it and otherwise used the
// sysctl net.ipv6.bindv6only: the same program received IPv4 on one machine
// and not on another. With the kernel's default, which all other tests use,
// there is no difference.

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/net/udp_socket.h"

namespace ringway::net {
namespace {

using ringway::testing::KernelSockets;

using testing::ValueOf;

constexpr int kRight = 0;
constexpr int kWrong = 1;
constexpr int kNoNamespace = 2;

SocketAddress Address(std::string_view text) {
  return ValueOf(SocketAddress::Parse(text));
}

// Gives this process a separate network in which sockets are for IPv6 only by
// default. False if the kernel refuses.
bool EnterNamespace() {
  if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return false;
  UniqueFd sysctl(open("/proc/sys/net/ipv6/bindv6only", O_WRONLY | O_CLOEXEC));
  if (!sysctl.valid() || write(sysctl.get(), "1", 1) != 1) return false;
  UniqueFd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback = {};
  strncpy(loopback.ifr_name, "lo", IFNAMSIZ - 1);
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  return ioctl(any.get(), SIOCSIFFLAGS, &loopback) == 0;
}

// Runs `check` in a process with such a network. Skips if that is impossible.
void RunWhereV6OnlyIsTheDefault(absl::FunctionRef<bool()> check) {
  const pid_t child = fork();
  ASSERT_GE(child, 0) << "fork: errno " << errno;
  if (child == 0) {
    if (!EnterNamespace()) _exit(kNoNamespace);
    _exit(check() ? kRight : kWrong);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == kNoNamespace)
    GTEST_SKIP() << "needs a network namespace of its own";
  EXPECT_EQ(WEXITSTATUS(status), kRight);
}

bool IsV6Only(int fd) {
  int value = -1;
  socklen_t length = sizeof(value);
  EXPECT_EQ(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &length), 0);
  return value != 0;
}

bool UdpIsAsAsked() {
  std::unique_ptr<Loop> loop = ValueOf(Loop::Create(LoopOptions()));
  for (const bool v6_only : {false, true}) {
    UdpOptions options;
    options.v6_only = v6_only;
    UdpSocket socket =
        ValueOf(UdpSocket::Bind(*loop, Address("[::]:0"), options));
    if (IsV6Only(socket.fd()) != v6_only) return false;
  }
  return true;
}

bool TcpIsAsAsked() {
  for (const bool v6_only : {false, true}) {
    ListenOptions options;
    options.v6_only = v6_only;
    SocketFd fd =
        ValueOf(MakeListenSocket(KernelSockets(), Address("[::]:0"), options));
    if (IsV6Only(fd.get()) != v6_only) return false;
  }
  return true;
}

// To an IPv4-mapped IPv6 address.
bool ConnectsToMappedIPv4() {
  SocketFd listener = ValueOf(MakeListenSocket(
      KernelSockets(), Address("127.0.0.1:0"), ListenOptions()));
  const uint16_t port =
      ValueOf(SocketAddress::LocalOf(KernelSockets(), listener.get())).port();
  const SocketAddress mapped =
      Address(absl::StrCat("[::ffff:127.0.0.1]:", port));
  SocketFd client =
      ValueOf(MakeStreamSocket(KernelSockets(), mapped, ConnectOptions()));
  return connect(client.get(), mapped.data(), mapped.size()) == 0;
}

TEST(V6Only, OfAUdpSocketIsAsAsked) { EXPECT_TRUE(UdpIsAsAsked()); }

TEST(V6Only, OfAListenerIsAsAsked) { EXPECT_TRUE(TcpIsAsAsked()); }

TEST(V6Only, OfAConnectionLetsItReachIPv4) {
  EXPECT_TRUE(ConnectsToMappedIPv4());
}

TEST(V6Only, OfAUdpSocketIsNotLeftToTheSysctl) {
  RunWhereV6OnlyIsTheDefault([] { return UdpIsAsAsked(); });
}

TEST(V6Only, OfAListenerIsNotLeftToTheSysctl) {
  RunWhereV6OnlyIsTheDefault([] { return TcpIsAsAsked(); });
}

TEST(V6Only, OfAConnectionIsNotLeftToTheSysctl) {
  RunWhereV6OnlyIsTheDefault([] { return ConnectsToMappedIPv4(); });
}

}  // namespace
}  // namespace ringway::net
