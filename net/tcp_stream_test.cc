// SPDX-License-Identifier: Apache-2.0

#include "net/tcp_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/testing/sockets.h"
#include "core/errno_status.h"
#include "executor/event.h"
#include "gtest/gtest.h"
#include "net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::CountOpenFds;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::FillSendBuffer;
using testing::NetTest;
using testing::Pattern;
using testing::ReadExactly;
using testing::ReadToEnd;
using testing::ReceiveAll;
using testing::ReceiveToEnd;
using testing::ResetOnClose;
using testing::SetBuffer;
using testing::ShortDirectory;
using testing::TurnTimes;
using testing::TurnUntil;
using testing::ValueOf;

constexpr size_t kMiB = 1 << 20;

std::string AsString(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void SendBlocking(int fd, std::string_view text) {
  ringway::testing::SendAll(fd, text);
}

Task<absl::Status> WriteAll(TcpStream& stream,
                            std::span<const std::byte> bytes) {
  co_return co_await stream.Write(bytes);
}

Task<absl::StatusOr<size_t>> ReadSome(TcpStream& stream,
                                      std::span<std::byte> buffer) {
  co_return co_await stream.Read(buffer);
}

Task<absl::StatusOr<std::string>> ReceiveSome(TcpStream& stream) {
  absl::StatusOr<ReceivedBuffer> received = co_await stream.Receive();
  if (!received.ok()) co_return received.status();
  co_return AsString(received->bytes());
}

Task<absl::StatusOr<std::string>> AllOf(TcpStream& stream, bool by_receive) {
  if (by_receive) co_return co_await ReceiveToEnd(stream);
  co_return co_await ReadToEnd(stream);
}

Task<absl::Status> EchoOne(TcpListener& listener) {
  absl::StatusOr<TcpStream> stream = co_await listener.Accept();
  if (!stream.ok()) co_return stream.status();
  Task<absl::Status> echo = testing::Echo(*std::move(stream));
  co_return co_await std::move(echo);
}

// --- Every kind of address

class StreamOver : public NetTest,
                   public ::testing::WithParamInterface<const char*> {
 protected:
  TcpListener Listen() {
    const std::string kind = GetParam();
    if (kind == "IPv4") return ListenOn("127.0.0.1:0");
    if (kind == "IPv6") return ListenOn("[::1]:0");
    if (kind == "Unix") return ListenOn("unix:" + directory_.PathOf("s"));
    return ListenOn(absl::StrCat("unix:@ringway-stream-", getpid()));
  }

  // Sends `bytes` through an echo and compares what comes back.
  Task<void> ExpectEcho(SocketAddress address, size_t n_bytes, uint32_t seed) {
    const std::vector<std::byte> bytes = Pattern(n_bytes, seed);
    TcpStream stream = ValueOf(co_await Connect(address));
    JoinHandle<absl::Status> writing = Spawn(WriteAll(stream, bytes));
    const std::string back = co_await ReadExactly(stream, n_bytes);
    EXPECT_TRUE(back == AsString(bytes)) << n_bytes << " bytes";
    absl::Status written = co_await writing;
    EXPECT_TRUE(written.ok()) << written;
  }

  Task<void> EchoConnections(size_t n_connections, size_t n_bytes) {
    TcpListener listener = Listen();
    const SocketAddress address = ValueOf(listener.LocalAddress());
    std::vector<JoinHandle<absl::Status>> servers;
    std::vector<JoinHandle<void>> clients;
    for (uint32_t i = 0; i < n_connections; ++i) {
      servers.push_back(Spawn(EchoOne(listener)));
      clients.push_back(Spawn(ExpectEcho(address, n_bytes, i)));
    }
    for (JoinHandle<void>& client : clients) {
      absl::Status ended = co_await client;
      EXPECT_TRUE(ended.ok()) << ended;
    }
    for (JoinHandle<absl::Status>& server : servers) {
      absl::Status ended = co_await server;
      EXPECT_TRUE(ended.ok()) << ended;
    }
  }

  ShortDirectory directory_;
};

INSTANTIATE_TEST_SUITE_P(Families, StreamOver,
                         ::testing::Values("IPv4", "IPv6", "Unix", "Abstract"),
                         [](const auto& info) { return info.param; });

TEST_P(StreamOver, EchoesASmallMessage) { Run(EchoConnections(1, 5)); }

TEST_P(StreamOver, EchoesEightMebibytes) { Run(EchoConnections(1, 8 * kMiB)); }

TEST_P(StreamOver, EchoesManyConnectionsAtOnce) {
  Run(EchoConnections(64, 100'000));
}

TEST_P(StreamOver, NamesBothEnds) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = Listen();
    const SocketAddress address = ValueOf(listener.LocalAddress());
    TcpStream client = ValueOf(co_await Connect(address));
    TcpStream server = ValueOf(co_await listener.Accept());
    EXPECT_EQ(ValueOf(client.PeerAddress()), address);
    EXPECT_EQ(ValueOf(server.LocalAddress()), address);
    EXPECT_EQ(ValueOf(server.PeerAddress()), ValueOf(client.LocalAddress()));
  };
  Run(main());
}

TEST_P(StreamOver, AClientThatHasShutItsWritingSideGetsTheWholeAnswer) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = Listen();
    TcpStream client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress())));
    TcpStream server = ValueOf(co_await listener.Accept());
    EXPECT_TRUE((co_await client.Write(Bytes("question"))).ok());
    EXPECT_TRUE((co_await client.ShutdownWrite()).ok());
    EXPECT_EQ(ValueOf(co_await ReadToEnd(server)), "question");
    // Answered only after the client's end of stream was seen.
    const std::vector<std::byte> answer = Pattern(2 * kMiB, 1);
    JoinHandle<absl::Status> writing = Spawn(WriteAll(server, answer));
    EXPECT_TRUE(co_await ReadExactly(client, answer.size()) ==
                AsString(answer));
    EXPECT_TRUE((co_await writing).ok());
    EXPECT_EQ(ErrnoOf(co_await client.Write(Bytes("x"))), EPIPE);
  };
  Run(main());
}

