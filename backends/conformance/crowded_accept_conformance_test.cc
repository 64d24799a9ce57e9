// SPDX-License-Identifier: Apache-2.0
//
// Listeners under load: ten thousand connections, none left over when fds run
// out, and none left behind when the listener goes.

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/backends/testing/views.h"
#include "ringway/core/check.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/unique_fd.h"

namespace ringway::testing {
namespace {

// Clients in a separate process, with separate fds, until this is destroyed.
// Each sends one byte.
class Crowd {
 public:
  Crowd(const sockaddr_in& address, size_t n_clients) {
    FdPair leave = MakePipe();
    child_ = fork();
    RINGWAY_CHECK(child_ >= 0, "fork: errno %d", errno);
    if (child_ == 0) Visit(address, n_clients, leave.first.get());
    stay_ = std::move(leave.second);
  }
  ~Crowd() {
    stay_.Reset();
    int status;
    RINGWAY_CHECK(waitpid(child_, &status, 0) == child_ && status == 0,
                  "the process of the clients ended with %d", status);
  }

 private:
  [[noreturn]] static void Visit(const sockaddr_in& address, size_t n_clients,
                                 int leave) {
    // The listener, above all, is not to live on in here.
    for (int fd = 3; fd < 1'024; ++fd) {
      if (fd != leave) close(fd);
    }
    std::vector<UniqueFd> clients;
    while (clients.size() < n_clients) {
      clients.push_back(ConnectTo(address));
      // Leaves nothing in TIME_WAIT.
      const linger at_once = {1, 0};
      setsockopt(clients.back().get(), SOL_SOCKET, SO_LINGER, &at_once,
                 sizeof(at_once));
      SendAll(clients.back().get(), "x");
    }
    char nothing;
    RINGWAY_CHECK(read(leave, &nothing, 1) == 0, "a pipe without its end");
    _exit(0);
  }

  pid_t child_;
  UniqueFd stay_;
};

// How many fds this process may still open, with the limit raised to its
// maximum.
size_t RaiseFdLimit() {
  rlimit limit;
  RINGWAY_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  RINGWAY_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  return limit.rlim_cur - CountOpenFds();
}

// While one lives this process can open no fd.
class NoFdsLeft {
 public:
  NoFdsLeft() {
    RINGWAY_CHECK(getrlimit(RLIMIT_NOFILE, &before_) == 0, "getrlimit");
    const rlimit none = {0, before_.rlim_max};
    RINGWAY_CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0, "setrlimit");
  }
  ~NoFdsLeft() {
    RINGWAY_CHECK(setrlimit(RLIMIT_NOFILE, &before_) == 0, "setrlimit");
  }

 private:
  rlimit before_;
};

absl::Duration CpuOfThisThread() {
  rusage usage;
  RINGWAY_CHECK(getrusage(RUSAGE_THREAD, &usage) == 0, "getrusage");
  return absl::DurationFromTimeval(usage.ru_utime) +
         absl::DurationFromTimeval(usage.ru_stime);
}

class CrowdedAcceptConformance : public BackendConformance {
 protected:
  // Takes the accepted connections.
  void TakeInto(std::vector<TestFd>& taken, BackendDriver& driver,
                CountedMultishot& accept) {
    for (Delivery delivery; driver->TakeDelivery(accept, delivery);) {
      taken.push_back(system().Own(delivery.result));
    }
  }

  std::vector<TestFd> ConnectMany(const TestFd& listener, size_t n) {
    const sockaddr_in address = system().AddressOf(listener.get());
    std::vector<TestFd> clients;
    while (clients.size() < n) clients.push_back(system().ConnectTo(address));
    return clients;
  }

  // Arms an accept while no fd is available.
  static void AcceptInVain(BackendDriver& driver, CountedMultishot& accept,
                           const TestFd& listener) {
    PrepareAcceptMultishot(accept, listener.get());
    EXPECT_EQ(driver.RunToEnd(accept), -EMFILE);
  }

  static int32_t RunRecv(BackendDriver& driver, int fd) {
    std::array<std::byte, 16> buffer;
    CountedOperation op;
    PrepareRecv(op, fd, buffer);
    return driver.RunToEnd(op);
  }

  // From one end of a connection to the other and back.
  static void ExpectEcho(BackendDriver& driver, int client, int server) {
    CountedOperation op;
    PrepareSend(op, client, AsBytes("hello"));
    EXPECT_EQ(driver.RunToEnd(op), 5);
    EXPECT_EQ(RunRecv(driver, server), 5);
    PrepareSend(op, server, AsBytes("hello"));
    EXPECT_EQ(driver.RunToEnd(op), 5);
    EXPECT_EQ(RunRecv(driver, client), 5);
  }

