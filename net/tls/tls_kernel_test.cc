// SPDX-License-Identifier: Apache-2.0
//
// Streams with KernelTls::kAuto. What they promise holds where the kernel
// encrypts and where it refuses; only tests of the kernel's own ways are
// skipped there.

#include <netinet/in.h>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "openssl/ssl.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/tls/kernel/kernel_options.h"
#include "ringway/net/tls/testing/kernel_has_tls.h"
#include "ringway/net/tls/testing/tls_fixture.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::EngineEnd;
using testing::Handshaken;
using testing::MakeClient;
using testing::MakeServer;
using testing::Pattern;
using testing::Peer;
using testing::ReadExactly;
using testing::ReadToEnd;
using testing::ReceiveToEnd;
using testing::TestClientOptions;
using testing::TlsPair;
using testing::TurnTimes;
using testing::ValueOf;
using testing::WriteAll;

constexpr size_t kMiB = 1 << 20;

class TlsKernelTest : public testing::TlsTest {
 protected:
  static TlsServerOptions AutoServer() {
    TlsServerOptions options = ServerOptions();
    options.kernel_tls = KernelTls::kAuto;
    return options;
  }
  static TlsClientOptions AutoClient() {
    TlsClientOptions options = TestClientOptions();
    options.kernel_tls = KernelTls::kAuto;
    return options;
  }

  Task<TlsPair> Connect(bool shrink = false) {
    Task<TlsPair> connect = ConnectedTls(server_, client_);
    TlsPair pair = co_await std::move(connect);
    if (shrink) {
      system().Shrink(pair.client.transport().fd());
      system().Shrink(pair.server.transport().fd());
    }
    co_return pair;
  }

  // By the kernel's own account: its TLS is attached to the socket.
  bool KernelHas(const TlsStream& stream) {
    std::array<char, 16> name = {};
    socklen_t length = name.size();
    return loop().backend().sockets().GetOption(stream.transport().fd(),
                                                IPPROTO_TCP, internal::kTcpUlp,
                                                name.data(), length) == 0 &&
           std::string_view(name.data()) == "tls";
  }

  const TlsContext server_ = MakeServer(AutoServer());
  const TlsContext client_ = MakeClient(AutoClient());
};

RINGWAY_INSTANTIATE_TLS(TlsKernelTest);

// TCP's bytes are counted before the kernel encrypts them, and after OpenSSL
// has.
TEST_P(TlsKernelTest, IsCountedAndUsedWhereItIs) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await Connect();
    EXPECT_TRUE((co_await Talk(pair.client, pair.server)).ok());
    const bool by_kernel = KernelHas(pair.server);
    EXPECT_EQ(KernelHas(pair.client), by_kernel);
    for (const TlsContext& context : {server_, client_}) {
      EXPECT_EQ(context.statistics().kernel_encrypts, by_kernel ? 1u : 0u);
      EXPECT_EQ(context.statistics().kernel_refused, by_kernel ? 0u : 1u);
    }
    const uint64_t before = pair.server.transport().traffic().bytes_sent;
    EXPECT_TRUE((co_await pair.server.Write(Bytes("12345"))).ok());
    const uint64_t sent = pair.server.transport().traffic().bytes_sent - before;
    EXPECT_EQ(sent == 5, by_kernel) << sent;
    EXPECT_EQ(co_await ReadExactly(pair.client, 5), "12345");
    printf("encrypted by %s\n", by_kernel ? "the kernel" : "OpenSSL");
  };
  Run(main());
}

TEST_P(TlsKernelTest, IsNotUsedUnlessAskedFor) {
  auto main = [&]() -> Task<void> {
    TlsServerOptions server = AutoServer();
    TlsClientOptions client = AutoClient();
    server.kernel_tls = KernelTls::kOff;
    client.kernel_tls = KernelTls::kOff;
    const TlsContext off = MakeServer(server);
    TlsPair pair = co_await ConnectedTls(off, MakeClient(client));
    EXPECT_FALSE(KernelHas(pair.server));
    EXPECT_FALSE(KernelHas(pair.client));
    EXPECT_EQ(off.statistics().kernel_encrypts, 0u);
    EXPECT_EQ(off.statistics().kernel_refused, 0u);
  };
  Run(main());
}