// --- Reading and writing

using TcpStreamTest = NetTest;

TEST_F(TcpStreamTest, ReadsByteByByte) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::string sent = AsString(Pattern(1000, 3));
    SendBlocking(pair.far_end.get(), sent);
    pair.far_end.Reset();
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

TEST_F(TcpStreamTest, WritesPartsInOrderWithEmptyOnesAmongThem) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
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
    EXPECT_EQ(ReceiveAll(pair.far_end.get()), expected);
  };
  Run(main());
}

TEST_F(TcpStreamTest, WritesLargePartsThroughASmallSendBuffer) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    SetBuffer(pair.near_end.get(), SO_SNDBUF, 4096);
    TcpStream stream = Adopt(std::move(pair.near_end));
    std::vector<std::vector<std::byte>> blocks;
    std::vector<std::span<const std::byte>> parts;
    std::string expected;
    for (uint32_t i = 0; i < 37; ++i) {
      blocks.push_back(Pattern(i * 7001, i));
      parts.push_back(blocks.back());
      expected += AsString(blocks.back());
    }
    std::string received;
    std::thread reader([&] { received = ReceiveAll(pair.far_end.get()); });
    EXPECT_TRUE((co_await stream.Writev(parts)).ok());
    EXPECT_TRUE((co_await stream.Close()).ok());
    reader.join();
    EXPECT_TRUE(received == expected);
  };
  Run(main());
}

TEST_F(TcpStreamTest, NothingToReadOrWriteIsDoneAtOnce) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::array<std::span<const std::byte>, 3> empty_parts;
    EXPECT_EQ(ValueOf(co_await stream.Read({})), 0u);
    EXPECT_TRUE((co_await stream.Write({})).ok());
    EXPECT_TRUE((co_await stream.Writev({})).ok());
    EXPECT_TRUE((co_await stream.Writev(empty_parts)).ok());
  };
  Run(main());
}

TEST_F(TcpStreamTest, DeliversEverythingToASlowReaderThroughASmallSendBuffer) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    SetBuffer(pair.near_end.get(), SO_SNDBUF, 4096);
    TcpStream writer = Adopt(std::move(pair.near_end));
    TcpStream reader = Adopt(std::move(pair.far_end));
    const std::vector<std::byte> sent = Pattern(8 * kMiB, 9);
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

TEST_F(TcpStreamTest, OneTaskReadsWhileAnotherWrites) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream left = Adopt(std::move(pair.near_end));
    TcpStream right = Adopt(std::move(pair.far_end));
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

TEST_F(TcpStreamTest, EachOfTwoWritesHasAResultOfItsOwn) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> large = Pattern(8 * kMiB, 1);
    JoinHandle<absl::Status> first = Spawn(WriteAll(stream, large));
    JoinHandle<absl::Status> second = Spawn(WriteAll(stream, Bytes("second")));
    co_await TurnTimes(10);
    EXPECT_FALSE(first.done());
    EXPECT_FALSE(second.done());
    // The peer resets: the first fails with what it met, and so does the one
    // that had not begun.
    ResetOnClose(pair.far_end.get());
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

