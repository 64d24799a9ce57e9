// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing.

#include "ringway/net/tls/tls_stream.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/forward.h"
#include "ringway/net/tls/testing/tls_fixture.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::EngineEnd;
using testing::Pattern;
using testing::Peer;
using testing::ReadExactly;
using testing::ReadSome;
using testing::ReadToEnd;
using testing::ReceiveSome;
using testing::ReceiveToEnd;
using testing::TlsPair;
using testing::TurnTimes;
using testing::ValueOf;
using testing::WriteAll;

constexpr size_t kMiB = 1 << 20;

using TlsStreamTest = testing::TlsTest;
RINGWAY_INSTANTIATE_TLS(TlsStreamTest);

TEST_P(TlsStreamTest, CarriesBytesBothWays) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    EXPECT_EQ(co_await pair.client.Write(Bytes("question")), absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await ReceiveSome(pair.server)), "question");
    EXPECT_EQ(co_await pair.server.Write(Bytes("answer")), absl::OkStatus());
    std::array<std::byte, 100> buffer;
    EXPECT_EQ(ValueOf(co_await pair.client.Read(buffer)), 6u);
    EXPECT_EQ(AsString(std::span(buffer).first(6)), "answer");
    EXPECT_EQ(pair.client.info().version,
              Version() == TlsVersion::kTls12 ? "TLSv1.2" : "TLSv1.3");
    EXPECT_EQ(pair.server.info().host, testing::kTestHost);
  };
  Run(main());
}

TEST_P(TlsStreamTest, ReadsByteByByte) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    const std::string sent = AsString(Pattern(1000, 3));
    EXPECT_TRUE((co_await pair.client.Write(Bytes(sent))).ok());
    EXPECT_TRUE((co_await pair.client.Close()).ok());
    std::string all;
    std::array<std::byte, 1> buffer;
    while (true) {
      const size_t n = ValueOf(co_await pair.server.Read(buffer));
      if (n == 0) break;
      all.push_back(static_cast<char>(buffer[0]));
    }
    EXPECT_EQ(all, sent);
  };
  Run(main());
}

TEST_P(TlsStreamTest, WritesPartsInOrderWithEmptyOnesAmongThem) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    std::vector<std::string> texts;
    for (int i = 0; i < 100; ++i)
      texts.push_back(i % 3 == 1 ? "" : absl::StrCat("part ", i, ";"));
    for (int i = 0; i < 40; ++i) texts.push_back("");  // nothing but empty ones
    texts.push_back("end");
    texts.push_back("");
    texts.push_back(AsString(Pattern(50'000, 1)));
    std::vector<std::span<const std::byte>> parts;
    std::string expected;
    for (const std::string& text : texts) {
      parts.push_back(Bytes(text));
      expected += text;
    }
    EXPECT_TRUE((co_await pair.client.Writev(parts)).ok());
    EXPECT_TRUE((co_await pair.client.ShutdownWrite()).ok());
    EXPECT_TRUE(ValueOf(co_await ReadToEnd(pair.server)) == expected);
  };
  Run(main());
}

TEST_P(TlsStreamTest, SmallPartsShareARecord) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    const uint64_t before = pair.client.transport().traffic().bytes_sent;
    const std::vector<std::span<const std::byte>> parts(100, Bytes("0123456"));
    EXPECT_TRUE((co_await pair.client.Writev(parts)).ok());
    EXPECT_LE(pair.client.transport().traffic().bytes_sent - before, 700 + 60u);
    EXPECT_EQ((co_await ReadExactly(pair.server, 700)).size(), 700u);
  };
  Run(main());
}

TEST_P(TlsStreamTest, NothingToReadOrWriteIsDoneAtOnce) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    const std::array<std::span<const std::byte>, 3> empty_parts;
    EXPECT_EQ(ValueOf(co_await pair.client.Read({})), 0u);
    EXPECT_TRUE((co_await pair.client.Write({})).ok());
    EXPECT_TRUE((co_await pair.client.Writev({})).ok());
    EXPECT_TRUE((co_await pair.client.Writev(empty_parts)).ok());
  };
  Run(main());
}

TEST_P(TlsStreamTest, EightMebibytesBothWaysAtOnce) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    const std::vector<std::byte> up = Pattern(8 * kMiB, 1);
    const std::vector<std::byte> down = Pattern(8 * kMiB, 2);
    JoinHandle<absl::Status> a = Spawn(WriteAll(pair.client, up));
    JoinHandle<absl::Status> b = Spawn(WriteAll(pair.server, down));
    JoinHandle<std::string> c = Spawn(ReadExactly(pair.server, up.size()));
    EXPECT_TRUE(co_await ReadExactly(pair.client, down.size()) ==
                AsString(down));
    EXPECT_TRUE(ValueOf(co_await c) == AsString(up));
    EXPECT_EQ(co_await a, absl::OkStatus());
    EXPECT_EQ(co_await b, absl::OkStatus());
  };
  Run(main());
}

