// SPDX-License-Identifier: Apache-2.0
//
// A TLS listener is one more listener: a handshake belongs to its connection,
// and no client can hold up others by the handshake that it does not make.

#include "ringway/runtime/tls/listen_tls.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/stream_tasks.h"
#include "ringway/net/tls/testing/test_certificates.h"
#include "ringway/net/tls/tls_connect.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using net::TlsContext;
using net::TlsServerOptions;
using net::testing::Bytes;
using net::testing::MakeClient;
using net::testing::MakeServer;
using net::testing::TestServerOptions;

Task<absl::Status> EchoTls(net::TlsStream stream) {
  while (true) {
    const absl::StatusOr<net::ReceivedBuffer> received =
        co_await stream.Receive();
    if (!received.ok() || received->empty()) co_return received.status();
    absl::Status sent = co_await stream.Write(received->bytes());
    if (!sent.ok()) co_return sent;
  }
}

// Connects by an executor of its own, or takes over what is connected.
class Client {
 public:
  explicit Client(const net::SocketAddress& address)
      : executor_(net::testing::ValueOf(Executor::Create())),
        fd_(ConnectTo(address)) {}

  // Makes the handshake, sends `text` and returns as many bytes.
  absl::StatusOr<std::string> Ask(std::string_view text) {
    return executor_->Run(AskTask(std::move(fd_), std::string(text)));
  }

  // What the server sends until it closes.
  std::string Rest() { return net::testing::ReceiveAll(fd_.get()); }
  int fd() const { return fd_.get(); }

 private:
  static Task<absl::StatusOr<std::string>> AskTask(UniqueFd fd,
                                                   std::string text) {
    net::TcpStream connection =
        net::TcpStream::Adopt(CurrentLoop(), std::move(fd));
    Task<absl::StatusOr<net::TlsStream>> connect = net::ConnectTls(
        MakeClient(), std::move(connection), net::testing::kTestHost);
    absl::StatusOr<net::TlsStream> stream = co_await std::move(connect);
    if (!stream.ok()) co_return stream.status();
    const absl::Status sent = co_await stream->Write(Bytes(text));
    if (!sent.ok()) co_return sent;
    std::string answer;
    while (answer.size() < text.size()) {
      const absl::StatusOr<net::ReceivedBuffer> part =
          co_await stream->Receive();
      if (!part.ok()) co_return part.status();
      if (part->empty()) break;
      answer += net::testing::AsString(part->bytes());
    }
    const absl::Status closed = co_await stream->Close();
    if (!closed.ok()) co_return closed;
    co_return answer;
  }

  std::unique_ptr<Executor> executor_;
  UniqueFd fd_;
};

class ListenTlsTest : public RuntimeTest {
 protected:
  static void ExpectServed(const Runtime& runtime, size_t listener = 0) {
    Client client(runtime.addresses()[listener]);
    const absl::StatusOr<std::string> answer = client.Ask("hello");
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(*answer, "hello");
  }

  static uint64_t ConnectionsOf(const Runtime& runtime) {
    uint64_t n = 0;
    for (const auto& worker : runtime.Snapshot().workers) {
      if (worker.has_value()) n += worker->counters.connections_now;
    }
    return n;
  }
  static void WaitForConnections(const Runtime& runtime, uint64_t n) {
    while (ConnectionsOf(runtime) != n) std::this_thread::yield();
  }
};

TEST_F(ListenTlsTest, ServesOnAllWorkers) {
  Runtime::Builder builder;
  builder.Workers(2).ListenTls("127.0.0.1:0", MakeServer(), EchoTls);
  const std::unique_ptr<Runtime> runtime = Launch(builder);
  for (int i = 0; i < 20; ++i) ExpectServed(*runtime);
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().accepted, 20u);
}

TEST_F(ListenTlsTest, AHandshakeThatFailsEndsItsConnectionAlone) {
  const TlsContext context = MakeServer();
  Runtime::Builder builder = OneWorker();
  std::vector<absl::StatusCode> ends;
  builder.ListenTls("127.0.0.1:0", context, EchoTls)
      .OnConnectionEnd([&ends](const ConnectionEnd& end) {
        ends.push_back(end.status.code());
      });
  const std::unique_ptr<Runtime> runtime = Launch(builder);
  for (int i = 0; i < 3; ++i) {
    Client plain(runtime->addresses()[0]);
    testing::SendAll(plain.fd(), "GET / HTTP/1.0\r\n\r\n");
    plain.Rest();
  }
  ExpectServed(*runtime);
  WaitForConnections(*runtime, 0);
  EXPECT_EQ(context.statistics().handshakes_failed, 3u);
  EXPECT_EQ(context.statistics().handshakes_succeeded, 1u);
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().listeners_failed, 0u);
  using enum absl::StatusCode;
  EXPECT_EQ(ends, (std::vector{kAborted, kAborted, kAborted, kOk}));
}