TEST_F(TcpStreamTest, PipelinedWritesKeepTheirOrder) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
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
    EXPECT_EQ(ReceiveAll(pair.far_end.get()), expected);
  };
  Run(main());
}

TEST_F(TcpStreamTest, ACancelledWriteThatHadNotBegunLeavesNoTrace) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> large = Pattern(8 * kMiB, 1);
    JoinHandle<absl::Status> first = Spawn(WriteAll(stream, large));
    JoinHandle<absl::Status> cancelled = Spawn(WriteAll(stream, Bytes("no")));
    JoinHandle<absl::Status> last = Spawn(WriteAll(stream, Bytes("last")));
    co_await TurnTimes(5);
    cancelled.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await cancelled));
    EXPECT_FALSE(first.done());
    std::string received;
    std::thread reader([&] { received = ReceiveAll(pair.far_end.get()); });
    EXPECT_TRUE((co_await first).ok());
    EXPECT_TRUE((co_await last).ok());
    EXPECT_TRUE((co_await stream.Close()).ok());
    reader.join();
    EXPECT_TRUE(received == AsString(large) + "last");
  };
  Run(main());
}

TEST_F(TcpStreamTest, ShutdownComesAfterWhatWasWrittenBefore) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> large = Pattern(8 * kMiB, 1);
    auto shutdown = [&]() -> Task<absl::Status> {
      co_return co_await stream.ShutdownWrite();
    };
    JoinHandle<absl::Status> writing = Spawn(WriteAll(stream, large));
    JoinHandle<absl::Status> ending = Spawn(shutdown());
    JoinHandle<absl::Status> late = Spawn(WriteAll(stream, Bytes("late")));
    std::string received;
    std::thread reader([&] { received = ReceiveAll(pair.far_end.get()); });
    EXPECT_TRUE((co_await writing).ok());
    EXPECT_TRUE((co_await ending).ok());
    EXPECT_EQ(ErrnoOf(co_await late), EPIPE);
    reader.join();
    EXPECT_TRUE(received == AsString(large));
  };
  Run(main());
}

// --- Read() and Receive() together

TEST_F(TcpStreamTest, ReadAndReceiveMixedKeepTheOrderOfBytes) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> sent = Pattern(3 * kMiB, 5);
    std::thread writer([&] {
      SendBlocking(pair.far_end.get(), AsString(sent));
      pair.far_end.Reset();
    });
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
    writer.join();
    EXPECT_EQ(received.size(), sent.size());
    EXPECT_TRUE(received == AsString(sent));
    // The end stays the end, asked either way.
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 0u);
    EXPECT_TRUE(ValueOf(co_await stream.Receive()).empty());
    EXPECT_EQ(ValueOf(co_await stream.Read(buffer)), 0u);
  };
  Run(main());
}

TEST_F(TcpStreamTest, AReadTakesWhatTheArmedReceiveDelivers) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    SendBlocking(pair.far_end.get(), "one");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "one");
    // The kernel's receive is armed. A read has to stop it first.
    std::array<std::byte, 2> small;
    JoinHandle<absl::StatusOr<size_t>> read = Spawn(ReadSome(stream, small));
    co_await TurnTimes(1);
    SendBlocking(pair.far_end.get(), "twothree");
    EXPECT_EQ(ValueOf(co_await read), 2u);
    EXPECT_EQ(AsString(small), "tw");
    EXPECT_EQ(co_await ReadExactly(stream, 6), "othree");
    SendBlocking(pair.far_end.get(), "four");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "four");
  };
  Run(main());
}

TEST_F(TcpStreamTest, ServerThatSpeaksFirstLosesNothing) {
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
TEST_F(TcpStreamTest, AReaderThatDoesNotComeHoldsFewBuffersAndCostsNoTurns) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    const int far = pair.far_end.get();
    TcpStream stream = Adopt(std::move(pair.near_end));
    SendBlocking(far, "start");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "start");
    const uint64_t events_before = loop().stats().backend.events;

    // For ever, as far as the kernel takes it: until it has stood still while
    // the loop turned.
    size_t sent = 0;
    for (int quiet = 0; quiet < 50;) {
      const size_t n = FillSendBuffer(far);
      sent += n;
      quiet = n == 0 ? quiet + 1 : 0;
      co_await TurnTimes(2);
    }
    const uint64_t held = loop().stats().backend.events - events_before;
    EXPECT_GE(held, 1u);
    EXPECT_LE(held, internal::Receiver::kMaxHeld + 64u);
    RecordProperty("held", static_cast<int>(held));

    const uint64_t turns_before = loop().stats().turns;
    EXPECT_TRUE((co_await Sleep(absl::Milliseconds(50))).ok());
    EXPECT_LE(loop().stats().turns - turns_before, 5u);

    pair.far_end.Reset();
    EXPECT_EQ(ValueOf(co_await ReceiveToEnd(stream)).size(), sent);
  };
  Run(main());
}

