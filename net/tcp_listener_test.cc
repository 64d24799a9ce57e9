// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tcp_listener.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/listening/listener_core.h"
#include "ringway/net/testing/few_fds.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::Bytes;
using testing::NetTest;
using testing::OutOfFds;
using testing::Peer;
using testing::TurnTimes;
using testing::TurnUntil;
using testing::ValueOf;

// Takes the connection's number and says it to the peer.
Task<absl::StatusOr<int>> AcceptAndName(TcpListener& listener, int name) {
  absl::StatusOr<TcpStream> stream = co_await listener.Accept();
  if (!stream.ok()) co_return stream.status();
  const std::string text = absl::StrCat(name);
  absl::Status sent = co_await stream->Write(Bytes(text));
  if (!sent.ok()) co_return sent;
  absl::Status closed = co_await stream->Close();
  if (!closed.ok()) co_return closed;
  co_return name;
}

Task<absl::Status> AcceptOnly(TcpListener& listener) {
  absl::StatusOr<TcpStream> stream = co_await listener.Accept();
  co_return stream.status();
}

class TcpListenerTest : public NetTest {
 protected:
  TcpListener ListenOnLoopback() { return ListenOn("127.0.0.1:0"); }

  // An established connection that is not accepted.
  Peer ConnectTo(const TcpListener& listener) {
    const SocketAddress address = ValueOf(listener.LocalAddress());
    sockaddr_in in;
    memcpy(&in, address.data(), sizeof(in));
    return Peer(system(), system().ConnectTo(in));
  }

  // The other end is closed, and sent nothing that is yet to be received.
  bool ReadsAsEnded(const Peer& peer) {
    std::array<char, 1> byte;
    const int64_t n = system().ReceiveInto(peer.fd(), byte);
    return n == 0 || n == -ECONNRESET;
  }

  uint64_t Accepted() { return loop().stats().backend.deliveries; }
};

TEST_P(TcpListenerTest, AcceptsAThousandConnections) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOnLoopback();
    const SocketAddress address = ValueOf(listener.LocalAddress());
    constexpr int kConnections = 1000;
    auto connect_all = [&]() -> Task<int> {
      int n = 0;
      for (int i = 0; i < kConnections; ++i) {
        TcpStream stream = ValueOf(co_await Connect(address));
        std::array<std::byte, 4> buffer;
        n += ValueOf(co_await stream.Read(buffer)) == 2;
      }
      co_return n;
    };
    JoinHandle<int> clients = Spawn(connect_all());
    for (int i = 0; i < kConnections; ++i) {
      TcpStream stream = ValueOf(co_await listener.Accept());
      EXPECT_TRUE((co_await stream.Write(Bytes("hi"))).ok());
    }
    EXPECT_EQ(ValueOf(co_await clients), kConnections);
  };
  Run(main());
}

TEST_P(TcpListenerTest, ServesWaitingTasksInTheOrderTheyCame) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOnLoopback();
    std::vector<JoinHandle<absl::StatusOr<int>>> acceptors;
    for (int i = 0; i < 8; ++i)
      acceptors.push_back(Spawn(AcceptAndName(listener, i)));
    co_await TurnTimes(3);
    for (int i = 0; i < 8; ++i) {
      Peer client = ConnectTo(listener);
      EXPECT_EQ(ValueOf(co_await acceptors[i]), i);
      const testing::PeerInput input = co_await client.ReceiveAll();
      EXPECT_EQ(input.bytes, absl::StrCat(i));
      EXPECT_EQ(input.errnum, 0);
    }
  };
  Run(main());
}

TEST_P(TcpListenerTest, AcceptedSocketsCloseOnExec) {
  RINGWAY_REQUIRES_KERNEL("flags of an fd");
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOnLoopback();
    Peer client = ConnectTo(listener);
    TcpStream stream = ValueOf(co_await listener.Accept());
    EXPECT_TRUE(system().IsCloseOnExec(stream.fd()));
  };
  Run(main());
}

TEST_P(TcpListenerTest, ClosingEndsEveryWaitAsCancelled) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    TcpListener listener = ListenOnLoopback();
    const SocketAddress address = ValueOf(listener.LocalAddress());
    std::vector<JoinHandle<absl::Status>> acceptors;
    for (int i = 0; i < 3; ++i)
      acceptors.push_back(Spawn(AcceptOnly(listener)));
    co_await TurnTimes(3);
    listener.Close();
    for (JoinHandle<absl::Status>& acceptor : acceptors)
      EXPECT_TRUE(absl::IsCancelled(co_await acceptor));
    co_await TurnUntil([&] { return OpenFds() == fds_before; });
    // The port is free at once.
    EXPECT_TRUE(TcpListener::Listen(loop(), address).ok());
    listener.Close();  // again: nothing happens
  };
  Run(main());
}

