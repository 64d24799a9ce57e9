// SPDX-License-Identifier: Apache-2.0
//
// Streams that are dropped under their users, by their owner or at the end of
// the executor.

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/event.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFd;
using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Pattern;
using testing::Peer;
using testing::PeerInput;
using testing::ReadSome;
using testing::ReceiveSome;
using testing::TurnTimes;
using testing::TurnUntil;
using testing::ValueOf;
using testing::WriteAll;

constexpr size_t kMiB = 1 << 20;

using TcpStreamTest = NetTest;

TEST_P(TcpStreamTest, DroppingAStreamEndsTheReadAndTheWritesOfOtherTasks) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    Connected pair = ConnectedTcp(system());
    std::optional<TcpStream> stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> large = Pattern(16 * kMiB, 1);
    std::array<std::byte, 16> buffer;
    JoinHandle<absl::StatusOr<size_t>> read = Spawn(ReadSome(*stream, buffer));
    std::vector<JoinHandle<absl::Status>> writes;
    for (int i = 0; i < 5; ++i)
      writes.push_back(Spawn(WriteAll(*stream, large)));
    co_await TurnTimes(10);
    stream.reset();
    EXPECT_TRUE(absl::IsCancelled((co_await read).status()));
    for (JoinHandle<absl::Status>& write : writes)
      EXPECT_TRUE(absl::IsCancelled(co_await write));
    co_await TurnUntil([&] { return OpenFds() == fds_before + 1; });
    const std::string received = (co_await pair.far_end.ReceiveAll()).bytes;
    EXPECT_TRUE(received == AsString(large).substr(0, received.size()))
        << "writes that had not begun sent something";
  };
  Run(main());
}

TEST_P(TcpStreamTest, DroppingAStreamEndsTheReceiveOfAnotherTask) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    Connected pair = ConnectedTcp(system());
    std::optional<TcpStream> stream = Adopt(std::move(pair.near_end));
    JoinHandle<absl::StatusOr<std::string>> receive =
        Spawn(ReceiveSome(*stream));
    co_await TurnTimes(3);
    stream.reset();
    EXPECT_TRUE(absl::IsCancelled((co_await receive).status()));
    co_await TurnUntil([&] { return OpenFds() == fds_before + 1; });
    EXPECT_EQ((co_await pair.far_end.ReceiveAll()).bytes, "");
  };
  Run(main());
}

// The callback of a stream's end resumes its reader. No operation is in
// flight then, so a reader that dropped the stream deleted it at once, while
// the callback that had resumed it was still running. Readers that drop a
// stream later, or with a receive armed, did not show it; only a sanitizer
// does.
TEST_P(TcpStreamTest, AReaderMayDropItsStreamAtTheEndThatItWasToldOf) {
  auto main = [&]() -> Task<void> {
    for (const bool with_reset : {false, true}) {
      const size_t fds_before = OpenFds();
      Connected pair = ConnectedTcp(system());
      std::optional<TcpStream> stream = Adopt(std::move(pair.near_end));
      auto read = [&]() -> Task<void> {
        const absl::StatusOr<std::string> end = co_await ReceiveSome(*stream);
        stream.reset();
        EXPECT_EQ(end.ok(), !with_reset) << end.status();
      };
      JoinHandle<void> reader = Spawn(read());
      co_await TurnTimes(3);
      if (with_reset) {
        pair.far_end.Reset();
      } else {
        pair.far_end.Close();
      }
      EXPECT_TRUE((co_await reader).ok());
      EXPECT_FALSE(stream.has_value());
      co_await TurnUntil([&] { return OpenFds() == fds_before; });
    }
  };
  Run(main());
}

