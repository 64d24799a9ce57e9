// SPDX-License-Identifier: Apache-2.0
//
// Which worker gets a connection, and that none is lost on its way.

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using net::SocketAddress;
using net::testing::Bytes;
using net::testing::ReceiveAll;

// Tells each client the index of its worker, and stays until it leaves.
Task<absl::Status> TellWorker(net::TcpStream stream) {
  const std::string text = std::to_string(CurrentWorker());
  absl::Status sent = co_await stream.Write(Bytes(text));
  if (!sent.ok()) co_return sent;
  std::array<std::byte, 1> byte;
  co_return (co_await stream.Read(byte)).status();
}

int WorkerOf(const UniqueFd& client) {
  char digit = '?';
  EXPECT_EQ(recv(client.get(), &digit, 1, 0), 1);
  return digit - '0';
}

class AcceptingTest : public RuntimeTest {
 protected:
  static ListenerOptions OneAcceptor() {
    ListenerOptions options;
    options.accepting = Accepting::kOneAcceptor;
    return options;
  }

  static std::string UnixAddress(std::string_view name) {
    return absl::StrCat("unix:@ringway_accepting_", name, getpid());
  }
};

// As docs/runtime.md says: each connection goes to either worker by a hash of
// its addresses, as a coin falls. Of 8 then at least 6 go to one of the two
// with a probability of 0.29, and all 8 with one of 0.008.
TEST_F(AcceptingTest, WithReusePortEightConnectionsAreSpreadAsCoinsFall) {
  Runtime::Builder builder = OneWorker();
  builder.Workers(2).Listen("127.0.0.1:0", TellWorker);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  constexpr int kRounds = 300;
  int n_uneven = 0;
  int n_all = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::array<int, 2> n{};
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 8; ++i) {
      clients.push_back(ConnectTo(runtime->addresses()[0]));
      ++n.at(static_cast<size_t>(WorkerOf(clients.back())));
    }
    n_uneven += n[0] >= 6 || n[1] >= 6;
    n_all += n[0] == 8 || n[1] == 8;
  }
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().accepted, 8u * kRounds);
  // Six standard deviations.
  EXPECT_GT(n_uneven, kRounds * 0.13);
  EXPECT_LT(n_uneven, kRounds * 0.45);
  EXPECT_LT(n_all, kRounds * 0.05);
  printf("of %d rounds %d had 6 or more on one worker, %d all 8\n", kRounds,
         n_uneven, n_all);
}

// On a machine that is so busy that a worker does not run for a millisecond the
// other one gets its connection, so this is tried again.
TEST_F(AcceptingTest, OneAcceptorSpreadsEightConnectionsEvenlyOverTwoWorkers) {
  bool even = false;
  for (int round = 0; round < 50 && !even; ++round) {
    Runtime::Builder builder = OneWorker();
    builder.Workers(2).Listen("127.0.0.1:0", TellWorker, OneAcceptor());
    std::unique_ptr<Runtime> runtime = Launch(builder);
    std::vector<UniqueFd> clients;
    std::array<int, 2> n{};
    for (int i = 0; i < 8; ++i) {
      clients.push_back(ConnectTo(runtime->addresses()[0]));
      ++n.at(static_cast<size_t>(WorkerOf(clients.back())));
    }
    even = n[0] == 4 && n[1] == 4;
    clients.clear();
    runtime->Shutdown();
    const RuntimeReport report = runtime->Wait();
    EXPECT_EQ(report.accepted, 8u);
    EXPECT_EQ(report.ended_ok, 8u);
  }
  EXPECT_TRUE(even);
}

TEST_F(AcceptingTest, EachOfABurstIsServedOnce) {
  Runtime::Builder builder = OneWorker();
  builder.Workers(3).Listen("127.0.0.1:0", TellWorker, OneAcceptor());
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 60; ++i)
    clients.push_back(ConnectTo(runtime->addresses()[0]));
  for (const UniqueFd& client : clients) {
    EXPECT_GE(WorkerOf(client), 0);
    EXPECT_LT(recv(client.get(), nullptr, 1, MSG_DONTWAIT | MSG_TRUNC), 0);
  }
  clients.clear();
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().accepted, 60u);
}