// An accept loop that is busy while its listener is closed calls Accept()
// again. It used to dereference a null pointer; loops that were waiting at
// that moment were cancelled and did not call it again.
TEST_P(TcpListenerTest, AcceptingFromAClosedListenerIsCancelled) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOnLoopback();
    Peer client = ConnectTo(listener);
    EXPECT_TRUE((co_await listener.Accept()).ok());
    listener.Close();
    EXPECT_TRUE(absl::IsCancelled((co_await listener.Accept()).status()));
    EXPECT_TRUE(absl::IsCancelled((co_await listener.Accept()).status()));
    EXPECT_EQ(listener.LocalAddress().status().code(),
              absl::StatusCode::kFailedPrecondition);
  };
  Run(main());
}

TEST_P(TcpListenerTest, ClosesConnectionsThatNobodyHasTaken) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    TcpListener listener = ListenOnLoopback();
    std::vector<Peer> clients;
    clients.push_back(ConnectTo(listener));
    { TcpStream first = ValueOf(co_await listener.Accept()); }
    // The accept is armed: these are accepted although no task waits.
    const uint64_t before = Accepted();
    for (int i = 0; i < 10; ++i) clients.push_back(ConnectTo(listener));
    co_await TurnUntil([&] { return Accepted() == before + 10; });
    listener.Close();
    for (Peer& client : clients)
      co_await TurnUntil([&] { return ReadsAsEnded(client); });
    co_await TurnUntil(
        [&] { return OpenFds() == fds_before + clients.size(); });
  };
  Run(main());
}

// Several workers share an address: what one has accepted no other can serve,
// so it must not take more than it can use.
TEST_P(TcpListenerTest, PausesWhenNobodyTakesConnectionsAndResumes) {
  ListenOptions options;
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOnLoopback();
    std::vector<Peer> clients;
    clients.push_back(ConnectTo(listener));
    { TcpStream first = ValueOf(co_await listener.Accept()); }
    const uint64_t before = Accepted();
    constexpr uint32_t kMax = internal::ListenerCore::kMaxUntaken;
    for (uint32_t i = 0; i < 2 * kMax; ++i) {
      clients.push_back(ConnectTo(listener));
      co_await TurnTimes(3);
    }
    const uint64_t untaken = Accepted() - before;
    EXPECT_GE(untaken, kMax);
    EXPECT_LE(untaken, kMax + 4u);
    const uint64_t turns_before = loop().stats().turns;
    EXPECT_TRUE((co_await Sleep(absl::Milliseconds(50))).ok());
    EXPECT_LE(loop().stats().turns - turns_before, 5u);
    for (uint32_t i = 0; i < 2 * kMax; ++i)
      EXPECT_TRUE((co_await listener.Accept()).ok());
    EXPECT_EQ(Accepted() - before, 2 * kMax);
  };
  Run(main());
}

TEST_P(TcpListenerTest, ACancelledAcceptLosesNoConnection) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOnLoopback();
    std::vector<Peer> clients;
    int taken = 0, cancelled = 0;
    for (int round = 0; round < 200; ++round) {
      JoinHandle<absl::Status> accept = Spawn(AcceptOnly(listener));
      co_await TurnTimes(round % 3);
      if (round % 2 == 0) clients.push_back(ConnectTo(listener));
      co_await TurnTimes(round % 5 % 2);
      accept.Cancel();
      const absl::Status status = co_await accept;
      EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
      ++(status.ok() ? taken : cancelled);
    }
    EXPECT_GT(cancelled, 0);
    while (taken < static_cast<int>(clients.size())) {
      EXPECT_TRUE((co_await listener.Accept()).ok());
      ++taken;
    }
    JoinHandle<absl::Status> one_more = Spawn(AcceptOnly(listener));
    co_await TurnTimes(5);
    EXPECT_FALSE(one_more.done()) << "more connections than were made";
    listener.Close();
    EXPECT_TRUE(absl::IsCancelled(co_await one_more));
  };
  Run(main());
}

// Pausing cancels the accept. If the listener goes in the very turn in which
// that has ended, the listener's core used to be deleted while its delivery was
// still scheduled, which aborts. A turn earlier or later all was well.
TEST_P(TcpListenerTest, CanBeClosedInTheTurnInWhichAPauseBegins) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOnLoopback();
    std::vector<Peer> clients;
    clients.push_back(ConnectTo(listener));
    TcpStream first = ValueOf(co_await listener.Accept());
    EXPECT_TRUE((co_await first.Close()).ok());
    for (uint32_t i = 0; i < internal::ListenerCore::kMaxUntaken; ++i)
      clients.push_back(ConnectTo(listener));
    // A yielding task runs first after completions are collected, so it runs
    // before the notice of the accept's end.
    const uint64_t before = loop().stats().backend.completed;
    while (loop().stats().backend.completed == before) co_await Yield();
    listener.Close();
    for (Peer& client : clients)
      co_await TurnUntil([&] { return ReadsAsEnded(client); });
  };
  Run(main());
}

