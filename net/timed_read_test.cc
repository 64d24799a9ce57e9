// SPDX-License-Identifier: Apache-2.0
//
// ReadWithTime(): when the kernel got what is read, where it has that, and the
// bytes in order in any case.

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/unix/fd_passing.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::ReceiveSome;
using testing::TurnTimes;
using testing::TurnUntil;
using testing::ValueOf;

// What was read.
struct Piece {
  Piece() {}

  std::string text;
  std::optional<absl::Time> received_at;
};

class TimedReadTest : public NetTest {
 protected:
  // By the clock of times of receipt.
  absl::Time WallNow() {
    if (system().is_kernel()) return absl::Now();
    return absl::FromUnixNanos(loop().backend().clock().Now().nanoseconds());
  }

  static StreamOptions Timed() {
    StreamOptions options;
    options.receive_timestamps = true;
    return options;
  }

  struct Ends {
    TcpStream client;
    TcpStream server;
  };
  Task<Ends> ConnectedWith(StreamOptions client, StreamOptions server,
                           bool multipath = false) {
    ListenOptions listening;
    listening.stream = server;
    listening.multipath = multipath;
    TcpListener listener = ListenOn("127.0.0.1:0", listening);
    ConnectOptions connecting;
    connecting.stream = client;
    connecting.multipath = multipath;
    Ends ends;
    ends.client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress()), connecting));
    ends.server = ValueOf(co_await listener.Accept());
    co_return ends;
  }

  static Task<absl::StatusOr<Piece>> Read(TcpStream& stream, size_t most = 64) {
    std::string memory(most, '\0');
    const std::span<char> buffer(memory);
    const absl::StatusOr<TimedRead> read =
        co_await stream.ReadWithTime(std::as_writable_bytes(buffer));
    if (!read.ok()) co_return read.status();
    Piece piece;
    piece.text = memory.substr(0, read->n_bytes);
    piece.received_at = read->received_at;
    co_return piece;
  }

  // Sends until times come: the kernel begins to note them a moment after the
  // first socket asks.
  Task<void> AwaitTimes(TcpStream& from, TcpStream& to) {
    while (true) {
      EXPECT_EQ(co_await from.Write(Bytes("?")), absl::OkStatus());
      const Piece piece = ValueOf(co_await Read(to));
      if (piece.text != "?") ADD_FAILURE() << "got " << piece.text;
      if (piece.received_at.has_value() || HasFailure()) co_return;
      EXPECT_TRUE((co_await Sleep(absl::Milliseconds(1))).ok());
    }
  }

  Task<void> ExpectTimes(Ends& ends) {
    co_await AwaitTimes(ends.client, ends.server);
    const absl::Time before = WallNow();
    EXPECT_EQ(co_await ends.client.Write(Bytes("ab")), absl::OkStatus());
    const Piece first = ValueOf(co_await Read(ends.server, 1));
    EXPECT_EQ(first.text, "a");
    const absl::Time arrived = WallNow();
    // The rest came in the same segment, however late it is read.
    EXPECT_TRUE((co_await Sleep(absl::Milliseconds(2))).ok());
    const Piece second = ValueOf(co_await Read(ends.server));
    EXPECT_EQ(second.text, "b");
    EXPECT_TRUE(first.received_at.has_value());
    EXPECT_EQ(first.received_at, second.received_at);
    EXPECT_GE(first.received_at.value_or(absl::InfinitePast()), before);
    EXPECT_LE(first.received_at.value_or(absl::InfiniteFuture()), arrived);
    // A later one has another.
    const absl::Time later = WallNow();
    EXPECT_EQ(co_await ends.client.Write(Bytes("c")), absl::OkStatus());
    const Piece third = ValueOf(co_await Read(ends.server));
    EXPECT_GE(third.received_at.value_or(absl::InfinitePast()), later);
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TimedReadTest);

TEST_P(TimedReadTest, SaysWhenTheBytesOfAnAcceptedStreamCame) {
  auto main = [&]() -> Task<void> {
    Ends ends = co_await ConnectedWith(StreamOptions(), Timed());
    co_await ExpectTimes(ends);
  };
  Run(main());
}

TEST_P(TimedReadTest, SaysWhenTheBytesOfAConnectedStreamCame) {
  auto main = [&]() -> Task<void> {
    Ends ends = co_await ConnectedWith(Timed(), StreamOptions());
    std::swap(ends.client, ends.server);
    co_await ExpectTimes(ends);
  };
  Run(main());
}

TEST_P(TimedReadTest, SaysWhenTheBytesOfAStreamCameThatWasAskedLater) {
  auto main = [&]() -> Task<void> {
    Ends ends = co_await ConnectedWith(StreamOptions(), StreamOptions());
    EXPECT_EQ(ends.server.SetOptions(Timed()), absl::OkStatus());
    co_await ExpectTimes(ends);
    StreamOptions off;
    off.receive_timestamps = false;
    EXPECT_EQ(ends.server.SetOptions(off), absl::OkStatus());
    EXPECT_EQ(co_await ends.client.Write(Bytes("x")), absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await Read(ends.server)).received_at, std::nullopt);
  };
  Run(main());
}

// Or a TCP one, where the system has no Multipath TCP.
TEST_P(TimedReadTest, SaysWhenTheBytesOfAMultipathStreamCame) {
  auto main = [&]() -> Task<void> {
    Ends ends = co_await ConnectedWith(StreamOptions(), Timed(), true);
    co_await ExpectTimes(ends);
  };
  Run(main());
}