TEST_F(ListenTlsTest, HandshakesThatStopHalfWayEndByTheirDeadline) {
  TlsServerOptions options = TestServerOptions();
  options.handshake_timeout = absl::Milliseconds(200);
  options.max_handshakes = 2;
  const TlsContext context = MakeServer(options);
  Runtime::Builder builder = OneWorker();
  builder.ListenTls("127.0.0.1:0", context, EchoTls);
  const std::unique_ptr<Runtime> runtime = Launch(builder);
  Client first(runtime->addresses()[0]);
  Client second(runtime->addresses()[0]);
  // Ends the first, which has waited longest.
  Client third(runtime->addresses()[0]);
  first.Rest();
  second.Rest();
  third.Rest();
  EXPECT_EQ(context.statistics().handshakes_refused, 1u);
  EXPECT_EQ(context.statistics().timed_out, 2u);
  ExpectServed(*runtime);
  runtime->Shutdown();
  runtime->Wait();
}

TEST_F(ListenTlsTest, AConnectionCountsFromItsAcceptance) {
  Runtime::Builder builder = OneWorker();
  builder.MaxConnections(1).ListenTls("127.0.0.1:0", MakeServer(), EchoTls);
  const std::unique_ptr<Runtime> runtime = Launch(builder);
  Client first(runtime->addresses()[0]);
  WaitForConnections(*runtime, 1);
  Client second(runtime->addresses()[0]);
  EXPECT_EQ(second.Rest(), "");
  EXPECT_EQ(first.Ask("still").value_or(""), "still");
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().refused, 1u);
}

// The handler is called in the drain, and answers.
TEST_F(ListenTlsTest, ADrainWaitsForHandshakes) {
  Runtime::Builder builder = OneWorker();
  builder.DrainDeadline(absl::InfiniteDuration())
      .ListenTls("127.0.0.1:0", MakeServer(), EchoTls);
  const std::unique_ptr<Runtime> runtime = Launch(builder);
  Client client(runtime->addresses()[0]);
  WaitForConnections(*runtime, 1);
  runtime->Shutdown();
  const absl::StatusOr<std::string> answer = client.Ask("late");
  EXPECT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer.value_or(""), "late");
  EXPECT_TRUE(runtime->Wait().drained());
}

TEST_F(ListenTlsTest, TheCutEndsHandshakes) {
  TlsServerOptions options = TestServerOptions();
  options.handshake_timeout = absl::InfiniteDuration();
  Runtime::Builder builder = OneWorker();
  builder.DrainDeadline(absl::ZeroDuration())
      .ListenTls("127.0.0.1:0", MakeServer(options), EchoTls);
  const std::unique_ptr<Runtime> runtime = Launch(builder);
  Client client(runtime->addresses()[0]);
  WaitForConnections(*runtime, 1);
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().cut, 1u);
  EXPECT_EQ(client.Rest(), "");
}

TEST_F(ListenTlsTest, ListenersThatShareAContextAreOnThePageOnce) {
  const TlsContext context = MakeServer();
  ListenerOptions web;
  web.name = "web";
  Runtime::Builder builder = OneWorker();
  builder.ListenTls("127.0.0.1:0", context, EchoTls, web)
      .ListenTls("127.0.0.1:0", context, EchoTls)
      .ListenTls("[::1]:0", MakeServer(), EchoTls);
  const std::unique_ptr<Runtime> runtime = Launch(builder);
  ExpectServed(*runtime, 0);
  ExpectServed(*runtime, 1);
  const RuntimeSnapshot snapshot = runtime->Snapshot();
  ASSERT_EQ(snapshot.tls.size(), 2u);
  EXPECT_EQ(snapshot.tls[0].name, "web");
  EXPECT_EQ(snapshot.tls[0].statistics.handshakes_succeeded, 2u);
  EXPECT_EQ(snapshot.tls[1].name, "[::1]:0");
  EXPECT_EQ(snapshot.tls[1].statistics.handshakes_succeeded, 0u);
  runtime->Shutdown();
  runtime->Wait();
}

TEST_F(ListenTlsTest, DifferentContextsNeedDifferentNames) {
  Runtime::Builder builder = OneWorker();
  builder.ListenTls("127.0.0.1:0", MakeServer(), EchoTls)
      .ListenTls("127.0.0.1:0", MakeServer(), EchoTls);
  const absl::Status launched = builder.Launch().status();
  EXPECT_TRUE(absl::IsInvalidArgument(launched)) << launched;
  EXPECT_TRUE(absl::StrContains(launched.message(), "127.0.0.1:0")) << launched;
}

TEST_F(ListenTlsTest, AClientsContextIsRefused) {
  Runtime::Builder builder = OneWorker();
  EXPECT_DEATH(builder.ListenTls("127.0.0.1:0", MakeClient(), EchoTls),
               "client's context");
}

}  // namespace
}  // namespace ringway
