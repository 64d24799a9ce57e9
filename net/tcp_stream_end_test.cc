// SPDX-License-Identifier: Apache-2.0
//
// The end of a connection, from either side.

#include <signal.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFdPair;
using testing::AllOf;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Peer;
using testing::PeerInput;
using testing::ReadSome;
using testing::ReceiveSome;
using testing::TurnTimes;
using testing::TurnUntil;
using testing::ValueOf;

using TcpStreamTest = NetTest;

TEST_P(TcpStreamTest, ClosingWithAnArmedReceiveShowsThePeerTheDataAndTheEnd) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    Connected pair = ConnectedTcp(system());
    {
      TcpStream stream = Adopt(std::move(pair.near_end));
      pair.far_end.Send("x");
      EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "x");
      EXPECT_TRUE((co_await stream.Write(Bytes("last words"))).ok());
    }
    co_await TurnUntil([&] { return OpenFds() == fds_before + 1; });
    const PeerInput received = co_await pair.far_end.ReceiveAll();
    EXPECT_EQ(received.bytes, "last words");
    EXPECT_EQ(received.errnum, 0) << "a reset instead of the end of stream";
  };
  Run(main());
}

TEST_P(TcpStreamTest, AResetIsReportedOnceByRead) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    std::array<std::byte, 16> buffer;
    JoinHandle<absl::StatusOr<size_t>> read = Spawn(ReadSome(stream, buffer));
    co_await TurnTimes(3);
    pair.far_end.Reset();
    const absl::Status status = (co_await read).status();
    EXPECT_EQ(ErrnoOf(status), ECONNRESET) << status;
    EXPECT_TRUE(absl::IsUnavailable(status));
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 0u);
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 0u);
  };
  Run(main());
}

TEST_P(TcpStreamTest, AResetIsReportedOnceByReceive) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    JoinHandle<absl::StatusOr<std::string>> receive =
        Spawn(ReceiveSome(stream));
    co_await TurnTimes(3);
    pair.far_end.Reset();
    EXPECT_EQ(ErrnoOf((co_await receive).status()), ECONNRESET);
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "");
    std::array<std::byte, 16> buffer;
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 0u);
  };
  Run(main());
}

TEST_P(TcpStreamTest, AnEndOfStreamIsNoReset) {
  auto main = [&]() -> Task<void> {
    for (const bool by_receive : {false, true}) {
      Connected pair = ConnectedTcp(system());
      TcpStream stream = Adopt(std::move(pair.near_end));
      pair.far_end.Send("data");
      pair.far_end.Close();
      EXPECT_EQ(ValueOf(co_await AllOf(stream, by_receive)), "data");
    }
  };
  Run(main());
}

TEST_P(TcpStreamTest, ResetIsSeenByThePeerAsOne) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    JoinHandle<absl::StatusOr<std::string>> receive =
        Spawn(ReceiveSome(stream));
    co_await TurnTimes(3);
    stream.Reset();
    EXPECT_FALSE(stream.valid());
    EXPECT_TRUE(absl::IsCancelled((co_await receive).status()));
    const PeerInput received = co_await pair.far_end.ReceiveAll();
    EXPECT_EQ(received.bytes, "");
    EXPECT_EQ(received.errnum, ECONNRESET);
  };
  Run(main());
}

TEST_P(TcpStreamTest, WritingToAClosedPeerIsAStatusAndNoSignal) {
  ASSERT_NE(signal(SIGPIPE, SIG_DFL), SIG_ERR);
  auto main = [&]() -> Task<void> {
    const std::array<std::span<const std::byte>, 2> parts = {Bytes("a"),
                                                             Bytes("b")};
    for (const bool vectored : {false, true}) {
      for (const bool unix_socket : {false, true}) {
        Connected pair;
        if (unix_socket) {
          TestFdPair ends = system().SocketPair();
          pair.near_end = std::move(ends.first);
          pair.far_end = Peer(system(), std::move(ends.second));
        } else {
          pair = ConnectedTcp(system());
        }
        TcpStream stream = Adopt(std::move(pair.near_end));
        pair.far_end.Close();
        absl::Status status;
        while (status.ok()) {  // the first may be what provokes the reset
          if (vectored) {
            status = co_await stream.Writev(parts);
          } else {
            status = co_await stream.Write(Bytes("x"));
          }
        }
        EXPECT_TRUE(absl::IsUnavailable(status)) << status;
        EXPECT_TRUE(ErrnoOf(status) == EPIPE || ErrnoOf(status) == ECONNRESET)
            << status;
        // Reported once as a reset, then as EPIPE.
        EXPECT_EQ(ErrnoOf(co_await stream.Write(Bytes("x"))), EPIPE);
      }
    }
  };
  Run(main());
}

TEST_P(TcpStreamTest, CloseSaysThatItIsDone) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_TRUE((co_await stream.Write(Bytes("bye"))).ok());
    CloseOp close = stream.Close();
    EXPECT_FALSE(stream.valid());
    EXPECT_TRUE((co_await close).ok());
    EXPECT_EQ(OpenFds(), fds_before + 1);
    EXPECT_EQ((co_await pair.far_end.ReceiveAll()).bytes, "bye");
    EXPECT_TRUE((co_await stream.Close()).ok()) << "an empty stream";
  };
  Run(main());
}

TEST_P(TcpStreamTest, CloseReportsWhatCloseSaid) {
  RINGWAY_REQUIRES_KERNEL("close: a second one is a mistake elsewhere");
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_EQ(close(stream.fd()), 0);
    const absl::Status status = co_await stream.Close();
    EXPECT_EQ(ErrnoOf(status), EBADF) << status;
  };
  Run(main());
}

TEST_P(TcpStreamTest, ACloseThatNobodyAwaitsHappensAllTheSame) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    { CloseOp dropped = stream.Close(); }
    const PeerInput received = co_await pair.far_end.ReceiveAll();
    EXPECT_EQ(received.bytes, "");
    EXPECT_EQ(received.errnum, 0);
  };
  Run(main());
}

// A receive that need not wait used to remain registered as its task's wait.
// Close() registers nothing, so a cancel during it called the destroyed
// receive. Other awaits register themselves and hid it.
TEST_P(TcpStreamTest, ACancelDuringCloseReachesNothingThatIsOver) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    pair.far_end.Send("first");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "first");
    const uint64_t before = loop().stats().backend.deliveries;
    pair.far_end.Send("second");
    co_await TurnUntil(
        [&] { return loop().stats().backend.deliveries > before; });
    auto receive_and_close = [&]() -> Task<absl::Status> {
      EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "second");
      co_return co_await stream.Close();
    };
    JoinHandle<absl::Status> closing = Spawn(receive_and_close());
    co_await TurnUntil([&] { return !stream.valid(); });
    closing.Cancel();
    EXPECT_TRUE((co_await closing).ok());
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TcpStreamTest);

}  // namespace
}  // namespace ringway::net
