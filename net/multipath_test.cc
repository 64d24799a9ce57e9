// SPDX-License-Identifier: Apache-2.0
//
// Multipath TCP: used where both ends ask for it, TCP otherwise, and every way
// of reading and writing works on it.

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/backends/testing/failing_calls.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/resolver/connect_host.h"
#include "ringway/net/resolver/fixed_resolver.h"
#include "ringway/net/statistics/tcp_info.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::FailingCall;
using ringway::testing::SystemCall;
using testing::Bytes;
using testing::NetTest;
using testing::Pattern;
using testing::ReadExactly;
using testing::ReceiveToEnd;
using testing::ValueOf;

class MultipathFixture : public NetTest {
 protected:
  static ListenOptions Listening(bool multipath) {
    ListenOptions options;
    options.multipath = multipath;
    return options;
  }
  static ConnectOptions Connecting(bool multipath) {
    ConnectOptions options;
    options.multipath = multipath;
    return options;
  }

  struct Ends {
    TcpStream client;
    TcpStream server;
  };
  Task<Ends> Connected(std::string_view address, bool client, bool server) {
    TcpListener listener = ListenOn(address, Listening(server));
    const ConnectOptions options = Connecting(client);
    Ends ends;
    ends.client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress()), options));
    ends.server = ValueOf(co_await listener.Accept());
    co_return ends;
  }

  static Task<void> ExpectBothWays(Ends& ends) {
    EXPECT_EQ(co_await ends.client.Write(Bytes("ask")), absl::OkStatus());
    EXPECT_EQ(co_await ReadExactly(ends.server, 3), "ask");
    EXPECT_EQ(co_await ends.server.Write(Bytes("answer")), absl::OkStatus());
    EXPECT_EQ(co_await ReadExactly(ends.client, 6), "answer");
  }
};

// Where the system has Multipath TCP.
class MultipathTest : public MultipathFixture {
 protected:
  void SetUp() override {
    MultipathFixture::SetUp();
    SocketCalls& sockets = system().sockets();
    const SocketFd made(sockets,
                        sockets.Socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
    if (!made.valid()) GTEST_SKIP() << "this system has no Multipath TCP";
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(MultipathTest);

// Also where it has none, as the simulator.
using MultipathFallbackTest = MultipathFixture;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(MultipathFallbackTest);

TEST_P(MultipathTest, IsUsedWhereBothEndsAskForIt) {
  auto main = [&]() -> Task<void> {
    for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
      for (const bool client : {false, true}) {
        for (const bool server : {false, true}) {
          SCOPED_TRACE(std::string(address) + (client ? ", client" : "") +
                       (server ? ", server" : ""));
          Ends ends = co_await Connected(address, client, server);
          co_await ExpectBothWays(ends);
          const bool both = client && server;
          EXPECT_EQ(ValueOf(UsesMultipath(ends.client)), both);
          EXPECT_EQ(ValueOf(UsesMultipath(ends.server)), both);
          EXPECT_TRUE(TcpInfoOf(ends.client).ok());
        }
      }
    }
  };
  Run(main());
}

TEST_P(MultipathFallbackTest, WithoutItConnectionsAreTcpOnes) {
  auto main = [&]() -> Task<void> {
    for (const int errnum : {EINVAL, EPROTONOSUPPORT, ENOPROTOOPT}) {
      SCOPED_TRACE(errnum);
      std::optional<FailingCall> refusal;
      if (system().is_kernel()) refusal.emplace(SystemCall::kSocket, 1, errnum);
      TcpListener listener = ListenOn("127.0.0.1:0", Listening(true));
      EXPECT_TRUE(!refusal || refusal->happened());
      const SocketAddress address = ValueOf(listener.LocalAddress());
      refusal.reset();
      if (system().is_kernel()) refusal.emplace(SystemCall::kSocket, 1, errnum);
      const ConnectOptions options = Connecting(true);
      Ends ends;
      ends.client = ValueOf(co_await Connect(address, options));
      EXPECT_TRUE(!refusal || refusal->happened());
      refusal.reset();
      ends.server = ValueOf(co_await listener.Accept());
      co_await ExpectBothWays(ends);
      EXPECT_FALSE(ValueOf(UsesMultipath(ends.client)));
      EXPECT_FALSE(ValueOf(UsesMultipath(ends.server)));
    }
  };
  Run(main());
}

TEST_P(MultipathTest, OtherFailuresOfMakingItAreReported) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress address = ValueOf(listener.LocalAddress());
    FailingCall failure(SystemCall::kSocket, 1, EMFILE);
    const ConnectOptions options = Connecting(true);
    const absl::Status status = (co_await Connect(address, options)).status();
    EXPECT_TRUE(failure.happened());
    EXPECT_EQ(ErrnoOf(status), EMFILE) << status;
  };
  Run(main());
}

