// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/event.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/testing/kernel_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::CountOpenFds;
using ringway::testing::SendAll;
using testing::AllOf;
using testing::AsString;
using testing::Bytes;
using testing::KernelNetTest;
using testing::KernelPair;
using testing::KernelTcp;
using testing::Pattern;
using testing::ReadSome;
using testing::ReceiveAll;
using testing::ReceiveSome;
using testing::ResetOnClose;
using testing::SetBuffer;
using testing::TurnTimes;
using testing::TurnUntil;
using testing::ValueOf;
using testing::WriteAll;

constexpr size_t kMiB = 1 << 20;

using TcpStreamTest = KernelNetTest;

// --- The end of a connection

TEST_F(TcpStreamTest, ClosingWithAnArmedReceiveShowsThePeerTheDataAndTheEnd) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = CountOpenFds();
    KernelPair pair = KernelTcp();
    {
      TcpStream stream = Adopt(std::move(pair.near_end));
      SendAll(pair.far_end.get(), "x");
      EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "x");
      EXPECT_TRUE((co_await stream.Write(Bytes("last words"))).ok());
    }
    co_await TurnUntil([&] { return CountOpenFds() == fds_before + 1; });
    int errnum = 0;
    EXPECT_EQ(ReceiveAll(pair.far_end.get(), &errnum), "last words");
    EXPECT_EQ(errnum, 0) << "a reset instead of the end of stream";
  };
  Run(main());
}

TEST_F(TcpStreamTest, AResetIsReportedOnceByRead) {
  auto main = [&]() -> Task<void> {
    KernelPair pair = KernelTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    std::array<std::byte, 16> buffer;
    JoinHandle<absl::StatusOr<size_t>> read = Spawn(ReadSome(stream, buffer));
    co_await TurnTimes(3);
    ResetOnClose(pair.far_end.get());
    pair.far_end.Reset();
    const absl::Status status = (co_await read).status();
    EXPECT_EQ(ErrnoOf(status), ECONNRESET) << status;
    EXPECT_TRUE(absl::IsUnavailable(status));
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 0u);
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 0u);
  };
  Run(main());
}

TEST_F(TcpStreamTest, AResetIsReportedOnceByReceive) {
  auto main = [&]() -> Task<void> {
    KernelPair pair = KernelTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    JoinHandle<absl::StatusOr<std::string>> receive =
        Spawn(ReceiveSome(stream));
    co_await TurnTimes(3);
    ResetOnClose(pair.far_end.get());
    pair.far_end.Reset();
    EXPECT_EQ(ErrnoOf((co_await receive).status()), ECONNRESET);
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "");
    std::array<std::byte, 16> buffer;
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 0u);
  };
  Run(main());
}

TEST_F(TcpStreamTest, AnEndOfStreamIsNoReset) {
  auto main = [&]() -> Task<void> {
    for (const bool by_receive : {false, true}) {
      KernelPair pair = KernelTcp();
      TcpStream stream = Adopt(std::move(pair.near_end));
      SendAll(pair.far_end.get(), "data");
      pair.far_end.Reset();
      EXPECT_EQ(ValueOf(co_await AllOf(stream, by_receive)), "data");
    }
  };
  Run(main());
}

TEST_F(TcpStreamTest, ResetIsSeenByThePeerAsOne) {
  auto main = [&]() -> Task<void> {
    KernelPair pair = KernelTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    JoinHandle<absl::StatusOr<std::string>> receive =
        Spawn(ReceiveSome(stream));
    co_await TurnTimes(3);
    stream.Reset();
    EXPECT_FALSE(stream.valid());
    EXPECT_TRUE(absl::IsCancelled((co_await receive).status()));
    pollfd hangup = {.fd = pair.far_end.get(), .events = POLLIN, .revents = 0};
    co_await TurnUntil([&] { return poll(&hangup, 1, 0) == 1; });
    int errnum = 0;
    EXPECT_EQ(ReceiveAll(pair.far_end.get(), &errnum), "");
    EXPECT_EQ(errnum, ECONNRESET);
  };
  Run(main());
}

TEST_F(TcpStreamTest, WritingToAClosedPeerIsAStatusAndNoSignal) {
  ASSERT_NE(signal(SIGPIPE, SIG_DFL), SIG_ERR);
  auto main = [&]() -> Task<void> {
    const std::array<std::span<const std::byte>, 2> parts = {Bytes("a"),
                                                             Bytes("b")};
    for (const bool vectored : {false, true}) {
      for (const bool unix_socket : {false, true}) {
        KernelPair pair;
        if (unix_socket) {
          ringway::testing::FdPair ends = ringway::testing::MakeSocketPair();
          pair.near_end = std::move(ends.first);
          pair.far_end = std::move(ends.second);
        } else {
          pair = KernelTcp();
        }
        TcpStream stream = Adopt(std::move(pair.near_end));
        pair.far_end.Reset();
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
        // Reported once as what it was, from then on EPIPE.
        EXPECT_EQ(ErrnoOf(co_await stream.Write(Bytes("x"))), EPIPE);
      }
    }
  };
  Run(main());
}

