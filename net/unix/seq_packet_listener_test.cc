// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/unix/seq_packet_listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::TurnTimes;
using testing::TurnUntil;
using testing::ValueOf;

class SeqPacketListenerTest : public testing::NetTest {
 protected:
  SocketAddress Path(std::string_view name) {
    return ValueOf(SocketAddress::Parse(UnixAddress(name)));
  }
  SeqPacketListener Listen(const SocketAddress& address) {
    return ValueOf(SeqPacketListener::Listen(loop(), address));
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SeqPacketListenerTest);

Task<absl::Status> ConnectOnly(SocketAddress address) {
  co_return (co_await ConnectSeqPacket(address)).status();
}

Task<std::string> Next(SeqPacketSocket& socket) {
  std::array<std::byte, 100> buffer;
  const absl::StatusOr<Packet> got = co_await socket.Receive(buffer);
  if (!got.ok()) co_return std::string(got.status().message());
  co_return got->is_end() ? "end"
                          : AsString(std::span(buffer).first(got->n_bytes));
}

Task<void> ExpectServes(SeqPacketListener& listener, SocketAddress address) {
  SeqPacketSocket client = ValueOf(co_await ConnectSeqPacket(address));
  SeqPacketSocket server = ValueOf(co_await listener.Accept());
  EXPECT_EQ(co_await client.Send(Bytes("question")), absl::OkStatus());
  EXPECT_EQ(co_await client.Send(Bytes("another")), absl::OkStatus());
  EXPECT_EQ(co_await Next(server), "question");
  EXPECT_EQ(co_await Next(server), "another");
  EXPECT_EQ(co_await server.Send(Bytes("answer")), absl::OkStatus());
  EXPECT_EQ(co_await Next(client), "answer");
  EXPECT_EQ(ValueOf(client.PeerAddress()), address);
  EXPECT_EQ(ValueOf(server.LocalAddress()), address);
  EXPECT_TRUE(ValueOf(server.PeerAddress()).unix_path().empty());
}

TEST_P(SeqPacketListenerTest, ConnectsByAPathAndByAnAbstractName) {
  auto main = [&]() -> Task<void> {
    const std::string name = absl::StrCat("unix:@seq-packets-", getpid());
    const SocketAddress abstract_name = ValueOf(SocketAddress::Parse(name));
    for (const SocketAddress& address : {Path("s"), abstract_name}) {
      SeqPacketListener listener = Listen(address);
      EXPECT_EQ(ValueOf(listener.LocalAddress()), address);
      co_await ExpectServes(listener, address);
    }
  };
  Run(main());
}

TEST_P(SeqPacketListenerTest, ASecondStarterIsRefused) {
  auto main = [&]() -> Task<void> {
    const std::string name = absl::StrCat("unix:@seq-second-", getpid());
    const SocketAddress abstract_name = ValueOf(SocketAddress::Parse(name));
    for (const SocketAddress& address : {Path("s"), abstract_name}) {
      SeqPacketListener first = Listen(address);
      const absl::Status second = SeqPacketListener::Listen(address).status();
      EXPECT_EQ(ErrnoOf(second), EADDRINUSE);
      EXPECT_TRUE(absl::StrContains(second.message(), address.ToString()))
          << second;
      co_await ExpectServes(first, address);
    }
  };
  Run(main());
}

TEST_P(SeqPacketListenerTest, TakesOverAPathThatNobodyHasBound) {
  auto main = [&]() -> Task<void> {
    const SocketAddress address = Path("stale");
    SeqPacketListener first = Listen(address);
    co_await ExpectServes(first, address);
    first.Close();
    co_await TurnTimes(5);
    EXPECT_EQ(ErrnoOf(co_await ConnectOnly(address)), ECONNREFUSED);
    SeqPacketListener second = Listen(address);
    co_await ExpectServes(second, address);
    // Nor one that a stream listener has left, or holds.
    TcpListener streams = ListenOn(UnixAddress("streams"));
    EXPECT_EQ(ErrnoOf(SeqPacketListener::Listen(Path("streams")).status()),
              EADDRINUSE);
    EXPECT_EQ(ErrnoOf(co_await ConnectOnly(Path("streams"))), EPROTOTYPE);
    streams.Close();
    co_await TurnTimes(5);
    SeqPacketListener third = Listen(Path("streams"));
    co_await ExpectServes(third, Path("streams"));
  };
  Run(main());
}

TEST_P(SeqPacketListenerTest, OneOfSeveralStartersGetsAStalePath) {
  RINGWAY_REQUIRES_KERNEL("threads");
  const SocketAddress address = Path("race");
  for (int round = 0; round < 20; ++round) {
    Listen(address).Close();  // stale once the loop has turned
    auto turn = []() -> Task<void> { co_await TurnTimes(3); };
    Run(turn());
    std::array<absl::StatusOr<SocketFd>, 4> got;
    std::vector<std::thread> starters;
    for (absl::StatusOr<SocketFd>& mine : got) {
      starters.emplace_back([&] {
        mine = MakeListenSocket(system().sockets(), address, ListenOptions(),
                                SOCK_SEQPACKET);
      });
    }
    for (std::thread& starter : starters) starter.join();
    int n_started = 0;
    for (const absl::StatusOr<SocketFd>& mine : got) {
      if (mine.ok()) {
        ++n_started;
      } else {
        EXPECT_EQ(ErrnoOf(mine.status()), EADDRINUSE);
      }
    }
    EXPECT_EQ(n_started, 1) << "in round " << round;
  }
}

TEST_P(SeqPacketListenerTest, RefusesAddressesOfOtherFamilies) {
  auto main = [&]() -> Task<void> {
    const SocketAddress address = ValueOf(SocketAddress::Parse("127.0.0.1:0"));
    const absl::Status listened = SeqPacketListener::Listen(address).status();
    const absl::Status connected = co_await ConnectOnly(address);
    for (const absl::Status& status : {listened, connected}) {
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "127.0.0.1:0")) << status;
    }
  };
  Run(main());
}