// Blocks its worker until `release`, if it is the first.
struct Blocker {
  std::atomic<bool> first{true};
  std::promise<int> blocked;
  std::promise<void> release;
  std::shared_future<void> released{release.get_future()};

  Task<absl::Status> Serve(net::TcpStream stream) {
    if (first.exchange(false)) {
      blocked.set_value(CurrentWorker());
      released.wait();
    }
    Task<absl::Status> tell = TellWorker(std::move(stream));
    co_return co_await std::move(tell);
  }
};

// On a shared Unix listener the kernel woke a worker that was busy for 948 ms
// beside an idle one. TCP clients meet that with one acceptor only.
class BesideABusyWorker : public AcceptingTest,
                          public ::testing::WithParamInterface<bool> {};

TEST_P(BesideABusyWorker, ConnectionsAreServedByAnother) {
  const bool is_unix = GetParam();
  Blocker blocker;
  Runtime::Builder builder = OneWorker();
  builder.Workers(2).Listen(
      is_unix ? UnixAddress("busy") : "127.0.0.1:0",
      [&](net::TcpStream stream) { return blocker.Serve(std::move(stream)); },
      is_unix ? ListenerOptions() : OneAcceptor());
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd blocks = ConnectTo(runtime->addresses()[0]);
  const int busy = blocker.blocked.get_future().get();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(ConnectTo(runtime->addresses()[0]));
    EXPECT_EQ(WorkerOf(clients.back()), 1 - busy);
  }
  blocker.release.set_value();
  EXPECT_EQ(WorkerOf(blocks), busy);
  clients.clear();
  blocks = UniqueFd();
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.accepted, 41u);
  EXPECT_EQ(report.refused, 0u);
}

INSTANTIATE_TEST_SUITE_P(Families, BesideABusyWorker, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Unix" : "Tcp";
                         });

// Both are full then, whatever way they became that.
TEST_F(AcceptingTest, AFullWorkerIsPassedOver) {
  Runtime::Builder builder = OneWorker();
  builder.Workers(2).MaxConnections(2).Listen("127.0.0.1:0", TellWorker,
                                              OneAcceptor());
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::vector<UniqueFd> clients;
  std::multiset<int> workers;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(ConnectTo(runtime->addresses()[0]));
    workers.insert(WorkerOf(clients.back()));
  }
  EXPECT_EQ(workers, (std::multiset<int>{0, 0, 1, 1}));
  UniqueFd fifth = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(ReceiveAll(fifth.get()), "");
  clients.clear();
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().refused, 1u);
}

Task<absl::Status> EchoOnce(net::TcpStream stream) {
  std::array<std::byte, 16> buffer;
  absl::StatusOr<size_t> n = co_await stream.Read(buffer);
  if (!n.ok()) co_return n.status();
  co_return co_await stream.Write(std::span(buffer).first(*n));
}

// Every way to accept, with clients that connect and send and are still in the
// queue when the shutdown begins: 30 of 30 were reset on epoll, some on
// io_uring.
class AtTheShutdown
    : public AcceptingTest,
      public ::testing::WithParamInterface<std::tuple<int, bool, Accepting>> {};

