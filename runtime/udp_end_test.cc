// SPDX-License-Identifier: Apache-2.0
//
// BindUdp(): handlers that end, and the shutdown.

#include <array>
#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/net/udp_socket.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"
#include "ringway/runtime/testing/udp_client.h"

namespace ringway {
namespace {

using net::SocketAddress;
using net::UdpSocket;
using net::testing::Bytes;
using testing::EchoBatches;
using testing::EchoDatagrams;
using testing::UdpClient;
using testing::Workers;

using UdpEndTest = RuntimeTest;

// --- Handlers that end

TEST_F(UdpEndTest, AHandlerThatFailsIsReportedAndOthersGoOn) {
  for (const std::string_view how : {"fail", "throw"}) {
    UdpListenerOptions options;
    options.name = "names";
    Runtime::Builder builder = OneWorker();
    builder.BindUdp("127.0.0.1:0", EchoDatagrams, options)
        .BindUdp("127.0.0.1:0", EchoDatagrams);
    std::unique_ptr<Runtime> runtime = Launch(builder);
    ::testing::internal::CaptureStderr();
    UdpClient client(runtime->udp_addresses()[0]);
    EXPECT_EQ(client.Ask("hello"), "hello");
    EXPECT_TRUE(client.Send(how));
    EXPECT_TRUE(client.IsRefused()) << "the socket is closed";
    EXPECT_EQ(UdpClient(runtime->udp_addresses()[1]).Ask("other"), "other");
    runtime->Shutdown();
    const RuntimeReport report = runtime->Wait();
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(report.listeners_failed, 1u);
    EXPECT_TRUE(report.drained());
    EXPECT_EQ(said, how == "fail"
                        ? "ringway: no longer receives on names: no table of "
                          "names\n"
                        : "ringway: no longer receives on names: an exception: "
                          "no licence\n");
  }
}

TEST_F(UdpEndTest, AHandlerThatEndsLeavesItsAddressToOtherWorkers) {
  std::atomic<bool> ended{false};
  Runtime::Builder builder = Workers(2);
  builder.BindUdp("127.0.0.1:0", [&](UdpSocket& socket) -> Task<absl::Status> {
    Task<absl::Status> echo = EchoDatagrams(socket);
    absl::Status status = co_await std::move(echo);
    ended = true;
    co_return status;
  });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  const SocketAddress address = runtime->udp_addresses()[0];
  EXPECT_TRUE(UdpClient(address).Send("end"));
  while (!ended) std::this_thread::yield();
  // Its socket is closed in a later turn of its worker.
  for (const ExecutorHandle& worker : runtime->workers()) {
    std::promise<void> turned;
    ASSERT_TRUE(worker.Post([&] { turned.set_value(); }).ok());
    turned.get_future().wait();
  }
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(UdpClient(address).Ask("hello"), "hello");
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().listeners_failed, 0u);
}

// --- The end

// The drain would wait for ever.
TEST_F(UdpEndTest, AHandlerThatKnowsNoTokenHoldsUpNoShutdown) {
  Runtime::Builder builder = Workers(2);
  builder.DrainDeadline(absl::InfiniteDuration())
      .BindUdp("127.0.0.1:0", EchoDatagrams)
      .BindUdp("127.0.0.1:0", EchoBatches)
      .BindUdp("127.0.0.1:0", [](UdpSocket&) -> Task<absl::Status> {
        co_return co_await Sleep(absl::InfiniteDuration());
      });
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UdpClient client(runtime->udp_addresses()[0]);
  EXPECT_EQ(client.Ask("hello"), "hello");
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_TRUE(report.drained());
  EXPECT_EQ(report.forced, 0u);
  EXPECT_EQ(report.listeners_failed, 0u);
  EXPECT_TRUE(client.IsRefused());
}

class UdpAtTheShutdown : public RuntimeTest,
                         public ::testing::WithParamInterface<bool> {};

// While its worker is busy datagrams come, and then the shutdown.
TEST_P(UdpAtTheShutdown, DatagramsThatHaveArrivedAreAnswered) {
  for (int round = 0; round < 10; ++round) {
    Runtime::Builder builder = OneWorker();
    builder.BindUdp("127.0.0.1:0", GetParam() ? EchoBatches : EchoDatagrams);
    std::unique_ptr<Runtime> runtime = Launch(builder);
    UdpClient client(runtime->udp_addresses()[0]);
    EXPECT_EQ(client.Ask("hello"), "hello");
    std::promise<void> release;
    ASSERT_TRUE(
        runtime->workers()[0].Post([&] { release.get_future().wait(); }).ok());
    for (int i = 0; i < 40; ++i)
      EXPECT_TRUE(client.Send(absl::StrCat("early ", i)));
    runtime->Shutdown();
    release.set_value();
    for (int i = 0; i < 40; ++i)
      ASSERT_EQ(client.Receive(), absl::StrCat("early ", i)) << round;
    EXPECT_TRUE(runtime->Wait().drained());
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, UdpAtTheShutdown, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Batches" : "OneByOne";
                         });

// Ends at the drain, by a farewell that takes its time.
Task<absl::Status> SayBye(UdpSocket& socket) {
  std::array<std::byte, 64> buffer;
  SocketAddress last;
  while (true) {
    absl::StatusOr<net::Datagram> got =
        co_await WithToken(DrainToken(), socket.ReceiveFrom(buffer));
    if (!got.ok()) break;
    last = got->sender;
    (co_await socket.SendTo(Bytes("hi"), last)).IgnoreError();
  }
  (co_await Sleep(absl::Milliseconds(20))).IgnoreError();
  co_return co_await socket.SendTo(Bytes("bye"), last);
}

TEST_F(UdpEndTest, ADrainWaitsForHandlersThatAskForIt) {
  UdpListenerOptions options;
  options.drains = true;
  Runtime::Builder builder = OneWorker();
  builder.BindUdp("127.0.0.1:0", SayBye, options);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UdpClient client(runtime->udp_addresses()[0]);
  EXPECT_EQ(client.Ask("x"), "hi");
  runtime->Shutdown();
  EXPECT_EQ(client.Receive(), "bye");
  const RuntimeReport report = runtime->Wait();
  EXPECT_TRUE(report.drained());
  EXPECT_EQ(report.listeners_failed, 0u);
}

TEST_F(UdpEndTest, ADrainCutsThoseThatDoNotEnd) {
  UdpListenerOptions options;
  options.drains = true;
  Runtime::Builder builder = Workers(2);
  builder.DrainDeadline(absl::Milliseconds(10))
      .BindUdp("127.0.0.1:0", EchoDatagrams, options);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  EXPECT_EQ(UdpClient(runtime->udp_addresses()[0]).Ask("x"), "x");
  runtime->Shutdown();
  const RuntimeReport report = runtime->Wait();
  EXPECT_EQ(report.cut, 2u);
  EXPECT_EQ(report.forced, 0u);
}

// Datagrams are answered for as long as there are connections.
TEST_F(UdpEndTest, HandlersServeUntilTheConnectionsHaveEnded) {
  Runtime::Builder builder = OneWorker();
  builder.DrainDeadline(absl::InfiniteDuration())
      .Listen("127.0.0.1:0", Echo)
      .BindUdp("127.0.0.1:0", EchoDatagrams);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd stream = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(stream.get(), "stream"), "stream");
  runtime->Shutdown();
  UdpClient client(runtime->udp_addresses()[0]);
  EXPECT_EQ(client.Ask("still"), "still");
  EXPECT_EQ(Ask(stream.get(), "here"), "here");
  stream = UniqueFd();
  EXPECT_TRUE(runtime->Wait().drained());
}

}  // namespace
}  // namespace ringway
