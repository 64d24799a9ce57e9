// SPDX-License-Identifier: Apache-2.0
//
// BindUdp(): addresses, settings, and a handler on each worker.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/thread_sanitizer.h"
#include "ringway/core/unique_fd.h"
#include "ringway/net/datagram/make_udp_socket.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/net/udp_socket.h"
#include "ringway/runtime/host/testing/child.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"
#include "ringway/runtime/testing/udp_client.h"

namespace ringway {
namespace {

using net::SocketAddress;
using net::UdpSocket;
using net::testing::ValueOf;
using testing::CountOpenFds;
using testing::EchoBatches;
using testing::EchoDatagrams;
using testing::UdpClient;
using testing::Workers;

using UdpServingTest = RuntimeTest;

// A socket of another program.
SocketFd BindElsewhere(const net::UdpOptions& options = net::UdpOptions()) {
  return ValueOf(net::MakeUdpSocket(
      testing::KernelSockets(), ValueOf(SocketAddress::Parse("127.0.0.1:0")),
      options));
}

std::string AddressOf(const SocketFd& fd) {
  return ValueOf(SocketAddress::LocalOf(fd.calls(), fd.get())).ToString();
}

TEST_F(UdpServingTest, EachWorkerAnswersItsSenders) {
  for (const int workers : {1, 2}) {
    std::array<std::atomic<int>, 2> called = {};
    std::array<std::atomic<int>, 2> answered = {};
    Runtime::Builder builder = Workers(workers);
    builder.BindUdp(
        "127.0.0.1:0", [&](UdpSocket& socket) -> Task<absl::Status> {
          const auto worker = static_cast<size_t>(CurrentWorker());
          ++called[worker];
          std::array<std::byte, 2048> buffer;
          while (true) {
            absl::StatusOr<net::Datagram> got =
                co_await socket.ReceiveFrom(buffer);
            if (!got.ok()) co_return got.status();
            ++answered[worker];
            (co_await socket.SendTo(std::span(buffer).first(got->n_bytes),
                                    got->sender))
                .IgnoreError();
          }
        });
    std::unique_ptr<Runtime> runtime = Launch(builder);
    ASSERT_EQ(runtime->udp_addresses().size(), 1u);
    EXPECT_TRUE(runtime->addresses().empty());
    EXPECT_NE(runtime->udp_addresses()[0].port(), 0);
    for (int i = 0; i < 40; ++i) {
      UdpClient client(runtime->udp_addresses()[0]);
      for (const size_t size : {1, 100, 1400}) {
        std::string text = absl::StrCat("client ", i, " ");
        text.resize(text.size() + size, static_cast<char>('a' + i % 26));
        EXPECT_EQ(client.Ask(text), text);
      }
      EXPECT_EQ(client.Ask(""), "");
    }
    runtime->Shutdown();
    const RuntimeReport report = runtime->Wait();
    EXPECT_TRUE(report.drained());
    EXPECT_EQ(report.listeners_failed, 0u);
    EXPECT_EQ(answered[0] + answered[1], 160);
    for (size_t w = 0; w < static_cast<size_t>(workers); ++w) {
      EXPECT_EQ(called[w], 1);
      EXPECT_GT(answered[w], 0) << "worker " << w;
    }
  }
}

TEST_F(UdpServingTest, SeveralAddressesAreInTheOrderOfTheCalls) {
  Runtime::Builder builder = Workers(2);
  builder.BindUdp("127.0.0.1:0", EchoDatagrams)
      .Listen("127.0.0.1:0", Echo)
      .BindUdp("[::1]:0", EchoBatches)
      .BindUdp("127.0.0.1:0", EchoBatches);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  const std::vector<SocketAddress>& udp = runtime->udp_addresses();
  ASSERT_EQ(udp.size(), 3u);
  EXPECT_EQ(udp[0].host(), "127.0.0.1");
  EXPECT_EQ(udp[1].host(), "::1");
  EXPECT_NE(udp[0].port(), udp[2].port());
  for (const SocketAddress& address : udp)
    EXPECT_EQ(UdpClient(address).Ask("hello"), "hello") << address.ToString();
  UniqueFd stream = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(stream.get(), "stream"), "stream");
}

TEST_F(UdpServingTest, TcpMayHaveTheSamePort) {
  Runtime::Builder first = OneWorker();
  first.Listen("127.0.0.1:0", Echo);
  const std::string address = Launch(first)->addresses()[0].ToString();
  Runtime::Builder builder = Workers(2);
  builder.Listen(address, Echo).BindUdp(address, EchoDatagrams);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  EXPECT_EQ(runtime->udp_addresses()[0], runtime->addresses()[0]);
  EXPECT_EQ(UdpClient(runtime->udp_addresses()[0]).Ask("datagram"), "datagram");
  UniqueFd stream = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(stream.get(), "stream"), "stream");
}

