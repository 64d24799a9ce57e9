// SPDX-License-Identifier: Apache-2.0
//
// SocketCalls: making sockets and closing them. Their names and options are in
// socket_name_calls_test.cc and socket_option_calls_test.cc.

#include "ringway/backends/socket_calls.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/socket_calls_fixture.h"
#include "ringway/core/time/clock.h"

namespace ringway::testing {
namespace {

using SocketCallsTest = SocketCallsConformance;

constexpr linger kMinute = {.l_onoff = 1, .l_linger = 60};
constexpr linger kAtOnce = {.l_onoff = 1, .l_linger = 0};

// --- Making.

TEST_P(SocketCallsTest, MakesSocketsOfEachFamilyAndType) {
  for (const int family : {AF_INET, AF_UNIX}) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      SocketFd socket = Make(family, type);
      ASSERT_TRUE(socket.valid()) << socket.get();
      EXPECT_EQ(Get(socket.get(), SOL_SOCKET, SO_TYPE), type);
      EXPECT_EQ(Get(socket.get(), SOL_SOCKET, SO_DOMAIN), family);
    }
  }
}

TEST_P(SocketCallsTest, RefusesFamiliesAndTypesThereAreNot) {
  EXPECT_EQ(Make(AF_UNSPEC, SOCK_STREAM).get(), -EAFNOSUPPORT);
  EXPECT_EQ(Make(AF_INET, SOCK_SEQPACKET).get(), -ESOCKTNOSUPPORT);
}

TEST_P(SocketCallsTest, MakesSocketsOfTheProtocolAskedFor) {
  EXPECT_TRUE(Make(AF_INET, SOCK_STREAM, IPPROTO_TCP).valid());
  EXPECT_TRUE(Make(AF_INET, SOCK_DGRAM, IPPROTO_UDP).valid());
  EXPECT_EQ(Make(AF_INET, SOCK_STREAM, IPPROTO_UDP).get(), -EPROTONOSUPPORT);
  SocketFd multipath = Make(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
  if (multipath.valid()) {
    EXPECT_EQ(Get(multipath.get(), SOL_SOCKET, SO_PROTOCOL), IPPROTO_MPTCP);
  } else if (!system().is_kernel()) {
    EXPECT_EQ(multipath.get(), -EPROTONOSUPPORT);
  }
}

TEST_P(SocketCallsTest, PairsAreConnectedUnixSockets) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    int fds[2];
    ASSERT_EQ(calls().Pair(type, fds), 0);
    SocketFd first(calls(), fds[0]), second(calls(), fds[1]);
    EXPECT_EQ(Get(first.get(), SOL_SOCKET, SO_TYPE), type);
    EXPECT_EQ(Get(second.get(), SOL_SOCKET, SO_DOMAIN), AF_UNIX);
    EXPECT_EQ(system().Send(first.get(), "there"), 5);
    EXPECT_EQ(system().Receive(second.get(), 64), "there");
    EXPECT_EQ(system().Send(second.get(), "back"), 4);
    EXPECT_EQ(system().Receive(first.get(), 64), "back");
  }
}