TEST_P(AtTheShutdown, ClientsInTheQueueAreServed) {
  const auto [workers, is_unix, accepting] = GetParam();
  ListenerOptions options;
  options.accepting = accepting;
  for (int round = 0; round < 20; ++round) {
    Runtime::Builder builder = OneWorker();
    builder.Workers(workers).Listen(
        is_unix ? UnixAddress("queue") : "127.0.0.1:0", EchoOnce, options);
    std::unique_ptr<Runtime> runtime = Launch(builder);
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 30; ++i) {
      clients.push_back(ConnectTo(runtime->addresses()[0]));
      testing::SendAll(clients.back().get(), "early");
    }
    runtime->Shutdown();
    for (const UniqueFd& client : clients)
      ASSERT_EQ(ReceiveAll(client.get()), "early") << "round " << round;
    const RuntimeReport report = runtime->Wait();
    EXPECT_EQ(report.accepted, 30u);
    EXPECT_TRUE(report.drained());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Ways, AtTheShutdown,
    ::testing::Combine(::testing::Values(1, 2), ::testing::Bool(),
                       ::testing::Values(Accepting::kPerWorker,
                                         Accepting::kOneAcceptor)));

// --- Sockets that were made elsewhere.

UniqueFd ListeningTcp() {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(listen(fd.get(), 64), 0);
  return fd;
}

TEST_F(AcceptingTest, ASocketThatIsPassedInIsServedAndStays) {
  UniqueFd mine = ListeningTcp();
  for (const int workers : {1, 2}) {
    Runtime::Builder builder = OneWorker();
    builder.Workers(workers).ListenFd(UniqueFd(dup(mine.get())), TellWorker);
    std::unique_ptr<Runtime> runtime = Launch(builder);
    UniqueFd client = ConnectTo(runtime->addresses()[0]);
    EXPECT_GE(WorkerOf(client), 0);
    client = UniqueFd();
    runtime->Shutdown();
    EXPECT_EQ(runtime->Wait().accepted, 1u);
  }
}

TEST_F(AcceptingTest, WhatIsNoListeningSocketIsRefusedByName) {
  UniqueFd not_listening(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  UniqueFd datagrams(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (UniqueFd* fd : {&not_listening, &datagrams}) {
    const int number = fd->get();
    Runtime::Builder builder = OneWorker();
    builder.ListenFd(std::move(*fd), TellWorker);
    const absl::Status status = builder.Launch().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(
        absl::StrContains(status.message(), absl::StrCat("fd ", number)))
        << status;
  }
}

// Another process takes over: both listen, and none has to wait for the other.
TEST_F(AcceptingTest, AnAddressCanBeSharedOnRequest) {
  ListenerOptions shared;
  shared.socket.reuse_port = true;
  Runtime::Builder first = OneWorker();
  first.Listen("127.0.0.1:0", TellWorker, shared);
  std::unique_ptr<Runtime> old = Launch(first);
  Runtime::Builder second = OneWorker();
  second.Listen(old->addresses()[0].ToString(), TellWorker, shared);
  std::unique_ptr<Runtime> next = Launch(second);
  old->Shutdown();
  EXPECT_TRUE(old->Wait().drained());
  UniqueFd client = ConnectTo(next->addresses()[0]);
  EXPECT_EQ(WorkerOf(client), 0);
  client = UniqueFd();
  next->Shutdown();
  next->Wait();

  Runtime::Builder third =
      OneWorker();  // without being asked it shares with nobody
  third.Listen("127.0.0.1:0", TellWorker);
  std::unique_ptr<Runtime> alone = Launch(third);
  Runtime::Builder fourth = OneWorker();
  fourth.Listen(alone->addresses()[0].ToString(), TellWorker, shared);
  EXPECT_TRUE(absl::IsAlreadyExists(fourth.Launch().status()) ||
              absl::IsUnavailable(fourth.Launch().status()) ||
              !fourth.Launch().ok());
  alone->Shutdown();
  alone->Wait();
}

// Launch and shutdown, again and again: nothing is left of any.
TEST_F(AcceptingTest, LaunchesWithAnAcceptorLeaveNothing) {
  for (int i = 0; i < 50; ++i) {
    Runtime::Builder builder = OneWorker();
    builder.Workers(2).Listen("127.0.0.1:0", TellWorker, OneAcceptor());
    std::unique_ptr<Runtime> runtime = Launch(builder);
    if (i % 2 == 0) runtime->Shutdown();
  }
}

}  // namespace
}  // namespace ringway