TEST_F(UdpServingTest, AnAddressInUseFailsTheLaunch) {
  const SocketFd taken = BindElsewhere();
  net::UdpOptions shared;
  shared.reuse_port = true;
  const SocketFd offered = BindElsewhere(shared);
  const size_t fds_before = CountOpenFds();
  for (const int workers : {1, 3}) {
    for (const SocketFd* holder : {&taken, &offered}) {
      std::atomic<int> called{0};
      Runtime::Builder builder = Workers(workers);
      const auto count = [&](UdpSocket&) -> Task<absl::Status> {
        ++called;
        co_return absl::OkStatus();
      };
      builder.BindUdp("127.0.0.1:0", count).BindUdp(AddressOf(*holder), count);
      const absl::Status status = builder.Launch().status();
      EXPECT_EQ(ErrnoOf(status), EADDRINUSE);
      EXPECT_TRUE(absl::StrContains(status.message(), AddressOf(*holder)))
          << status;
      EXPECT_EQ(called, 0);
      EXPECT_EQ(CountOpenFds(), fds_before);
    }
  }
}

// Workers share the address among themselves, and a second server could join
// them and take half of the datagrams.
TEST_F(UdpServingTest, AnotherRuntimeMayNotJoinUnlessBothSaySo) {
  for (const bool shared : {false, true}) {
    UdpListenerOptions options;
    options.socket.reuse_port = shared;
    Runtime::Builder builder = Workers(2);
    builder.BindUdp("127.0.0.1:0", EchoDatagrams, options);
    std::unique_ptr<Runtime> first = Launch(builder);
    const std::string address = first->udp_addresses()[0].ToString();
    Runtime::Builder second = Workers(2);
    second.BindUdp(address, EchoDatagrams, options);
    const absl::Status status = second.Launch().status();
    EXPECT_EQ(ErrnoOf(status), shared ? 0 : EADDRINUSE) << status;

    Runtime::Builder twice = Workers(2);
    first.reset();
    twice.BindUdp(address, EchoDatagrams, options)
        .BindUdp(address, EchoDatagrams, options);
    EXPECT_EQ(ErrnoOf(twice.Launch().status()), shared ? 0 : EADDRINUSE);
  }
}

TEST_F(UdpServingTest, ALaunchThatFailsLaterLeavesNothing) {
  std::atomic<int> called{0};
  Runtime::Builder builder = Workers(2);
  builder
      .BindUdp("127.0.0.1:0",
               [&](UdpSocket&) -> Task<absl::Status> {
                 ++called;
                 co_return absl::OkStatus();
               })
      .OnStart(
          []() -> Task<absl::Status> {
            co_return absl::NotFoundError("no table of names");
          },
          OnStartFailure::kFailLaunch);
  EXPECT_TRUE(absl::IsNotFound(builder.Launch().status()));
  EXPECT_EQ(called, 0);
  ExpectNothingIsLeft();
}