TEST_P(TcpListenerTest, AnExecutorCanEndWithAcceptsInEveryState) {
  std::vector<Peer> clients;
  auto serve = [&](int kind) -> Task<void> {
    TcpListener listener = ListenOnLoopback();
    JoinHandle<absl::Status> waiting;
    if (kind != 0) {
      clients.push_back(ConnectTo(listener));
      TcpStream first = ValueOf(co_await listener.Accept());
      if (kind == 2) clients.push_back(ConnectTo(listener));
      if (kind == 3) waiting = Spawn(AcceptOnly(listener));
    }
    Event never;
    (co_await never.Wait()).IgnoreError();
  };
  auto main = [&]() -> Task<void> {
    for (int kind = 0; kind < 4; ++kind) Spawn(serve(kind)).Detach();
    co_await TurnTimes(10);
  };
  Run(main());
  DestroyExecutor();
  for (Peer& client : clients) EXPECT_TRUE(ReadsAsEnded(client));
}

class FewFdsTest : public TcpListenerTest {
 private:
  testing::FewFds few_fds_;
};

TEST_P(FewFdsTest, GoesOnAcceptingOnceThereAreFdsAgainAndDoesNotSpin) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOnLoopback();
    Peer client = ConnectTo(listener);
    TcpStream open_before = ValueOf(co_await listener.Accept());
    std::optional<OutOfFds> shortage(system().sockets());
    shortage->FreeOne();  // to connect with, not to accept with
    Peer late = ConnectTo(listener);
    JoinHandle<absl::Status> accept = Spawn(AcceptOnly(listener));

    const uint64_t turns_before = loop().stats().turns;
    EXPECT_TRUE((co_await Sleep(absl::Milliseconds(200))).ok());
    EXPECT_FALSE(accept.done());
    EXPECT_LE(loop().stats().turns - turns_before, 50u);
    EXPECT_TRUE((co_await open_before.Write(Bytes("well"))).ok())
        << "open connections do not notice";

    shortage.reset();
    EXPECT_TRUE((co_await accept).ok());
    // Again without a waiter: the retry has nothing to do.
    shortage.emplace(system().sockets());
    co_await TurnTimes(5);
    shortage.reset();
    Peer last = ConnectTo(listener);
    EXPECT_TRUE((co_await listener.Accept()).ok());
  };
  Run(main());
}

TEST_P(FewFdsTest, CanBeClosedWhileItWaitsForFds) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOnLoopback();
    {
      OutOfFds shortage(system().sockets());
      JoinHandle<absl::Status> accept = Spawn(AcceptOnly(listener));
      EXPECT_TRUE((co_await Sleep(absl::Milliseconds(30))).ok());
      EXPECT_FALSE(accept.done());
      listener.Close();
      EXPECT_TRUE(absl::IsCancelled(co_await accept));
    }
    co_await TurnTimes(3);
  };
  Run(main());
}

TEST_P(TcpListenerTest, ReportsASocketThatCannotAccept) {
  auto main = [&]() -> Task<void> {
    SocketCalls& sockets = loop().backend().sockets();
    SocketFd not_listening(sockets, sockets.Socket(AF_INET, SOCK_STREAM));
    TcpListener listener = TcpListener::Adopt(loop(), std::move(not_listening));
    EXPECT_EQ(ErrnoOf((co_await listener.Accept()).status()), EINVAL);
    EXPECT_EQ(ErrnoOf((co_await listener.Accept()).status()), EINVAL);
  };
  Run(main());
}

TEST_P(TcpListenerTest, ReportsWhyItCannotListen) {
  TcpListener listener = ListenOnLoopback();
  const absl::Status status =
      TcpListener::Listen(loop(), ValueOf(listener.LocalAddress())).status();
  EXPECT_EQ(ErrnoOf(status), EADDRINUSE) << status;
}

TEST_P(TcpListenerTest, MovingItMovesTheSocket) {
  auto main = [&]() -> Task<void> {
    TcpListener first = ListenOnLoopback();
    TcpListener second = ListenOnLoopback();
    const SocketAddress address = ValueOf(second.LocalAddress());
    first = std::move(second);
    EXPECT_EQ(ValueOf(first.LocalAddress()), address);
    Peer client = ConnectTo(first);
    TcpListener third = std::move(first);
    EXPECT_TRUE((co_await third.Accept()).ok());
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TcpListenerTest);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FewFdsTest);

}  // namespace
}  // namespace ringway::net