TEST_P(TimedReadTest, SaysNothingUnasked) {
  auto main = [&]() -> Task<void> {
    Ends ends = co_await ConnectedWith(Timed(), StreamOptions());
    co_await AwaitTimes(ends.server, ends.client);
    EXPECT_EQ(co_await ends.client.Write(Bytes("x")), absl::OkStatus());
    const Piece piece = ValueOf(co_await Read(ends.server));
    EXPECT_EQ(piece.text, "x");
    EXPECT_EQ(piece.received_at, std::nullopt);
  };
  Run(main());
}

// Nor does it keep fds that a peer sends.
TEST_P(TimedReadTest, UnixStreamsHaveNoTimes) {
  auto main = [&]() -> Task<void> {
    auto pair = ValueOf(StreamPair());
    TcpStream& stream = pair.first;
    EXPECT_EQ(stream.SetOptions(Timed()), absl::OkStatus());
    EXPECT_EQ(co_await pair.second.Write(Bytes("one")), absl::OkStatus());
    const Piece one = ValueOf(co_await Read(stream));
    EXPECT_EQ(one.text, "one");
    EXPECT_EQ(one.received_at, std::nullopt);
    if (!system().is_kernel()) co_return;
    const size_t fds_before = OpenFds();
    const std::array<int, 1> fds = {pair.second.fd()};
    EXPECT_EQ(co_await SendFds(pair.second, Bytes("two"), fds),
              absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await Read(stream)).text, "two");
    EXPECT_EQ(OpenFds(), fds_before);
  };
  Run(main());
}

// What Receive() has had delivered comes first, without a time.
TEST_P(TimedReadTest, KeepsTheOrderWithReceive) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_EQ(stream.SetOptions(Timed()), absl::OkStatus());
    pair.far_end.Send("one");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "one");
    const uint64_t before = loop().backend().stats().deliveries;
    pair.far_end.Send("abcdef");
    co_await TurnUntil(
        [&] { return loop().backend().stats().deliveries > before; });
    const Piece ab = ValueOf(co_await Read(stream, 2));
    EXPECT_EQ(ab.text, "ab");
    EXPECT_EQ(ab.received_at, std::nullopt);
    std::array<std::byte, 2> buffer;
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 2u);
    EXPECT_EQ(AsString(buffer), "cd");
    EXPECT_EQ(ValueOf(co_await Read(stream)).text, "ef");
    // One that waits stops the delivering.
    JoinHandle<absl::StatusOr<Piece>> waiting = Spawn(Read(stream, 3));
    co_await TurnTimes(3);
    pair.far_end.Send("xyz");
    EXPECT_EQ(ValueOf(co_await waiting).text, "xyz");
    std::optional<absl::Time> received_at;
    while (!received_at.has_value()) {
      pair.far_end.Send("1");
      const Piece next = ValueOf(co_await Read(stream));
      EXPECT_EQ(next.text, "1");
      if (HasFailure()) co_return;
      received_at = next.received_at;
    }
    pair.far_end.Send("last");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "last");
  };
  Run(main());
}

TEST_P(TimedReadTest, ACancelledOneLosesNothing) {
  auto main = [&]() -> Task<void> {
    Ends ends = co_await ConnectedWith(StreamOptions(), Timed());
    // With a receive that is to be stopped first, and without.
    for (const bool lent : {false, true}) {
      if (lent) {
        EXPECT_EQ(co_await ends.client.Write(Bytes("l")), absl::OkStatus());
        EXPECT_EQ(ValueOf(co_await ReceiveSome(ends.server)), "l");
      }
      const absl::Status cut =
          (co_await WithTimeout(absl::Milliseconds(1), Read(ends.server)))
              .status();
      EXPECT_TRUE(absl::IsDeadlineExceeded(cut)) << cut;
      EXPECT_EQ(co_await ends.client.Write(Bytes("all")), absl::OkStatus());
      EXPECT_EQ(ValueOf(co_await Read(ends.server)).text, "all");
    }
  };
  Run(main());
}

TEST_P(TimedReadTest, EndsAsReadDoes) {
  auto main = [&]() -> Task<void> {
    Ends ends = co_await ConnectedWith(StreamOptions(), Timed());
    co_await AwaitTimes(ends.client, ends.server);
    EXPECT_EQ(ValueOf(co_await Read(ends.server, 0)).text, "")
        << "an empty buffer waits for nothing";
    EXPECT_EQ(co_await ends.client.ShutdownWrite(), absl::OkStatus());
    const Piece end = ValueOf(co_await Read(ends.server));
    EXPECT_EQ(end.text, "");
    EXPECT_EQ(end.received_at, std::nullopt);

    Ends broken = co_await ConnectedWith(StreamOptions(), Timed());
    broken.client.Reset();
    EXPECT_EQ(ErrnoOf((co_await Read(broken.server)).status()), ECONNRESET);

    StreamReader reader = ends.server.reader();
    EXPECT_EQ(co_await ends.server.Close(), absl::OkStatus());
    std::array<std::byte, 8> buffer;
    EXPECT_EQ((co_await reader.ReadWithTime(buffer)).status().code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ((co_await Read(ends.server)).status().code(),
              absl::StatusCode::kFailedPrecondition);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