TEST_F(UdpServingTest, BadSettingsAreNamed) {
  struct Case {
    void (*configure)(Runtime::Builder&);
    std::string_view message;
  };
  const Case cases[] = {
      {[](Runtime::Builder& b) { b.BindUdp("nonsense", EchoDatagrams); },
       "nonsense"},
      {[](Runtime::Builder& b) { b.BindUdp("unix:/run/a", EchoDatagrams); },
       "BindUdp(\"unix:/run/a\"): no UDP address"},
      {[](Runtime::Builder& b) { b.BindUdp("127.0.0.1:0", nullptr); },
       "BindUdp(\"127.0.0.1:0\") has no handler"},
      {[](Runtime::Builder& b) {
         ExecutorOptions options;
         options.max_tasks = 2;
         b.Options(options)
             .BindUdp("127.0.0.1:0", EchoDatagrams)
             .BindUdp("127.0.0.1:0", EchoDatagrams);
       },
       "ExecutorOptions::max_tasks is 2, must be at least 3: "},
  };
  for (const Case& c : cases) {
    Runtime::Builder builder = OneWorker();
    c.configure(builder);
    const absl::Status status = builder.Launch().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), c.message)) << status;
    ExpectNothingIsLeft();
  }
  ExecutorOptions options;
  options.max_tasks = 2;
  Runtime::Builder enough = OneWorker();
  enough.Options(options).BindUdp("127.0.0.1:0", EchoDatagrams);
  EXPECT_EQ(UdpClient(Launch(enough)->udp_addresses()[0]).Ask("x"), "x");
}

TEST_F(UdpServingTest, ItsAddressIsToldAndDescribed) {
  UdpListenerOptions options;
  options.name = "names";
  options.drains = true;
  Runtime::Builder builder = OneWorker();
  builder.BindUdp("127.0.0.1:0", EchoDatagrams)
      .BindUdp("127.0.0.1:53", EchoDatagrams, options);
  const std::string description = builder.Describe();
  EXPECT_TRUE(absl::StrContains(description,
                                "udp: 127.0.0.1:0 (127.0.0.1:0)\n"
                                "udp: names (127.0.0.1:53), drains\n"))
      << description;

  Runtime::Builder until_now = OneWorker();
  until_now.BindUdp("127.0.0.1:0", EchoDatagrams);
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(RunUntilSignal(until_now, absl::ZeroDuration()), 0);
  const std::string said = ::testing::internal::GetCapturedStdout();
  EXPECT_TRUE(absl::StartsWith(said, "listening on udp 127.0.0.1:")) << said;
}

// A duplicate that is in nobody's way.
UniqueFd Aside(int fd) {
  UniqueFd aside(fcntl(fd, F_DUPFD_CLOEXEC, 100));
  RINGWAY_CHECK(aside.valid(), "errno %d", errno);
  return aside;
}

// A unit that listens on TCP and UDP has one name for both.
TEST_F(UdpServingTest, SocketsOfAServiceManagerAreSharedByTheWorkers) {
  if (kThreadSanitizer) GTEST_SKIP() << kForkedUnderThreadSanitizer;
  EXPECT_EQ(testing::ResultOfChild([] {
              const UniqueFd tcp = Aside(testing::Listen(/*backlog=*/8).get());
              const UniqueFd udp = Aside(BindElsewhere().get());
              dup2(udp.get(), 3);
              dup2(tcp.get(), 4);
              setenv("LISTEN_PID", absl::StrCat(getpid()).c_str(), 1);
              setenv("LISTEN_FDS", "2", 1);
              setenv("LISTEN_FDNAMES", "dns:dns", 1);
              Runtime::Builder builder = Workers(2);
              builder.BindUdp("inherited:dns", EchoDatagrams)
                  .Listen("inherited:dns", Echo);
              absl::StatusOr<std::unique_ptr<Runtime>> runtime =
                  builder.Launch();
              if (!runtime.ok()) return runtime.status().ToString();
              UdpClient client((*runtime)->udp_addresses()[0]);
              UniqueFd stream = ConnectTo((*runtime)->addresses()[0]);
              return absl::StrCat(client.Ask("datagram"), " ",
                                  Ask(stream.get(), "stream"));
            }),
            "datagram stream");
  EXPECT_EQ(testing::ResultOfChild([] {
              unsetenv("LISTEN_FDS");
              Runtime::Builder builder = OneWorker();
              builder.BindUdp("inherited:dns", EchoDatagrams);
              return builder.Launch().status().ToString();
            }),
            "NOT_FOUND: no datagram socket \"dns\" was inherited from the "
            "service manager: LISTEN_FDS is not set");
}

}  // namespace
}  // namespace ringway
