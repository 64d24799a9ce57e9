// SPDX-License-Identifier: Apache-2.0
//
// What clients see of a server without fds. (Without a reserve they waited in
// the kernel's queue, and no counter said why.)

#include <netinet/in.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tcp_listener.h"
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

Task<void> ExpectServed(TcpListener& listener, Peer& client) {
  TcpStream stream = ValueOf(co_await listener.Accept());
  EXPECT_TRUE((co_await stream.Write(Bytes("welcome"))).ok());
  EXPECT_EQ(co_await client.Receive(7), "welcome");
}

class AcceptReserveTest : public NetTest {
 protected:
  // Serves a client before it keeps a reserve.
  Task<TcpListener> Listen() {
    TcpListener listener = ListenOn("127.0.0.1:0");
    Peer client = ConnectTo(listener, nullptr);
    co_await ExpectServed(listener, client);
    co_await TurnUntil([&] { return client.AtEnd(); });
    co_await TurnTimes(2);  // it is gone
    listener.KeepReserve();
    co_return listener;
  }

  // A client in the kernel's queue, though there are no fds.
  Peer ConnectTo(TcpListener& listener, OutOfFds* shortage) {
    if (shortage != nullptr) shortage->FreeOne();
    return ConnectTo(listener);
  }
  Peer ConnectTo(TcpListener& listener) {
    const SocketAddress address = ValueOf(listener.LocalAddress());
    sockaddr_in in;
    memcpy(&in, address.data(), sizeof(in));
    return {system(), system().ConnectTo(in)};
  }

  OutOfFds UseUpFds() { return OutOfFds(system().sockets()); }

 private:
  testing::FewFds few_fds_;
};

Task<void> ExpectRefused(TcpListener& listener, Peer& client) {
  const absl::Status refused = (co_await listener.Accept()).status();
  EXPECT_EQ(ErrnoOf(refused), EMFILE) << refused;
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  co_await TurnUntil([&] { return client.AtEnd(); });
}

TEST_P(AcceptReserveTest, WithoutFdsClientsAreToldAtOnce) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = co_await Listen();
    {
      OutOfFds shortage = UseUpFds();
      std::vector<Peer> clients;  // keep their fds
      for (int i = 0; i < 5; ++i) {
        clients.push_back(ConnectTo(listener, &shortage));
        co_await ExpectRefused(listener, clients.back());
      }
      const size_t n_earlier = clients.size();
      for (int i = 0; i < 5; ++i)  // several at a time
        clients.push_back(ConnectTo(listener, &shortage));
      for (size_t i = n_earlier; i < clients.size(); ++i)
        co_await ExpectRefused(listener, clients[i]);
    }
    Peer late = ConnectTo(listener);
    co_await ExpectServed(listener, late);
  };
  Run(main());
}

// A reserve that another part of the program took is only missing: clients
// wait, and are served or refused when there are fds again.
TEST_P(AcceptReserveTest, AReserveThatIsLostComesBack) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = co_await Listen();
    std::vector<Peer> clients;
    OutOfFds shortage = UseUpFds();
    clients.push_back(ConnectTo(listener, &shortage));
    co_await ExpectRefused(listener, clients[0]);
    {
      // The listener gives its fd up to wait for connections.
      JoinHandle<absl::Status> accept =
          Spawn([](TcpListener& of) -> Task<absl::Status> {
            co_return (co_await of.Accept()).status();
          }(listener));
      co_await TurnTimes(5);
      OutOfFds taken = UseUpFds();
      clients.push_back(ConnectTo(listener, &shortage));
      (co_await Sleep(absl::Milliseconds(50))).IgnoreError();
      accept.Cancel();
      const absl::Status status = co_await accept;
      EXPECT_TRUE(absl::IsCancelled(status) || ErrnoOf(status) == EMFILE)
          << status;
    }
    shortage.FreeOne();
    shortage.FreeOne();
    Peer late = ConnectTo(listener);
    for (int served = 0; served == 0;)
      served += (co_await listener.Accept()).ok();
  };
  Run(main());
}

TEST_P(AcceptReserveTest, AServedClientTakesNoPlaceOfTheReserve) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = co_await Listen();
    OutOfFds shortage = UseUpFds();
    Peer first = ConnectTo(listener, &shortage);
    co_await ExpectRefused(listener, first);
    Peer second = ConnectTo(listener, &shortage);
    shortage.FreeOne();  // to accept with
    co_await ExpectServed(listener, second);
    Peer third = ConnectTo(listener, &shortage);
    co_await ExpectServed(listener, third);  // the fd of the second's stream
  };
  Run(main());
}

TEST_P(AcceptReserveTest, TheReserveIsGivenBack) {
  auto main = [&]() -> Task<void> {
    const size_t before = OpenFds();
    TcpListener listener = co_await Listen();
    co_await TurnUntil([&] { return OpenFds() == before + 2; });
    listener.KeepReserve();  // again: nothing
    EXPECT_EQ(OpenFds(), before + 2);
    listener.Close();
    co_await TurnUntil([&] { return OpenFds() == before; });
    listener.KeepReserve();  // nothing
    EXPECT_EQ(OpenFds(), before);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(AcceptReserveTest);

}  // namespace
}  // namespace ringway::net