TEST_P(TcpStreamTest, DroppingAStreamEndsAReadThatWaitsForTheReceiveToStop) {
  auto main = [&]() -> Task<void> {
    for (int yields = 0; yields < 4; ++yields) {
      const size_t fds_before = OpenFds();
      Connected pair = ConnectedTcp(system());
      std::optional<TcpStream> stream = Adopt(std::move(pair.near_end));
      pair.far_end.Send("x");
      EXPECT_EQ(ValueOf(co_await ReceiveSome(*stream)), "x");
      std::array<std::byte, 16> buffer;
      JoinHandle<absl::StatusOr<size_t>> read =
          Spawn(ReadSome(*stream, buffer));
      co_await TurnTimes(yields);
      const bool started = yields > 0;
      if (started) stream.reset();
      if (!started) read.Cancel();
      EXPECT_TRUE(absl::IsCancelled((co_await read).status()));
      stream.reset();
      co_await TurnUntil([&] { return OpenFds() == fds_before + 1; });
    }
  };
  Run(main());
}

// Dropping the stream cancels the send in flight, which ends as a short one
// because some bytes were sent. It used to be restarted for the rest and was
// not cancelled again: the write hung and the fd stayed open. Writes that
// fit, or that had sent nothing, did not show it.
TEST_P(TcpStreamTest, DroppingAStreamEndsAWriteThatHasSentAPart) {
  auto main = [&]() -> Task<void> {
    const std::vector<std::byte> large = Pattern(1 * kMiB, 1);
    for (int yields = 1; yields < 30; ++yields) {
      const size_t fds_before = OpenFds();
      Connected pair = ConnectedTcp(system());
      Peer near(system(), std::move(pair.near_end));
      near.SetBuffer(SO_SNDBUF, 4096);
      pair.far_end.SetBuffer(SO_RCVBUF, 4096);
      std::optional<TcpStream> stream = Adopt(near.Release());
      JoinHandle<absl::Status> write = Spawn(WriteAll(*stream, large));
      co_await TurnTimes(yields);
      pair.far_end.ReceiveNow(4096);
      co_await TurnTimes(yields % 3);
      stream.reset();
      EXPECT_TRUE(absl::IsCancelled(co_await write));
      co_await TurnUntil([&] { return OpenFds() == fds_before + 1; });
    }
  };
  Run(main());
}

TEST_P(TcpStreamTest, AssigningOverAStreamClosesIt) {
  auto main = [&]() -> Task<void> {
    Connected first = ConnectedTcp(system());
    Connected second = ConnectedTcp(system());
    TcpStream stream;
    EXPECT_FALSE(stream.valid());
    stream = Adopt(std::move(first.near_end));
    stream = Adopt(std::move(second.near_end));
    EXPECT_TRUE((co_await stream.Write(Bytes("second"))).ok());
    EXPECT_TRUE((co_await stream.Close()).ok());
    EXPECT_EQ((co_await first.far_end.ReceiveAll()).bytes, "");
    EXPECT_EQ((co_await second.far_end.ReceiveAll()).bytes, "second");
  };
  Run(main());
}

// --- The executor's end

// Waits for as long as a near end is open.
Task<void> ExpectEnds(std::vector<Peer>& far_ends) {
  for (Peer& far_end : far_ends) {
    const PeerInput all = co_await far_end.ReceiveAll();
    EXPECT_TRUE(all.errnum == 0 || all.errnum == ECONNRESET) << all.errnum;
  }
}

Task<absl::Status> Greet(TcpStream stream) {
  co_return co_await stream.Write(Bytes("hello"));
}

TEST_P(TcpStreamTest, AParameterIsOpenUntilItsTaskIsJoined) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    JoinHandle<absl::Status> greeting =
        Spawn(Greet(Adopt(std::move(pair.near_end))));
    EXPECT_EQ(co_await pair.far_end.Receive(5), "hello");
    co_await TurnUntil([&] { return greeting.done(); });
    co_await TurnTimes(5);
    EXPECT_FALSE(pair.far_end.AtEnd());
    EXPECT_TRUE((co_await greeting).ok());
    co_await TurnUntil([&] { return pair.far_end.AtEnd(); });
  };
  Run(main());
}

Task<absl::Status> GreetAndClose(TcpStream parameter) {
  TcpStream stream = std::move(parameter);
  co_return co_await stream.Write(Bytes("hello"));
}