TEST_F(TcpStreamTest, CloseSaysThatItIsDone) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = CountOpenFds();
    KernelPair pair = KernelTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_TRUE((co_await stream.Write(Bytes("bye"))).ok());
    CloseOp close = stream.Close();
    EXPECT_FALSE(stream.valid());
    EXPECT_TRUE((co_await close).ok());
    EXPECT_EQ(CountOpenFds(), fds_before + 1);
    EXPECT_EQ(ReceiveAll(pair.far_end.get()), "bye");
    EXPECT_TRUE((co_await stream.Close()).ok()) << "an empty stream";
  };
  Run(main());
}

TEST_F(TcpStreamTest, CloseReportsWhatCloseSaid) {
  auto main = [&]() -> Task<void> {
    KernelPair pair = KernelTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_EQ(close(stream.fd()), 0);
    const absl::Status status = co_await stream.Close();
    EXPECT_EQ(ErrnoOf(status), EBADF) << status;
  };
  Run(main());
}

TEST_F(TcpStreamTest, ACloseThatNobodyAwaitsHappensAllTheSame) {
  auto main = [&]() -> Task<void> {
    KernelPair pair = KernelTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    { CloseOp dropped = stream.Close(); }
    pollfd end = {.fd = pair.far_end.get(), .events = POLLIN, .revents = 0};
    co_await TurnUntil([&] { return poll(&end, 1, 0) == 1; });
    EXPECT_EQ(ReceiveAll(pair.far_end.get()), "");
  };
  Run(main());
}

// A receive that need not wait used to leave itself behind as what its task
// waits for. Close() registers nothing, so a cancel during it called into the
// receive, which was gone. Other awaits register themselves and hid it.
TEST_F(TcpStreamTest, ACancelDuringCloseReachesNothingThatIsOver) {
  auto main = [&]() -> Task<void> {
    KernelPair pair = KernelTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    SendAll(pair.far_end.get(), "first");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "first");
    const uint64_t before = loop().stats().backend.deliveries;
    SendAll(pair.far_end.get(), "second");
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

// --- Streams dropped under their users

TEST_F(TcpStreamTest, DroppingAStreamEndsTheReadAndTheWritesOfOtherTasks) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = CountOpenFds();
    KernelPair pair = KernelTcp();
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
    co_await TurnUntil([&] { return CountOpenFds() == fds_before + 1; });
    const std::string received = ReceiveAll(pair.far_end.get());
    EXPECT_TRUE(received == AsString(large).substr(0, received.size()))
        << "writes that had not begun sent something";
  };
  Run(main());
}

TEST_F(TcpStreamTest, DroppingAStreamEndsTheReceiveOfAnotherTask) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = CountOpenFds();
    KernelPair pair = KernelTcp();
    std::optional<TcpStream> stream = Adopt(std::move(pair.near_end));
    JoinHandle<absl::StatusOr<std::string>> receive =
        Spawn(ReceiveSome(*stream));
    co_await TurnTimes(3);
    stream.reset();
    EXPECT_TRUE(absl::IsCancelled((co_await receive).status()));
    co_await TurnUntil([&] { return CountOpenFds() == fds_before + 1; });
    EXPECT_EQ(ReceiveAll(pair.far_end.get()), "");
  };
  Run(main());
}

TEST_F(TcpStreamTest, DroppingAStreamEndsAReadThatWaitsForTheReceiveToStop) {
  auto main = [&]() -> Task<void> {
    for (int yields = 0; yields < 4; ++yields) {
      const size_t fds_before = CountOpenFds();
      KernelPair pair = KernelTcp();
      std::optional<TcpStream> stream = Adopt(std::move(pair.near_end));
      SendAll(pair.far_end.get(), "x");
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
      co_await TurnUntil([&] { return CountOpenFds() == fds_before + 1; });
    }
  };
  Run(main());
}