TEST_P(TlsStreamTest, ThroughTheSmallestSocketBuffers) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls(/*shrink=*/true);
    const std::vector<std::byte> sent = Pattern(15'000, 9);
    JoinHandle<absl::Status> writing = Spawn(WriteAll(pair.client, sent));
    EXPECT_TRUE(co_await ReadExactly(pair.server, sent.size()) ==
                AsString(sent));
    EXPECT_TRUE((co_await writing).ok());
  };
  Run(main());
}

TEST_P(TlsStreamTest, PipelinedWritesKeepTheirOrder) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    std::vector<std::string> texts;
    for (int i = 0; i < 32; ++i) texts.push_back(absl::StrCat("<", i, ">"));
    std::vector<JoinHandle<absl::Status>> writes;
    std::string expected;
    for (const std::string& text : texts) {
      writes.push_back(Spawn(WriteAll(pair.client, Bytes(text))));
      expected += text;
    }
    for (JoinHandle<absl::Status>& write : writes)
      EXPECT_TRUE((co_await write).ok());
    EXPECT_TRUE((co_await pair.client.ShutdownWrite()).ok());
    EXPECT_EQ(ValueOf(co_await ReadToEnd(pair.server)), expected);
  };
  Run(main());
}

TEST_P(TlsStreamTest, ReadAndReceiveMixedKeepTheOrderOfBytes) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    const std::vector<std::byte> sent = Pattern(3 * kMiB, 5);
    auto send = [&]() -> Task<absl::Status> {
      const absl::Status written = co_await pair.client.Write(sent);
      EXPECT_TRUE(written.ok());
      co_return co_await pair.client.ShutdownWrite();
    };
    JoinHandle<absl::Status> sending = Spawn(send());
    std::string received;
    uint32_t random = 1;
    std::vector<std::byte> buffer(40'000);
    while (true) {
      random = random * 1664525u + 1013904223u;
      if ((random >> 16) % 3 == 0) {
        const size_t length = 1 + (random >> 8) % buffer.size();
        const size_t n =
            ValueOf(co_await pair.server.Read(std::span(buffer).first(length)));
        if (n == 0) break;
        received += AsString(std::span(buffer).first(n));
      } else {
        ReceivedBuffer part = ValueOf(co_await pair.server.Receive());
        if (part.empty()) break;
        received += AsString(part.bytes());
      }
    }
    EXPECT_TRUE((co_await sending).ok());
    EXPECT_TRUE(received == AsString(sent));
    // The end stays the end, asked either way.
    EXPECT_EQ(ValueOf(co_await pair.server.Read(buffer)), 0u);
    EXPECT_TRUE(ValueOf(co_await pair.server.Receive()).empty());
    EXPECT_EQ(ValueOf(co_await pair.server.Read(buffer)), 0u);
  };
  Run(main());
}

TEST_P(TlsStreamTest, SeveralReceivedBuffersCanBeHeld) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    std::vector<ReceivedBuffer> held;
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE((co_await pair.client.Write(Bytes(absl::StrCat(i)))).ok());
      held.push_back(ValueOf(co_await pair.server.Receive()));
    }
    pair = TlsPair();
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(AsString(held[static_cast<size_t>(i)].bytes()),
                absl::StrCat(i));
    }
  };
  Run(main());
}

TEST_P(TlsStreamTest, TwoTasksThatReadFromOneStreamAreCaught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto two = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    std::array<std::byte, 4> buffer;
    Spawn(ReadSome(pair.server, buffer)).Detach();
    Spawn(ReceiveSome(pair.server)).Detach();
    co_await TurnTimes(5);
  };
  EXPECT_DEATH(Run(two()), "two tasks read from one stream");
}

// --- What is written against any stream

TEST_P(TlsStreamTest, BufferedReaderAndWriterWorkOnIt) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    BufferedReader in(pair.server.reader());
    BufferedWriter out(pair.client.writer());
    for (int i = 0; i < 500; ++i) {
      const std::string line = absl::StrCat("line ", i, "\n");
      EXPECT_TRUE((co_await out.Enqueue(Bytes(line))).ok());
    }
    for (int i = 0; i < 500; ++i) {
      const absl::StatusOr<std::optional<std::string_view>> line =
          co_await in.ReadLine(100);
      EXPECT_TRUE(line.ok() && line->has_value());
      EXPECT_EQ(**line, absl::StrCat("line ", i));
    }
    EXPECT_TRUE((co_await out.Flush()).ok());
  };
  Run(main());
}