TEST_P(TlsKernelTest, IsRefusedByAUnixSocket) {
  auto main = [&]() -> Task<void> {
    ringway::testing::TestFdPair fds = system().SocketPair();
    JoinHandle<absl::StatusOr<TlsStream>> accepting =
        Spawn(AcceptTls(server_, Adopt(std::move(fds.first))));
    Task<absl::StatusOr<TlsStream>> connect =
        ConnectTls(client_, Adopt(std::move(fds.second)), testing::kTestHost);
    TlsStream client = ValueOf(co_await std::move(connect));
    TlsStream server = ValueOf(co_await accepting);
    EXPECT_TRUE((co_await Talk(client, server)).ok());
    EXPECT_EQ(server_.statistics().kernel_encrypts, 0u);
    EXPECT_EQ(server_.statistics().kernel_refused, 1u);
  };
  Run(main());
}

TEST_P(TlsKernelTest, IsRefusedForACipherThatIsNotLeftToIt) {
  if (Version() == TlsVersion::kTls12) GTEST_SKIP() << "a suite of TLS 1.3";
  auto main = [&]() -> Task<void> {
    constexpr char kCcm[] = "TLS_AES_128_CCM_SHA256";
    TlsServerOptions options = AutoServer();
    options.cipher_suites = kCcm;
    const TlsContext server = MakeServer(options);
    TlsClientOptions client = AutoClient();
    client.cipher_suites = kCcm;
    TlsPair pair = co_await ConnectedTls(server, MakeClient(client));
    EXPECT_TRUE((co_await Talk(pair.client, pair.server)).ok());
    EXPECT_EQ(server.statistics().kernel_refused, 1u);
  };
  Run(main());
}

TEST_P(TlsKernelTest, CarriesMegabytesBothWays) {
  auto main = [&]() -> Task<void> {
    const std::vector<std::byte> question = Pattern(8 * kMiB, 1);
    const std::vector<std::byte> answer = Pattern(8 * kMiB, 2);
    for (const char* suite :
         {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256"}) {
      TlsClientOptions options = AutoClient();
      options.cipher_suites = suite;
      TlsPair pair = co_await ConnectedTls(server_, MakeClient(options));
      JoinHandle<absl::Status> asking = Spawn(WriteAll(pair.client, question));
      JoinHandle<absl::Status> answering = Spawn(WriteAll(pair.server, answer));
      JoinHandle<std::string> reading =
          Spawn(ReadExactly(pair.server, question.size()));
      EXPECT_TRUE(co_await ReadExactly(pair.client, answer.size()) ==
                  AsString(answer));
      EXPECT_TRUE(ValueOf(co_await reading) == AsString(question));
      EXPECT_TRUE((co_await asking).ok());
      EXPECT_TRUE((co_await answering).ok());
    }
  };
  Run(main());
}

TEST_P(TlsKernelTest, WritesPartsInOrder) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await Connect();
    std::vector<std::string> lines;
    std::string all;
    for (int i = 0; i < 100; ++i) {
      lines.push_back(std::to_string(i) + "\n");
      all += lines.back();
    }
    std::vector<std::span<const std::byte>> parts;
    for (const std::string& line : lines) parts.push_back(Bytes(line));
    EXPECT_TRUE((co_await pair.client.Writev(parts)).ok());
    EXPECT_EQ(co_await ReadExactly(pair.server, all.size()), all);
  };
  Run(main());
}

// sendfile(2) that is asked for more than the file has leaves the last record
// open (before Linux 6.5): nothing else is written here that would close it.
TEST_P(TlsKernelTest, SendsAFileToItsEndAtOnce) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await Connect();
    const std::string content = AsString(Pattern(3 * kMiB + 1, 4));
    const ringway::testing::TestFd file = system().File(content);
    auto send = [&]() -> Task<absl::StatusOr<uint64_t>> {
      co_return co_await pair.server.SendFile(file.get(), 1, 100 * kMiB);
    };
    JoinHandle<absl::StatusOr<uint64_t>> sending = Spawn(send());
    EXPECT_TRUE(co_await ReadExactly(pair.client, content.size() - 1) ==
                content.substr(1));
    EXPECT_EQ(ValueOf(co_await sending), content.size() - 1);
  };
  Run(main());
}

TEST_P(TlsKernelTest, AFileThatCannotBeReadChangesNothing) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await Connect();
    EXPECT_FALSE((co_await pair.server.SendFile(-1, 0, 1)).ok());
    EXPECT_TRUE((co_await pair.server.Write(Bytes("goes on"))).ok());
    EXPECT_EQ(co_await ReadExactly(pair.client, 7), "goes on");
  };
  Run(main());
}