// --- The end of a connection

TEST_F(TcpStreamTest, ClosingWithAnArmedReceiveShowsThePeerTheDataAndTheEnd) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = CountOpenFds();
    Connected pair = ConnectedTcp();
    {
      TcpStream stream = Adopt(std::move(pair.near_end));
      SendBlocking(pair.far_end.get(), "x");
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
    Connected pair = ConnectedTcp();
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
    Connected pair = ConnectedTcp();
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
      Connected pair = ConnectedTcp();
      TcpStream stream = Adopt(std::move(pair.near_end));
      SendBlocking(pair.far_end.get(), "data");
      pair.far_end.Reset();
      EXPECT_EQ(ValueOf(co_await AllOf(stream, by_receive)), "data");
    }
  };
  Run(main());
}

TEST_F(TcpStreamTest, ResetIsSeenByThePeerAsOne) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
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
        Connected pair;
        if (unix_socket) {
          ringway::testing::FdPair ends = ringway::testing::MakeSocketPair();
          pair.near_end = std::move(ends.first);
          pair.far_end = std::move(ends.second);
        } else {
          pair = ConnectedTcp();
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
    Connected pair = ConnectedTcp();
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
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_EQ(close(stream.fd()), 0);
    const absl::Status status = co_await stream.Close();
    EXPECT_EQ(ErrnoOf(status), EBADF) << status;
  };
  Run(main());
}

TEST_F(TcpStreamTest, ACloseThatNobodyAwaitsHappensAllTheSame) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
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
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    SendBlocking(pair.far_end.get(), "first");
    EXPECT_EQ(ValueOf(co_await ReceiveSome(stream)), "first");
    const uint64_t before = loop().stats().backend.events;
    SendBlocking(pair.far_end.get(), "second");
    co_await TurnUntil([&] { return loop().stats().backend.events > before; });
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

// --- Cancellation

TEST_F(TcpStreamTest, CancelledReadsLoseNothingThatRacesThem) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    const int far = pair.far_end.get();
    TcpStream stream = Adopt(std::move(pair.near_end));
    std::string sent, received;
    int cancelled = 0;
    for (int round = 0; round < 400; ++round) {
      std::array<std::byte, 5> buffer;
      JoinHandle<absl::StatusOr<size_t>> read = Spawn(ReadSome(stream, buffer));
      co_await TurnTimes(round % 4);
      if (round % 5 != 0) {
        const std::string text = absl::StrCat(round, ",");
        SendBlocking(far, text);
        sent += text;
      }
      co_await TurnTimes(round % 3);
      read.Cancel();
      const absl::StatusOr<size_t> n = co_await read;
      if (n.ok()) {
        received += AsString(std::span(buffer).first(*n));
      } else {
        EXPECT_TRUE(absl::IsCancelled(n.status())) << n.status();
        ++cancelled;
      }
    }
    EXPECT_GT(cancelled, 0);
    pair.far_end.Reset();
    received += ValueOf(co_await ReadToEnd(stream));
    EXPECT_EQ(received, sent);
  };
  Run(main());
}

TEST_F(TcpStreamTest, CancelledReceivesAndReadsLoseNothingThatRacesThem) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    const int far = pair.far_end.get();
    TcpStream stream = Adopt(std::move(pair.near_end));
    std::string sent, received;
    int cancelled = 0;
    for (int round = 0; round < 400; ++round) {
      std::array<std::byte, 3> buffer;
      std::optional<JoinHandle<absl::StatusOr<std::string>>> receive;
      std::optional<JoinHandle<absl::StatusOr<size_t>>> read;
      if (round % 7 < 4) {
        receive = Spawn(ReceiveSome(stream));
      } else {
        read = Spawn(ReadSome(stream, buffer));
      }
      co_await TurnTimes(round % 4);
      if (round % 5 != 0) {
        const std::string text = absl::StrCat(round, ",");
        SendBlocking(far, text);
        sent += text;
      }
      co_await TurnTimes(round % 3);
      absl::Status status;
      if (receive) {
        receive->Cancel();
        absl::StatusOr<std::string> text = co_await *receive;
        status = text.status();
        if (text.ok()) received += *text;
      } else {
        read->Cancel();
        absl::StatusOr<size_t> n = co_await *read;
        status = n.status();
        if (n.ok()) received += AsString(std::span(buffer).first(*n));
      }
      if (!status.ok()) {
        EXPECT_TRUE(absl::IsCancelled(status)) << status;
        ++cancelled;
      }
    }
    EXPECT_GT(cancelled, 0);
    pair.far_end.Reset();
    received += ValueOf(co_await ReceiveToEnd(stream));
    EXPECT_EQ(received, sent);
  };
  Run(main());
}