TEST_P(TlsStreamTest, ForwardsToAnotherStream) {
  auto main = [&]() -> Task<void> {
    TlsPair first = co_await ConnectedTls();
    TlsPair second = co_await ConnectedTls();
    const std::vector<std::byte> sent = Pattern(kMiB, 5);
    JoinHandle<absl::StatusOr<ForwardedBytes>> forwarding =
        Spawn(ForwardBoth(first.server, second.client));
    JoinHandle<absl::Status> writing = Spawn(WriteAll(first.client, sent));
    EXPECT_TRUE(co_await ReadExactly(second.server, sent.size()) ==
                AsString(sent));
    EXPECT_TRUE((co_await writing).ok());
    EXPECT_TRUE((co_await first.client.ShutdownWrite()).ok());
    EXPECT_EQ(ValueOf(co_await ReceiveToEnd(second.server)), "");
    EXPECT_TRUE((co_await second.server.Write(Bytes("bye"))).ok());
    EXPECT_TRUE((co_await second.server.ShutdownWrite()).ok());
    EXPECT_EQ(ValueOf(co_await ReadToEnd(first.client)), "bye");
    const ForwardedBytes forwarded = ValueOf(co_await forwarding);
    EXPECT_EQ(forwarded.from_first, sent.size());
    EXPECT_EQ(forwarded.from_second, 3u);
  };
  Run(main());
}

using Nested = BasicTlsStream<TlsStream>;
static_assert(ByteStream<Nested>);

// Each update of the peer's key asks for one of ours.
TEST_P(TlsStreamTest, RepliesThatThePeerDoesNotReadAreLimited) {
  if (Version() == TlsVersion::kTls12) GTEST_SKIP() << "has no key updates";
  auto main = [&]() -> Task<void> {
    ringway::testing::TestFdPair fds = system().SocketPair();
    Peer far(system(), std::move(fds.second));
    JoinHandle<absl::StatusOr<TlsStream>> accepting =
        Spawn(Accept(std::move(fds.first)));
    EngineEnd client(ClientEngine());
    co_await ShakeByHand(client, far);
    far.Send(client.TakeOutput());
    TlsStream server = ValueOf(co_await accepting);
    JoinHandle<absl::StatusOr<std::string>> reading = Spawn(ReadToEnd(server));
    int n_updates = 0;
    while (!reading.done() && n_updates < 1'000'000) {
      for (int i = 0; i < 50; ++i, ++n_updates) {
        EXPECT_EQ(SSL_key_update(&client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
        client.Send("x");
      }
      const std::string updates = client.TakeOutput();
      std::string_view rest = updates;
      while (!rest.empty() && !reading.done()) {
        const int64_t n = system().Send(far.fd(), rest.substr(0, 1000));
        if (n > 0) rest.remove_prefix(static_cast<size_t>(n));
        co_await TurnTimes(1);
      }
    }
    EXPECT_TRUE(absl::IsResourceExhausted((co_await reading).status()));
    EXPECT_GT(n_updates, 1000);
  };
  Run(main());
}

TEST_P(TlsStreamTest, GoesOverAnotherTlsStream) {
  auto main = [&]() -> Task<void> {
    TlsPair outer = co_await ConnectedTls();
    JoinHandle<absl::StatusOr<Nested>> accepting =
        Spawn(AcceptTls(server_context(), std::move(outer.server)));
    Task<absl::StatusOr<Nested>> connect = ConnectTls(
        client_context(), std::move(outer.client), testing::kTestHost);
    absl::StatusOr<Nested> client = co_await std::move(connect);
    absl::StatusOr<Nested> server = co_await accepting;
    EXPECT_TRUE(client.ok() && server.ok());
    const std::vector<std::byte> sent = Pattern(200'000, 5);
    auto write = [&]() -> Task<absl::Status> {
      const absl::Status written = co_await client->Write(sent);
      EXPECT_TRUE(written.ok());
      co_return co_await client->Close();
    };
    JoinHandle<absl::Status> writing = Spawn(write());
    std::string received;
    while (true) {
      ReceivedBuffer part = ValueOf(co_await server->Receive());
      if (part.empty()) break;
      received += AsString(part.bytes());
    }
    EXPECT_TRUE(received == AsString(sent));
    EXPECT_TRUE((co_await writing).ok());
  };
  Run(main());
}

// --- SendFile

TEST_P(TlsStreamTest, SendsPartsOfAFileInTheOrderOfWrites) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await ConnectedTls();
    const std::string content = AsString(Pattern(300'000, 4));
    const ringway::testing::TestFd file = system().File(content);
    auto send = [&]() -> Task<absl::Status> {
      EXPECT_TRUE((co_await pair.client.Write(Bytes("head;"))).ok());
      EXPECT_EQ(
          ValueOf(co_await pair.client.SendFile(file.get(), 1000, 200'000)),
          200'000u);
      // The file ends before.
      EXPECT_EQ(
          ValueOf(co_await pair.client.SendFile(file.get(), 299'000, 5000)),
          1000u);
      EXPECT_EQ(ValueOf(co_await pair.client.SendFile(file.get(), 400'000, 1)),
                0u);
      EXPECT_FALSE((co_await pair.client.SendFile(-1, 0, 1)).ok());
      EXPECT_TRUE((co_await pair.client.Write(Bytes(";tail"))).ok());
      co_return co_await pair.client.ShutdownWrite();
    };
    JoinHandle<absl::Status> sending = Spawn(send());
    EXPECT_TRUE(ValueOf(co_await ReadToEnd(pair.server)) ==
                "head;" + content.substr(1000, 200'000) +
                    content.substr(299'000) + ";tail");
    EXPECT_TRUE((co_await sending).ok());
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
