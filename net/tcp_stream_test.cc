// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tcp_stream.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFd;
using testing::AllOf;
using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Pattern;
using testing::Peer;
using testing::PeerInput;
using testing::ReadExactly;
using testing::ReadSome;
using testing::ReceiveSome;
using testing::ReceiveToEnd;
using testing::TurnTimes;
using testing::ValueOf;
using testing::WriteAll;

constexpr size_t kMiB = 1 << 20;

// --- Reading and writing

class TcpStreamTest : public NetTest {
 protected:
  TestFd WithSmallSendBuffer(TestFd fd) {
    Peer end(system(), std::move(fd));
    end.SetBuffer(SO_SNDBUF, 4096);
    return end.Release();
  }
};

TEST_P(TcpStreamTest, ReadsByteByByte) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::string sent = AsString(Pattern(1000, 3));
    pair.far_end.Send(sent);
    pair.far_end.Close();
    std::string all;
    std::array<std::byte, 1> buffer;
    while (true) {
      const size_t n = ValueOf(co_await stream.Read(buffer));
      if (n == 0) break;
      all.push_back(static_cast<char>(buffer[0]));
    }
    EXPECT_EQ(all, sent);
  };
  Run(main());
}

TEST_P(TcpStreamTest, WritesPartsInOrderWithEmptyOnesAmongThem) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    std::vector<std::string> texts;
    for (int i = 0; i < 100; ++i) {  // several system calls' worth
      texts.push_back(i % 3 == 1 ? "" : absl::StrCat("part ", i, ";"));
    }
    for (int i = 0; i < 40; ++i) texts.push_back("");  // nothing but empty ones
    texts.push_back("end");
    texts.push_back("");
    std::vector<std::span<const std::byte>> parts;
    std::string expected;
    for (const std::string& text : texts) {
      parts.push_back(Bytes(text));
      expected += text;
    }
    EXPECT_TRUE((co_await stream.Writev(parts)).ok());
    EXPECT_TRUE((co_await stream.ShutdownWrite()).ok());
    EXPECT_EQ((co_await pair.far_end.ReceiveAll()).bytes, expected);
  };
  Run(main());
}

TEST_P(TcpStreamTest, WritesLargePartsThroughASmallSendBuffer) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(WithSmallSendBuffer(std::move(pair.near_end)));
    std::vector<std::vector<std::byte>> blocks;
    std::vector<std::span<const std::byte>> parts;
    std::string expected;
    for (uint32_t i = 0; i < 37; ++i) {
      blocks.push_back(Pattern(i * 2001, i));
      parts.push_back(blocks.back());
      expected += AsString(blocks.back());
    }
    JoinHandle<PeerInput> receiving = Spawn(pair.far_end.ReceiveAll());
    EXPECT_TRUE((co_await stream.Writev(parts)).ok());
    EXPECT_TRUE((co_await stream.Close()).ok());
    const PeerInput received = ValueOf(co_await receiving);
    EXPECT_TRUE(received.bytes == expected);
  };
  Run(main());
}

TEST_P(TcpStreamTest, NothingToReadOrWriteIsDoneAtOnce) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::array<std::span<const std::byte>, 3> empty_parts;
    EXPECT_EQ(ValueOf(co_await stream.Read({})), 0u);
    EXPECT_TRUE((co_await stream.Write({})).ok());
    EXPECT_TRUE((co_await stream.Writev({})).ok());
    EXPECT_TRUE((co_await stream.Writev(empty_parts)).ok());
  };
  Run(main());
}

TEST_P(TcpStreamTest, DeliversEverythingToASlowReaderThroughASmallSendBuffer) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream writer = Adopt(WithSmallSendBuffer(std::move(pair.near_end)));
    TcpStream reader = Adopt(pair.far_end.Release());
    const std::vector<std::byte> sent = Pattern(2 * kMiB, 9);
    JoinHandle<absl::Status> writing = Spawn(WriteAll(writer, sent));
    std::string received;
    std::vector<std::byte> buffer(8 * 1024);
    while (received.size() < sent.size()) {
      if (received.size() < 100'000) co_await TurnTimes(3);
      const size_t n = ValueOf(co_await reader.Read(buffer));
      if (n == 0) break;
      received += AsString(std::span(buffer).first(n));
    }
    EXPECT_TRUE(received == AsString(sent));
    EXPECT_TRUE((co_await writing).ok());
  };
  Run(main());
}

TEST_P(TcpStreamTest, OneTaskReadsWhileAnotherWrites) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream left = Adopt(std::move(pair.near_end));
    TcpStream right = Adopt(pair.far_end.Release());
    const std::vector<std::byte> rightward = Pattern(3 * kMiB, 1);
    const std::vector<std::byte> leftward = Pattern(3 * kMiB, 2);
    // Both ends send more than the buffers between them hold before either
    // could finish: only with both directions going at once does this end.
    JoinHandle<absl::Status> a = Spawn(WriteAll(left, rightward));
    JoinHandle<absl::Status> b = Spawn(WriteAll(right, leftward));
    JoinHandle<std::string> c = Spawn(ReadExactly(right, rightward.size()));
    EXPECT_TRUE(co_await ReadExactly(left, leftward.size()) ==
                AsString(leftward));
    EXPECT_TRUE(ValueOf(co_await c) == AsString(rightward));
    EXPECT_TRUE((co_await a).ok());
    EXPECT_TRUE((co_await b).ok());
  };
  Run(main());
}