// Dropping the stream cancels the send in flight, which ends as a short one:
// some bytes had gone. It used to be started again for the rest, with nobody
// left to cancel it: the write hung and the fd stayed open. With writes that
// fit, or that had sent nothing, it did not show.
TEST_F(TcpStreamTest, DroppingAStreamEndsAWriteThatHasSentAPart) {
  auto main = [&]() -> Task<void> {
    for (int yields = 1; yields < 30; ++yields) {
      const size_t fds_before = CountOpenFds();
      KernelPair pair = KernelTcp();
      SetBuffer(pair.near_end.get(), SO_SNDBUF, 4096);
      SetBuffer(pair.far_end.get(), SO_RCVBUF, 4096);
      std::optional<TcpStream> stream = Adopt(std::move(pair.near_end));
      const std::vector<std::byte> large = Pattern(1 * kMiB, 1);
      JoinHandle<absl::Status> write = Spawn(WriteAll(*stream, large));
      co_await TurnTimes(yields);
      std::array<char, 4096> taken;
      static_cast<void>(
          recv(pair.far_end.get(), taken.data(), taken.size(), MSG_DONTWAIT));
      co_await TurnTimes(yields % 3);
      stream.reset();
      EXPECT_TRUE(absl::IsCancelled(co_await write));
      co_await TurnUntil([&] { return CountOpenFds() == fds_before + 1; });
    }
  };
  Run(main());
}

TEST_F(TcpStreamTest, AssigningOverAStreamClosesIt) {
  auto main = [&]() -> Task<void> {
    KernelPair first = KernelTcp();
    KernelPair second = KernelTcp();
    TcpStream stream;
    EXPECT_FALSE(stream.valid());
    stream = Adopt(std::move(first.near_end));
    stream = Adopt(std::move(second.near_end));
    EXPECT_TRUE((co_await stream.Write(Bytes("second"))).ok());
    EXPECT_TRUE((co_await stream.Close()).ok());
    EXPECT_EQ(ReceiveAll(first.far_end.get()), "");
    EXPECT_EQ(ReceiveAll(second.far_end.get()), "second");
  };
  Run(main());
}

TEST_F(TcpStreamTest, TwoTasksThatReadFromOneStreamAreCaught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto two = [&](bool first_reads, bool second_reads) -> Task<void> {
    KernelPair pair = KernelTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    std::array<std::byte, 4> buffer;
    for (const bool reads : {first_reads, second_reads}) {
      if (reads) {
        Spawn(ReadSome(stream, buffer)).Detach();
      } else {
        Spawn(ReceiveSome(stream)).Detach();
      }
    }
    co_await TurnTimes(5);
  };
  constexpr char kMessage[] = "two tasks read from one stream";
  EXPECT_DEATH(Run(two(true, true)), kMessage);
  EXPECT_DEATH(Run(two(true, false)), kMessage);
  EXPECT_DEATH(Run(two(false, true)), kMessage);
  EXPECT_DEATH(Run(two(false, false)), kMessage);
}

// --- The executor's end

TEST_F(TcpStreamTest, AnExecutorCanEndWithEverythingInFlight) {
  std::vector<UniqueFd> far_ends;
  const std::vector<std::byte> large = Pattern(4 * kMiB, 1);
  auto busy = [&](UniqueFd near_end, int kind) -> Task<void> {
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
      KernelPair pair = KernelTcp();
      SendAll(pair.far_end.get(), "hello");
      far_ends.push_back(std::move(pair.far_end));
      Spawn(busy(std::move(pair.near_end), kind)).Detach();
    }
    co_await TurnTimes(20);
  };
  Run(main());
  DestroyExecutor();
  for (const UniqueFd& fd : far_ends) {
    int errnum = 0;
    ReceiveAll(fd.get(), &errnum);  // hangs if a near end is open
  }
}

class ImpatientTest : public KernelNetTest {
 protected:
  static ExecutorOptions NoGrace() {
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    return options;
  }
  ImpatientTest() : KernelNetTest(NoGrace()) {}
};

// Frames are then destroyed where they wait, in no particular order.
TEST_F(ImpatientTest, FramesCanBeDestroyedWhereTheyReadAndWrite) {
  std::vector<UniqueFd> far_ends;
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
  auto owner = [&](UniqueFd near_end, int kind) -> Task<void> {
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
      KernelPair pair = KernelTcp();
      if (kind % 3 == 0) SendAll(pair.far_end.get(), "hello");
      far_ends.push_back(std::move(pair.far_end));
      Spawn(owner(std::move(pair.near_end), kind)).Detach();
    }
    co_await TurnTimes(10);
  };
  Run(main());
  DestroyExecutor();
  for (const UniqueFd& fd : far_ends) {
    int errnum = 0;
    ReceiveAll(fd.get(), &errnum);
  }
}

}  // namespace
}  // namespace ringway::net