  // Its peer is gone: by an end, or by a reset.
  static void ExpectEnded(BackendDriver& driver, const TestFd& client) {
    const int32_t result = RunRecv(driver, client.get());
    EXPECT_TRUE(result == 0 || result == -ECONNRESET) << result;
  }
};

TEST_P(CrowdedAcceptConformance, AcceptsTenThousandConnections) {
  RINGWAY_REQUIRES_KERNEL("processes, for the clients");
  constexpr size_t kWanted = 10'000, kOthers = 100;
  const size_t n_connections = std::min(kWanted, RaiseFdLimit() - kOthers);
  TestFd listener = system().TcpListener(/*backlog=*/4'096);
  CountedMultishot accept;
  std::vector<TestFd> taken;
  Crowd crowd(system().AddressOf(listener.get()), n_connections);
  BackendDriver driver(MakeForTest());
  PrepareAcceptMultishot(accept, listener.get());
  driver.Start(accept);

  ASSERT_TRUE(driver.RunUntil([&] {
    TakeInto(taken, driver, accept);
    return taken.size() >= n_connections;
  }));

  driver.TurnWithoutBlocking();
  TakeInto(taken, driver, accept);
  EXPECT_EQ(taken.size(), n_connections);
  EXPECT_FALSE(accept.ended());
  // Each is a separate connection with its one byte.
  for (const TestFd& connection : taken) {
    ASSERT_EQ(RunRecv(driver, connection.get()), 1);
  }
  if (n_connections < kWanted) {
    GTEST_SKIP() << "RLIMIT_NOFILE allows " << n_connections
                 << " connections only, which were accepted";
  }
}

TEST_P(CrowdedAcceptConformance, WithoutFdsAttemptsAreCheapAndOthersGoOn) {
  RINGWAY_REQUIRES_KERNEL("limit on fds");
  constexpr int kAttempts = 10;
  constexpr absl::Duration kPause = absl::Milliseconds(20);
  TestFd listener = system().TcpListener(/*backlog=*/16);
  std::vector<TestFd> clients = ConnectMany(listener, 8);
  TestFd server = system().Accept(listener.get());
  CountedMultishot accept;
  BackendDriver driver(MakeForTest());
  driver.TurnWithoutBlocking();
  NoFdsLeft none_left;
  const absl::Duration cpu_before = CpuOfThisThread();
  const MonotonicTime begin = driver->clock().Now();

  for (int i = 0; i < kAttempts; ++i) {
    const BackendStats before = driver->stats();
    AcceptInVain(driver, accept, listener);
    driver.TurnWithoutBlocking();
    EXPECT_LE(driver->stats().rearms, before.rearms);
    ExpectEcho(driver, clients.front().get(), server.get());
    // Connections wait in the queue and wake no one.
    const uint64_t waits = driver->stats().waits;
    const MonotonicTime until = driver->clock().Now() + kPause;
    while (driver->clock().Now() < until) driver.Turn(until);
    EXPECT_LE(driver->stats().waits - waits, 2u);
  }

  const absl::Duration cpu = CpuOfThisThread() - cpu_before;
  const absl::Duration time = driver->clock().Now() - begin;
  printf("without fds: %.1f ms of CPU in %.0f ms\n",
         absl::ToDoubleMilliseconds(cpu), absl::ToDoubleMilliseconds(time));
  // A twentieth is the aim; a loaded machine, or a sanitizer, takes more.
  EXPECT_LT(cpu, time / 4);
}

TEST_P(CrowdedAcceptConformance, AcceptsWhatHasWaitedOnceThereAreFds) {
  RINGWAY_REQUIRES_KERNEL("limit on fds");
  TestFd listener = system().TcpListener(/*backlog=*/16);
  std::vector<TestFd> clients = ConnectMany(listener, 8);
  CountedMultishot accept;
  std::vector<TestFd> taken;
  BackendDriver driver(MakeForTest());
  driver.TurnWithoutBlocking();
  {
    NoFdsLeft none_left;
    AcceptInVain(driver, accept, listener);
  }
  const MonotonicTime begin = driver->clock().Now();

  PrepareAcceptMultishot(accept, listener.get());
  driver.Start(accept);
  ASSERT_TRUE(driver.RunUntil([&] {
    TakeInto(taken, driver, accept);
    return taken.size() == clients.size();
  }));

  const absl::Duration time = driver->clock().Now() - begin;
  printf("8 connections accepted %.2f ms after fds came free\n",
         absl::ToDoubleMilliseconds(time));
  EXPECT_LT(time, absl::Seconds(2));
  for (size_t i = 0; i < clients.size(); ++i) {
    ExpectEcho(driver, clients[i].get(), taken[i].get());
  }
}

TEST_P(CrowdedAcceptConformance, QueuedConnectionsEndWithTheListener) {
  TestFd listener = system().TcpListener(/*backlog=*/16);
  std::vector<TestFd> clients = ConnectMany(listener, 8);
  BackendDriver driver(MakeForTest());
  CountedOperation accept, close;
  PrepareAccept(accept, listener.get(), nullptr, nullptr);
  TestFd first = system().Own(driver.RunToEnd(accept));

  PrepareClose(close, listener.Release());
  EXPECT_EQ(driver.RunToEnd(close), 0);

  ExpectEcho(driver, clients.front().get(), first.get());
  for (size_t i = 1; i < clients.size(); ++i) ExpectEnded(driver, clients[i]);
}

TEST_P(CrowdedAcceptConformance, ConnectionsThatRaceTheCloseAreNotLeftBehind) {
  constexpr int kRounds = 50;
  const size_t fds_before = system().OpenFds();
  for (int round = 0; round < kRounds; ++round) {
    TestFd listener = system().TcpListener(/*backlog=*/16);
    CountedMultishot accept;
    CountedOperation close;
    BackendDriver driver(MakeForTest());
    PrepareAcceptMultishot(accept, listener.get());
    driver.Start(accept);
    if (round % 2 == 0) driver.TurnWithoutBlocking(1);
    std::vector<TestFd> clients = ConnectMany(listener, 4);
    driver.TurnWithoutBlocking(round % 3);

    driver.Cancel(accept);
    ASSERT_TRUE(driver.RunUntil([&] { return accept.ended(); }));
    driver->DropDeliveries(accept);
    PrepareClose(close, listener.Release());
    EXPECT_EQ(driver.RunToEnd(close), 0);

    for (const TestFd& client : clients) ExpectEnded(driver, client);
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_EQ(system().OpenFds(), fds_before);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(CrowdedAcceptConformance);

}  // namespace
}  // namespace ringway::testing