TEST_P(TcpStreamTest, EachOfTwoWritesHasAResultOfItsOwn) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> large = Pattern(8 * kMiB, 1);
    JoinHandle<absl::Status> first = Spawn(WriteAll(stream, large));
    JoinHandle<absl::Status> second = Spawn(WriteAll(stream, Bytes("second")));
    co_await TurnTimes(10);
    EXPECT_FALSE(first.done());
    EXPECT_FALSE(second.done());
    // The peer resets: the first fails with what it met, and so does the one
    // that had not begun.
    pair.far_end.Reset();
    const absl::Status first_result = co_await first;
    // EPIPE if it had sent a part: the kernel reports that, and forgets why.
    EXPECT_TRUE(ErrnoOf(first_result) == ECONNRESET ||
                ErrnoOf(first_result) == EPIPE)
        << first_result;
    const absl::Status second_result = co_await second;
    EXPECT_EQ(ErrnoOf(second_result), EPIPE) << second_result;
  };
  Run(main());
}

TEST_P(TcpStreamTest, PipelinedWritesKeepTheirOrder) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    std::vector<std::string> texts;
    for (int i = 0; i < 32; ++i) texts.push_back(absl::StrCat("<", i, ">"));
    std::vector<JoinHandle<absl::Status>> writes;
    std::string expected;
    for (const std::string& text : texts) {
      writes.push_back(Spawn(WriteAll(stream, Bytes(text))));
      expected += text;
    }
    for (JoinHandle<absl::Status>& write : writes)
      EXPECT_TRUE((co_await write).ok());
    EXPECT_TRUE((co_await stream.ShutdownWrite()).ok());
    EXPECT_EQ((co_await pair.far_end.ReceiveAll()).bytes, expected);
  };
  Run(main());
}

TEST_P(TcpStreamTest, ACancelledWriteThatHadNotBegunLeavesNoTrace) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> large = Pattern(8 * kMiB, 1);
    JoinHandle<absl::Status> first = Spawn(WriteAll(stream, large));
    JoinHandle<absl::Status> cancelled = Spawn(WriteAll(stream, Bytes("no")));
    JoinHandle<absl::Status> last = Spawn(WriteAll(stream, Bytes("last")));
    co_await TurnTimes(5);
    cancelled.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await cancelled));
    EXPECT_FALSE(first.done());
    JoinHandle<PeerInput> receiving = Spawn(pair.far_end.ReceiveAll());
    EXPECT_TRUE((co_await first).ok());
    EXPECT_TRUE((co_await last).ok());
    EXPECT_TRUE((co_await stream.Close()).ok());
    const PeerInput received = ValueOf(co_await receiving);
    EXPECT_TRUE(received.bytes == AsString(large) + "last");
  };
  Run(main());
}

TEST_P(TcpStreamTest, ShutdownComesAfterWhatWasWrittenBefore) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> large = Pattern(8 * kMiB, 1);
    auto shutdown = [&]() -> Task<absl::Status> {
      co_return co_await stream.ShutdownWrite();
    };
    JoinHandle<absl::Status> writing = Spawn(WriteAll(stream, large));
    JoinHandle<absl::Status> ending = Spawn(shutdown());
    JoinHandle<absl::Status> late = Spawn(WriteAll(stream, Bytes("late")));
    JoinHandle<PeerInput> receiving = Spawn(pair.far_end.ReceiveAll());
    EXPECT_TRUE((co_await writing).ok());
    EXPECT_TRUE((co_await ending).ok());
    EXPECT_EQ(ErrnoOf(co_await late), EPIPE);
    const PeerInput received = ValueOf(co_await receiving);
    EXPECT_TRUE(received.bytes == AsString(large));
  };
  Run(main());
}

// --- Read() and Receive() together

TEST_P(TcpStreamTest, ReadAndReceiveMixedKeepTheOrderOfBytes) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> sent = Pattern(3 * kMiB, 5);
    auto send = [&]() -> Task<void> {
      co_await pair.far_end.SendAll(sent);
      pair.far_end.Close();
    };
    JoinHandle<void> sending = Spawn(send());
    std::string received;
    uint32_t random = 1;
    std::vector<std::byte> buffer(40'000);
    while (true) {
      random = random * 1664525u + 1013904223u;
      if ((random >> 16) % 3 == 0) {
        const size_t length = 1 + (random >> 8) % buffer.size();
        const size_t n =
            ValueOf(co_await stream.Read(std::span(buffer).first(length)));
        if (n == 0) break;
        received += AsString(std::span(buffer).first(n));
      } else {
        ReceivedBuffer part = ValueOf(co_await stream.Receive());
        if (part.empty()) break;
        received += AsString(part.bytes());
      }
    }
    EXPECT_TRUE((co_await sending).ok());
    EXPECT_EQ(received.size(), sent.size());
    EXPECT_TRUE(received == AsString(sent));
    // The end stays the end, asked either way.
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 0u);
    EXPECT_TRUE(ValueOf(co_await stream.Receive()).empty());
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 0u);
  };
  Run(main());
}