TEST_P(MultipathFallbackTest, UnixSocketsHaveNone) {
  auto main = [&]() -> Task<void> {
    Ends ends = co_await Connected(UnixAddress("s"), true, true);
    co_await ExpectBothWays(ends);
    EXPECT_FALSE(ValueOf(UsesMultipath(ends.client)));
    EXPECT_EQ(co_await ends.client.Close(), absl::OkStatus());
    EXPECT_EQ(UsesMultipath(ends.client).status().code(),
              absl::StatusCode::kFailedPrecondition);
  };
  Run(main());
}

TEST_P(MultipathTest, IsPassedOnByConnectAnyAndConnectToHost) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0", Listening(true));
    const SocketAddress address = ValueOf(listener.LocalAddress());
    std::vector<SocketAddress> addresses = {address, address};
    TcpStream any = ValueOf(co_await ConnectAny(
        std::move(addresses), absl::InfiniteDuration(), Connecting(true)));
    EXPECT_TRUE(ValueOf(UsesMultipath(any)));
    FixedResolver resolver;
    TcpStream host =
        ValueOf(co_await ConnectToHost(resolver, "127.0.0.1", address.port(),
                                       kConnectStagger, Connecting(true)));
    EXPECT_TRUE(ValueOf(UsesMultipath(host)));
    TcpStream plain =
        ValueOf(co_await ConnectToHost(resolver, "127.0.0.1", address.port()));
    EXPECT_FALSE(ValueOf(UsesMultipath(plain)));
  };
  Run(main());
}

Task<absl::Status> WriteInEveryWay(TcpStream& stream,
                                   const std::vector<std::byte>& bytes) {
  const std::span<const std::byte> all(bytes);
  absl::Status sent = co_await stream.Write(all);
  if (!sent.ok()) co_return sent;
  const std::vector<std::span<const std::byte>> parts = {
      all.first(100'000), {}, all.subspan(100'000)};
  sent = co_await stream.Writev(parts);
  if (!sent.ok()) co_return sent;
  stream.set_zero_copy_threshold(1);  // sockets of this kind copy all the same
  SharedBytes shared(bytes);
  sent = co_await stream.WriteZeroCopy(std::move(shared));
  if (!sent.ok()) co_return sent;
  {
    BufferedWriter writer(stream.writer());
    sent = co_await writer.Enqueue(all.first(1'000));
    if (sent.ok()) sent = co_await writer.Enqueue(all.subspan(1'000));
    if (sent.ok()) sent = co_await writer.Flush();
    if (!sent.ok()) co_return sent;
  }
  co_return co_await stream.ShutdownWrite();
}

TEST_P(MultipathTest, CarriesWhatIsWrittenAndReadInEveryWay) {
  const std::vector<std::byte> bytes = Pattern(300'000, 1);
  std::string expected;
  for (int i = 0; i < 4; ++i) expected += testing::AsString(bytes);
  auto main = [&]() -> Task<void> {
    for (const bool by_receive : {false, true}) {
      Ends ends = co_await Connected("127.0.0.1:0", true, true);
      JoinHandle<absl::Status> writing =
          Spawn(WriteInEveryWay(ends.client, bytes));
      EXPECT_TRUE(ValueOf(co_await testing::AllOf(ends.server, by_receive)) ==
                  expected);
      EXPECT_EQ(co_await writing, absl::OkStatus());
      EXPECT_TRUE(ValueOf(UsesMultipath(ends.server)));
      // Half-closed: the answer still arrives, and the end is a clean one.
      EXPECT_EQ(co_await ends.server.Write(Bytes("done")), absl::OkStatus());
      EXPECT_EQ(co_await ends.server.Close(), absl::OkStatus());
      EXPECT_EQ(ValueOf(co_await ReceiveToEnd(ends.client)), "done");
    }
  };
  Run(main());
}

TEST_P(MultipathTest, AResetIsSeenByThePeer) {
  auto main = [&]() -> Task<void> {
    Ends ends = co_await Connected("127.0.0.1:0", true, true);
    co_await ExpectBothWays(ends);
    ends.server.Reset();
    std::vector<std::byte> buffer(1);
    EXPECT_EQ(ErrnoOf((co_await ends.client.Read(buffer)).status()),
              ECONNRESET);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