TEST_P(SeqPacketListenerTest, AMissingListenerIsAnError) {
  auto main = [&]() -> Task<void> {
    const absl::Status status = co_await ConnectOnly(Path("nobody"));
    EXPECT_EQ(ErrnoOf(status), ENOENT);
    EXPECT_TRUE(absl::StrContains(status.message(), "nobody")) << status;
  };
  Run(main());
}

TEST_P(SeqPacketListenerTest, AConnectToAFullBacklogWaits) {
  auto main = [&]() -> Task<void> {
    ListenOptions options;
    options.backlog = 0;
    const SocketAddress address = Path("s");
    SeqPacketListener listener =
        ValueOf(SeqPacketListener::Listen(address, options));
    SeqPacketSocket first = ValueOf(co_await ConnectSeqPacket(address));
    Task<absl::Status> late = ConnectOnly(address);
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        co_await WithTimeout(absl::Milliseconds(20), std::move(late))));
    JoinHandle<absl::Status> waiting = Spawn(ConnectOnly(address));
    co_await TurnTimes(5);
    EXPECT_FALSE(waiting.done());
    EXPECT_EQ((co_await listener.Accept()).status(), absl::OkStatus());
    EXPECT_EQ(co_await waiting, absl::OkStatus());
  };
  Run(main());
}

TEST_P(SeqPacketListenerTest, TheSendBufferOfTheOptionsLimitsPackets) {
  auto main = [&]() -> Task<void> {
    const SocketAddress address = Path("s");
    SeqPacketListener listener = Listen(address);
    ConnectOptions options;
    options.stream.send_buffer_bytes = 8'192;
    SeqPacketSocket client =
        ValueOf(co_await ConnectSeqPacket(address, options));
    const std::vector<std::byte> packet(32'768);
    EXPECT_EQ(ErrnoOf(co_await client.Send(packet)), EMSGSIZE);
    SeqPacketSocket other = ValueOf(co_await ConnectSeqPacket(address));
    EXPECT_EQ(co_await other.Send(packet), absl::OkStatus());
  };
  Run(main());
}

TEST_P(SeqPacketListenerTest, CloseEndsAccepts) {
  auto main = [&]() -> Task<void> {
    const SocketAddress address = Path("s");
    SeqPacketListener listener = Listen(address);
    auto accept = [](SeqPacketListener* from) -> Task<absl::Status> {
      co_return (co_await from->Accept()).status();
    };
    JoinHandle<absl::Status> cancelled = Spawn(accept(&listener));
    JoinHandle<absl::Status> closed = Spawn(accept(&listener));
    co_await TurnTimes(3);
    cancelled.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await cancelled));
    listener.Close();
    EXPECT_TRUE(absl::IsCancelled(co_await closed));
    EXPECT_TRUE(absl::IsCancelled(co_await accept(&listener)));
  };
  Run(main());
}

TEST_P(SeqPacketListenerTest, AConnectionThatRacesACancelStays) {
  auto main = [&]() -> Task<void> {
    const SocketAddress address = Path("s");
    SeqPacketListener listener = Listen(address);
    auto accept = [](SeqPacketListener* from) -> Task<absl::Status> {
      co_return (co_await from->Accept()).status();
    };
    int n_accepted = 0;
    for (int i = 0; i < 100; ++i) {
      JoinHandle<absl::Status> accepting = Spawn(accept(&listener));
      co_await TurnTimes(i % 3);
      JoinHandle<absl::Status> connecting = Spawn(ConnectOnly(address));
      co_await TurnTimes(i / 3 % 4);
      accepting.Cancel();
      if ((co_await accepting).ok()) ++n_accepted;
      EXPECT_EQ(co_await connecting, absl::OkStatus());
    }
    for (; n_accepted < 100; ++n_accepted)
      EXPECT_EQ(co_await accept(&listener), absl::OkStatus());
  };
  Run(main());
}

TEST_P(SeqPacketListenerTest, CancelsThatRaceTheConnectionLeakNothing) {
  auto main = [&]() -> Task<void> {
    const SocketAddress address = Path("s");
    SeqPacketListener listener = Listen(address);
    auto accept_all = [&]() -> Task<void> {
      while ((co_await listener.Accept()).ok()) continue;
    };
    JoinHandle<void> accepting = Spawn(accept_all());
    co_await TurnTimes(2);
    const size_t fds_before = OpenFds();
    for (int round = 0; round < 100; ++round) {
      JoinHandle<absl::Status> connect = Spawn(ConnectOnly(address));
      co_await TurnTimes(round % 3);
      connect.Cancel();
      const absl::Status status = co_await connect;
      EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
    }
    co_await TurnUntil([&] { return OpenFds() == fds_before; });
    listener.Close();
    EXPECT_EQ(co_await accepting, absl::OkStatus());
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