// The kernel's TLS drops what it has accepted, and not passed to TCP, when the
// socket is shut down or closed.
TEST_P(TlsKernelTest, NothingIsLostToASlowReader) {
  auto main = [&]() -> Task<void> {
    for (const bool gracefully : {false, true}) {
      TlsPair pair = co_await Connect(/*shrink=*/true);
      const std::vector<std::byte> sent = Pattern(30'000, 3);
      auto write = [&]() -> Task<absl::Status> {
        absl::Status written = co_await pair.server.Write(sent);
        if (!written.ok()) co_return written;
        if (gracefully) {
          co_return co_await pair.server.CloseGracefully(
              absl::InfiniteDuration());
        }
        co_return co_await pair.server.ShutdownWrite();
      };
      JoinHandle<absl::Status> writing = Spawn(write());
      std::string received;
      std::array<std::byte, 5'000> buffer;
      while (true) {
        co_await TurnTimes(1);
        const absl::StatusOr<size_t> n = co_await pair.client.Read(buffer);
        EXPECT_TRUE(n.ok()) << n.status();
        if (!n.ok() || *n == 0) break;
        received += AsString(std::span(buffer).first(*n));
      }
      EXPECT_TRUE(received == AsString(sent)) << received.size();
      EXPECT_TRUE((co_await pair.client.Close()).ok());
      EXPECT_TRUE((co_await writing).ok());
    }
  };
  Run(main());
}

TEST_P(TlsKernelTest, AHalfClosedPeerGetsTheWholeAnswer) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await Connect();
    EXPECT_TRUE((co_await pair.client.Write(Bytes("question"))).ok());
    EXPECT_TRUE((co_await pair.client.ShutdownWrite()).ok());
    EXPECT_EQ(ValueOf(co_await ReadToEnd(pair.server)), "question");
    const std::vector<std::byte> answer = Pattern(kMiB, 6);
    JoinHandle<absl::Status> writing = Spawn(WriteAll(pair.server, answer));
    EXPECT_TRUE(co_await ReadExactly(pair.client, answer.size()) ==
                AsString(answer));
    EXPECT_TRUE((co_await writing).ok());
    EXPECT_TRUE((co_await pair.server.Close()).ok());
    EXPECT_EQ(ValueOf(co_await ReceiveToEnd(pair.client)), "");
  };
  Run(main());
}

TEST_P(TlsKernelTest, ACancelledWriteEndsWritingOnly) {
  auto main = [&]() -> Task<void> {
    TlsPair pair = co_await Connect(/*shrink=*/true);
    const std::vector<std::byte> much = Pattern(8 * kMiB, 7);
    JoinHandle<absl::Status> writing = Spawn(WriteAll(pair.server, much));
    co_await TurnTimes(5);
    writing.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await writing));
    EXPECT_TRUE(
        absl::IsFailedPrecondition(co_await pair.server.Write(Bytes("more"))));
    EXPECT_TRUE((co_await pair.client.Write(Bytes("other way"))).ok());
    EXPECT_EQ(co_await ReadExactly(pair.server, 9), "other way");
  };
  Run(main());
}

// Tickets are records that the kernel encrypts.
TEST_P(TlsKernelTest, SessionsAreResumed) {
  auto main = [&]() -> Task<void> {
    for (const bool resumed : {false, true}) {
      TlsPair pair = co_await Connect();
      EXPECT_TRUE((co_await Talk(pair.client, pair.server)).ok());
      EXPECT_EQ(pair.client.info().resumed, resumed);
      EXPECT_TRUE((co_await pair.client.Close()).ok());
    }
  };
  Run(main());
}

TEST_P(TlsKernelTest, APeerThatAsksForNewKeysIsToldNo) {
  if (Version() == TlsVersion::kTls12) GTEST_SKIP() << "has no new keys";
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    JoinHandle<absl::StatusOr<TlsStream>> accepting =
        Spawn(AcceptTls(server_, Adopt(std::move(pair.near_end))));
    EngineEnd client(ClientEngine());
    co_await ShakeByHand(client, pair.far_end);
    pair.far_end.Send(client.TakeOutput());
    TlsStream server = ValueOf(co_await accepting);
    EXPECT_EQ(SSL_key_update(&client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    client.Send("question");
    pair.far_end.Send(client.TakeOutput());
    EXPECT_EQ(co_await ReadExactly(server, 8), "question");
    if (KernelHas(server)) {
      std::array<std::byte, 1> byte;
      EXPECT_TRUE(absl::IsUnimplemented((co_await server.Read(byte)).status()));
      while (client.error().ok()) {
        co_await TurnTimes(1);
        client.Deliver(pair.far_end.ReceiveNow());
      }
      EXPECT_EQ(client.error().message(),
                "the peer sent the alert \"internal error\"");
    } else {
      EXPECT_TRUE((co_await server.Write(Bytes("answer"))).ok());
      while (client.plaintext().empty()) {
        co_await TurnTimes(1);
        client.Deliver(pair.far_end.ReceiveNow());
      }
      EXPECT_EQ(client.plaintext(), "answer");
    }
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