TEST_F(TcpStreamTest, ACancelledWriteEndsThoughThePeerNeverReads) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> large = Pattern(16 * kMiB, 1);
    JoinHandle<absl::Status> writing = Spawn(WriteAll(stream, large));
    co_await TurnTimes(20);
    EXPECT_FALSE(writing.done());
    writing.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await writing));
    // What was sent is a prefix, and the stream can be closed.
    EXPECT_TRUE((co_await stream.Close()).ok());
    const std::string received = ReceiveAll(pair.far_end.get());
    EXPECT_LT(received.size(), large.size());
    EXPECT_TRUE(received == AsString(large).substr(0, received.size()));
  };
  Run(main());
}

TEST_F(TcpStreamTest, ACancelledTaskReadsAndWritesNothingMore) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    auto stubborn = [&]() -> Task<absl::Status> {
      std::array<std::byte, 4> buffer;
      EXPECT_TRUE(absl::IsCancelled((co_await stream.Read(buffer)).status()));
      EXPECT_TRUE(absl::IsCancelled((co_await stream.Read(buffer)).status()));
      EXPECT_TRUE(absl::IsCancelled((co_await stream.Receive()).status()));
      EXPECT_TRUE(absl::IsCancelled(co_await stream.Write(Bytes("x"))));
      EXPECT_TRUE(absl::IsCancelled(co_await stream.ShutdownWrite()));
      co_return absl::OkStatus();
    };
    JoinHandle<absl::Status> task = Spawn(stubborn());
    co_await TurnTimes(3);
    task.Cancel();
    EXPECT_TRUE((co_await task).ok());
    EXPECT_TRUE((co_await stream.Write(Bytes("y"))).ok());
    EXPECT_TRUE((co_await stream.Close()).ok());
    EXPECT_EQ(ReceiveAll(pair.far_end.get()), "y");
  };
  Run(main());
}

// A task whose receives all end at once must let others run all the same.
TEST_F(TcpStreamTest, ATaskThatIgnoresItsCancelStarvesNobody) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp();
    TcpStream stream = Adopt(std::move(pair.near_end));
    bool stop = false;
    auto ignorant = [&]() -> Task<void> {
      std::array<std::byte, 4> buffer;
      while (!stop) {
        (co_await stream.Read(buffer)).status().IgnoreError();
        (co_await stream.Receive()).status().IgnoreError();
        (co_await stream.Write(Bytes("x"))).IgnoreError();
      }
    };
    JoinHandle<void> task = Spawn(ignorant());
    co_await TurnTimes(3);
    task.Cancel();
    co_await TurnTimes(3);
    stop = true;
    EXPECT_TRUE((co_await task).ok());
  };
  Run(main());
}

// --- Streams dropped under their users

TEST_F(TcpStreamTest, DroppingAStreamEndsTheReadAndTheWritesOfOtherTasks) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = CountOpenFds();
    Connected pair = ConnectedTcp();
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
    Connected pair = ConnectedTcp();
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
      Connected pair = ConnectedTcp();
      std::optional<TcpStream> stream = Adopt(std::move(pair.near_end));
      SendBlocking(pair.far_end.get(), "x");
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
      Connected pair = ConnectedTcp();
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
    Connected first = ConnectedTcp();
    Connected second = ConnectedTcp();
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
    Connected pair = ConnectedTcp();
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
      Connected pair = ConnectedTcp();
      SendBlocking(pair.far_end.get(), "hello");
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
      Connected pair = ConnectedTcp();
      if (kind % 3 == 0) SendBlocking(pair.far_end.get(), "hello");
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

// --- Signals

TEST_F(TcpStreamTest, SignalsEveryMillisecondSurfaceNowhere) {
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
      if (round % 50 == 0)
        EXPECT_TRUE((co_await Sleep(absl::Milliseconds(5))).ok());
    }
    EXPECT_TRUE((co_await client.Close()).ok());
    EXPECT_TRUE((co_await server).ok());
  };
  Run(main());
  const itimerval off = {};
  setitimer(ITIMER_REAL, &off, nullptr);
  sigaction(SIGALRM, &before, nullptr);
}

}  // namespace
}  // namespace ringway::net