TEST_P(SocketCallsTest, DuplicatesAreTheSameSocket) {
  SocketFd listener = Listener();
  const sockaddr_in address = system().AddressOf(listener.get());
  SocketFd duplicate(calls(), calls().Duplicate(listener.get()));
  ASSERT_TRUE(duplicate.valid()) << duplicate.get();
  EXPECT_NE(duplicate.get(), listener.get());
  Set(duplicate.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
  EXPECT_EQ(Get(listener.get(), SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(listener.Close(), 0);
  TestFd client = system().ConnectTo(address);
  EXPECT_TRUE(system().Accept(duplicate.get()).valid());
  EXPECT_EQ(duplicate.Close(), 0);
  EXPECT_EQ(ConnectStream(address), -ECONNREFUSED) << "the last one is closed";
}

TEST_P(SocketCallsTest, DuplicatesAreNoneOfTheStandardStreams) {
  RINGWAY_REQUIRES_KERNEL("standard streams");
  SocketFd socket = Make(AF_INET, SOCK_STREAM);
  const int standard_input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  close(STDIN_FILENO);
  SocketFd duplicate(calls(), calls().Duplicate(socket.get()));
  if (standard_input >= 0) {
    ASSERT_EQ(dup2(standard_input, STDIN_FILENO), STDIN_FILENO);
    close(standard_input);
  }
  EXPECT_GE(duplicate.get(), 3);
}

TEST_P(SocketCallsTest, NewFdsCloseOnExec) {
  RINGWAY_REQUIRES_KERNEL("flags of an fd");
  SocketFd socket = Make(AF_INET, SOCK_STREAM);
  SocketFd duplicate(calls(), calls().Duplicate(socket.get()));
  int fds[2];
  ASSERT_EQ(calls().Pair(SOCK_STREAM, fds), 0);
  SocketFd first(calls(), fds[0]), second(calls(), fds[1]);
  for (const SocketFd* made : {&socket, &duplicate, &first, &second})
    EXPECT_TRUE(system().IsCloseOnExec(made->get()));
}

// io_uring ends an operation on an O_NONBLOCK socket with EAGAIN; epoll would
// block the loop on any other.
TEST_P(SocketCallsTest, NewSocketsAreInTheBackendsMode) {
  RINGWAY_REQUIRES_KERNEL("mode of a socket");
  SocketFd socket = Make(AF_INET, SOCK_STREAM);
  int fds[2];
  ASSERT_EQ(calls().Pair(SOCK_STREAM, fds), 0);
  SocketFd first(calls(), fds[0]), second(calls(), fds[1]);
  SocketFd duplicate(calls(), calls().Duplicate(socket.get()));
  for (const SocketFd* made : {&socket, &duplicate, &first, &second})
    EXPECT_EQ(fcntl(made->get(), F_GETFL) & O_NONBLOCK, ModeOfBackend());
}

TEST_P(SocketCallsTest, SetModeMakesAnySocketTheBackends) {
  RINGWAY_REQUIRES_KERNEL("mode of a socket");
  for (const int before : {0, O_NONBLOCK}) {
    TestFd socket = system().TcpSocket();
    const int flags = fcntl(socket.get(), F_GETFL) & ~O_NONBLOCK;
    ASSERT_EQ(fcntl(socket.get(), F_SETFL, flags | before), 0);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(calls().SetMode(socket.get()), 0);
      EXPECT_EQ(fcntl(socket.get(), F_GETFL), flags | ModeOfBackend());
    }
  }
}

// --- What has no fd, or is no socket.

TEST_P(SocketCallsTest, EveryCallRefusesAnFdThatIsNotOpen) {
  int fds[2];
  ASSERT_EQ(calls().Pair(SOCK_STREAM, fds), 0);
  ASSERT_EQ(calls().Close(fds[0]), 0);
  ASSERT_EQ(calls().Close(fds[1]), 0);
  for (const int fd : {-1, fds[0]}) {
    EXPECT_EQ(calls().Duplicate(fd), -EBADF);
    EXPECT_EQ(calls().SetMode(fd), -EBADF);
    EXPECT_EQ(calls().Close(fd), -EBADF);
    ExpectNoSocket(fd, -EBADF);
  }
}

TEST_P(SocketCallsTest, EveryCallRefusesWhatIsNoSocket) {
  TestFdPair pipe = system().Pipe();
  ExpectNoSocket(pipe.first.get(), -ENOTSOCK);
  TestFd file = system().File("content");
  ExpectNoSocket(file.get(), -ENOTSOCK);
}

class SocketCallsWithFewFds : public SocketCallsConformance {
 protected:
  // (Simulated fds have a separate limit.)
  void SetUp() override {
    SocketCallsConformance::SetUp();
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit few = before_;
    few.rlim_cur = 200;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  void TearDown() override { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

TEST_P(SocketCallsWithFewFds, SayThatThereIsNoneLeftAndKeepNone) {
  const size_t open_before = system().OpenFds();
  std::vector<SocketFd> all;
  do {
    all.push_back(Make(AF_UNIX, SOCK_DGRAM));
  } while (all.back().valid());
  EXPECT_EQ(all.back().get(), -EMFILE);
  all.pop_back();
  EXPECT_EQ(calls().Duplicate(all.front().get()), -EMFILE);
  int fds[2];
  EXPECT_EQ(calls().Pair(SOCK_STREAM, fds), -EMFILE);
  EXPECT_EQ(calls().Pair(SOCK_DGRAM, fds), -EMFILE);
  all.pop_back();  // one is not enough for a pair, and not lost with it
  EXPECT_EQ(calls().Pair(SOCK_STREAM, fds), -EMFILE);
  SocketFd last = Make(AF_UNIX, SOCK_DGRAM);
  EXPECT_TRUE(last.valid()) << last.get();
  last.Close();
  all.clear();
  EXPECT_EQ(system().OpenFds(), open_before);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SocketCallsWithFewFds);

// --- Closing.

TEST_P(SocketCallsTest, ClosingTakesALingerTimeOffAndKeepsOneOfZero) {
  for (const linger& time : {kMinute, kAtOnce}) {
    SocketFd socket = Make(AF_INET, SOCK_STREAM);
    SocketFd same(calls(), calls().Duplicate(socket.get()));
    ASSERT_EQ(SetLinger(socket.get(), time), 0);
    EXPECT_EQ(socket.Close(), 0);
    const linger after = GetLinger(same.get());
    EXPECT_EQ(after.l_onoff != 0, time.l_linger == 0);
  }
}

// The peer does not read: close(2) would block for the whole time.
TEST_P(SocketCallsTest, ClosingWaitsForNoPeerAndLosesNothing) {
  Streams streams = Connect();
  system().Shrink(streams.near_end.get());
  system().Shrink(streams.far_end.get());
  const std::string piece(4096, 'p');
  size_t sent = 0;
  for (int64_t n; (n = system().Send(streams.near_end.get(), piece)) > 0;)
    sent += static_cast<size_t>(n);
  ASSERT_EQ(SetLinger(streams.near_end.get(), kMinute), 0);
  const MonotonicTime before = Clock::Real().Now();
  EXPECT_EQ(streams.near_end.Close(), 0);
  EXPECT_LT(Clock::Real().Now() - before, absl::Seconds(20));

  size_t received = 0;
  int64_t n = -EAGAIN;
  EXPECT_TRUE(Becomes([&] {
    std::array<char, 4096> buffer;
    n = system().ReceiveInto(streams.far_end.get(), buffer);
    if (n > 0) received += static_cast<size_t>(n);
    return n <= 0 && n != -EAGAIN;
  }));
  EXPECT_EQ(n, 0) << "the end, and no reset";
  EXPECT_EQ(received, sent);
}

TEST_P(SocketCallsTest, ClosingWithALingerTimeOfZeroIsAReset) {
  Streams streams = Connect();
  ASSERT_EQ(SetLinger(streams.near_end.get(), kAtOnce), 0);
  EXPECT_EQ(streams.near_end.Close(), 0);
  std::array<char, 1> byte;
  EXPECT_TRUE(Becomes([&] {
    return system().ReceiveInto(streams.far_end.get(), byte) == -ECONNRESET;
  }));
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SocketCallsTest);

}  // namespace
}  // namespace ringway::testing