TEST_P(TcpStreamTest, ALocalVariableIsClosedAtTheEndOfItsBody) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    JoinHandle<absl::Status> greeting =
        Spawn(GreetAndClose(Adopt(std::move(pair.near_end))));
    EXPECT_EQ(co_await pair.far_end.Receive(5), "hello");
    co_await TurnUntil([&] { return pair.far_end.AtEnd(); });
    EXPECT_TRUE((co_await greeting).ok());
  };
  Run(main());
}

TEST_P(TcpStreamTest, AnExecutorCanEndWithEverythingInFlight) {
  std::vector<Peer> far_ends;
  const std::vector<std::byte> large = Pattern(4 * kMiB, 1);
  auto busy = [&](TestFd near_end, int kind) -> Task<void> {
    TcpStream stream = Adopt(std::move(near_end));
    std::array<std::byte, 64> buffer;
    std::vector<JoinHandle<absl::Status>> writes;
    JoinHandle<absl::StatusOr<size_t>> read;
    JoinHandle<absl::StatusOr<std::string>> receive;
    if (kind % 2 == 0) {
      for (int i = 0; i < 4; ++i)
        writes.push_back(Spawn(WriteAll(stream, large)));
    }
    if (kind % 3 == 0) {
      read = Spawn(ReadSome(stream, buffer));
    } else if (kind % 3 == 1) {
      receive = Spawn(ReceiveSome(stream));
    } else {  // armed, held and not waited for
      ReceivedBuffer held = ValueOf(co_await stream.Receive());
      Event never;
      (co_await never.Wait()).IgnoreError();
    }
    Event never;
    (co_await never.Wait()).IgnoreError();
    // The joins are not awaited: the stream goes first, its users after it.
  };
  auto main = [&]() -> Task<void> {
    for (int kind = 0; kind < 12; ++kind) {
      Connected pair = ConnectedTcp(system());
      pair.far_end.Send("hello");
      far_ends.push_back(std::move(pair.far_end));
      Spawn(busy(std::move(pair.near_end), kind)).Detach();
    }
    co_await TurnTimes(20);
  };
  Run(main());
  DestroyExecutor();
  MakeExecutor();
  Run(ExpectEnds(far_ends));
}

class ImpatientTest : public NetTest {
 protected:
  static ExecutorOptions NoGrace() {
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    return options;
  }
  ImpatientTest() : NetTest(NoGrace()) {}
};

// Frames are then destroyed where they wait, in no particular order.
TEST_P(ImpatientTest, FramesCanBeDestroyedWhereTheyReadAndWrite) {
  std::vector<Peer> far_ends;
  const std::vector<std::byte> large = Pattern(4 * kMiB, 1);
  auto writer = [&](StreamWriter half) -> Task<void> {
    (co_await half.Write(large)).IgnoreError();
  };
  auto reader = [&](StreamReader half, bool by_receive) -> Task<void> {
    std::array<std::byte, 64> buffer;
    while (true) {
      if (by_receive) {
        (co_await half.Receive()).status().IgnoreError();
      } else {
        (co_await half.Read(buffer)).status().IgnoreError();
      }
    }
  };
  auto owner = [&](TestFd near_end, int kind) -> Task<void> {
    TcpStream stream = Adopt(std::move(near_end));
    Spawn(reader(stream.reader(), kind % 2 == 0)).Detach();
    Spawn(writer(stream.writer())).Detach();
    Spawn(writer(stream.writer())).Detach();
    Event never;
    (co_await never.Wait()).IgnoreError();
    if (kind % 4 == 0) (co_await stream.Close()).IgnoreError();
  };
  auto main = [&]() -> Task<void> {
    for (int kind = 0; kind < 8; ++kind) {
      Connected pair = ConnectedTcp(system());
      if (kind % 3 == 0) pair.far_end.Send("hello");
      far_ends.push_back(std::move(pair.far_end));
      Spawn(owner(std::move(pair.near_end), kind)).Detach();
    }
    co_await TurnTimes(10);
  };
  Run(main());
  DestroyExecutor();
  MakeExecutor();
  Run(ExpectEnds(far_ends));
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TcpStreamTest);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ImpatientTest);

}  // namespace
}  // namespace ringway::net