TEST_P(TcpStreamTest, AReadTakesWhatTheArmedReceiveDelivers) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    pair.far_end.Send("one");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "one");
    // The kernel's receive is armed. A read has to stop it first.
    std::array<std::byte, 2> small;
    JoinHandle<absl::StatusOr<size_t>> read = Spawn(ReadSome(stream, small));
    co_await TurnTimes(1);
    pair.far_end.Send("twothree");
    EXPECT_EQ(ValueOf(co_await read), 2u);
    EXPECT_EQ(AsString(small), "tw");
    EXPECT_EQ(co_await ReadExactly(stream, 6), "othree");
    pair.far_end.Send("four");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "four");
  };
  Run(main());
}

TEST_P(TcpStreamTest, TwoTasksThatReadFromOneStreamAreCaught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto two = [&](bool first_reads, bool second_reads) -> Task<void> {
    Connected pair = ConnectedTcp(system());
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

TEST_P(TcpStreamTest, ServerThatSpeaksFirstLosesNothing) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress address = ValueOf(listener.LocalAddress());
    for (int i = 0; i < 20; ++i) {
      TcpStream client = ValueOf(co_await Connect(address));
      TcpStream server = ValueOf(co_await listener.Accept());
      EXPECT_TRUE((co_await server.Write(Bytes("220 ready\r\n"))).ok());
      EXPECT_TRUE((co_await server.Close()).ok());
      EXPECT_EQ(ValueOf(co_await AllOf(client, /*by_receive=*/i % 2 == 0)),
                "220 ready\r\n");
    }
  };
  Run(main());
}

// A multishot receive goes on by itself; without a limit a reader that does not
// come would end up holding every buffer of the worker. The kernel may deliver
// a batch (32 receives, Linux 6.18) before it hears of the pause.
TEST_P(TcpStreamTest, AReaderThatDoesNotComeHoldsFewBuffersAndCostsNoTurns) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    pair.far_end.Send("start");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "start");
    const uint64_t events_before = loop().stats().backend.deliveries;

    // For ever, as far as the kernel takes it: until it has stood still while
    // the loop turned.
    size_t sent = 0;
    for (int quiet = 0; quiet < 50;) {
      const size_t n = pair.far_end.Fill();
      sent += n;
      quiet = n == 0 ? quiet + 1 : 0;
      co_await TurnTimes(2);
    }
    const uint64_t held = loop().stats().backend.deliveries - events_before;
    EXPECT_GE(held, 1u);
    EXPECT_LE(held, internal::Receiver::kMaxHeld + 64u);
    RecordProperty("held", static_cast<int>(held));

    const uint64_t turns_before = loop().stats().turns;
    EXPECT_TRUE((co_await Sleep(absl::Milliseconds(50))).ok());
    EXPECT_LE(loop().stats().turns - turns_before, 5u);

    pair.far_end.Close();
    EXPECT_EQ(ValueOf(co_await ReceiveToEnd(stream)).size(), sent);
  };
  Run(main());
}

// --- Signals

Task<absl::Status> EchoOne(TcpListener& listener) {
  absl::StatusOr<TcpStream> stream = co_await listener.Accept();
  if (!stream.ok()) co_return stream.status();
  Task<absl::Status> echo = testing::Echo(*std::move(stream));
  co_return co_await std::move(echo);
}

TEST_P(TcpStreamTest, SignalsEveryMillisecondSurfaceNowhere) {
  RINGWAY_REQUIRES_KERNEL("signals");
  struct sigaction ignore_it = {};
  ignore_it.sa_handler = [](int) {};  // and no SA_RESTART
  struct sigaction before;
  ASSERT_EQ(sigaction(SIGALRM, &ignore_it, &before), 0);
  const timeval millisecond = {.tv_sec = 0, .tv_usec = 1000};
  const itimerval every = {.it_interval = millisecond, .it_value = millisecond};
  ASSERT_EQ(setitimer(ITIMER_REAL, &every, nullptr), 0);
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    JoinHandle<absl::Status> server = Spawn(EchoOne(listener));
    TcpStream client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress())));
    const std::vector<std::byte> bytes = Pattern(64 * 1024, 1);
    for (int round = 0; round < 200; ++round) {
      EXPECT_TRUE((co_await client.Write(bytes)).ok());
      EXPECT_TRUE(co_await ReadExactly(client, bytes.size()) ==
                  AsString(bytes));
      if (round % 50 == 0) {
        EXPECT_TRUE((co_await Sleep(absl::Milliseconds(5))).ok());
      }
    }
    EXPECT_TRUE((co_await client.Close()).ok());
    EXPECT_TRUE((co_await server).ok());
  };
  Run(main());
  const itimerval off = {};
  setitimer(ITIMER_REAL, &off, nullptr);
  sigaction(SIGALRM, &before, nullptr);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TcpStreamTest);

}  // namespace
}  // namespace ringway::net
