// SPDX-License-Identifier: Apache-2.0
//
// The pages of a runtime, asked for as a browser or Prometheus does.

#include <sys/socket.h>

#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway {
namespace {

using absl::StrContains;
using net::testing::ReceiveAll;

class MetricsTest : public RuntimeTest {
 protected:
  static std::string Get(const Runtime& runtime, std::string_view path) {
    UniqueFd client = ConnectTo(runtime.metrics_address());
    testing::SendAll(client.get(), absl::StrCat("GET ", path,
                                                " HTTP/1.1\r\nHost: x\r\n"
                                                "Connection: close\r\n\r\n"));
    return ReceiveAll(client.get());
  }
};

TEST_F(MetricsTest, CountWhatTheWorkersDo) {
  Runtime::Builder builder;
  builder.Workers(2)
      .Listen("127.0.0.1:0", Echo)
      .Metrics("127.0.0.1:0")
      .MaxConnections(5);
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(client.get(), "a"), "a");
  std::string page = Get(*runtime, "/metrics");
  EXPECT_TRUE(StrContains(page, "200 OK")) << page;
  EXPECT_TRUE(StrContains(page, "ringway_worker_up{worker=\"1\"} 1")) << page;
  const bool on_first =
      StrContains(page, "ringway_connections_accepted_total{worker=\"0\"} 1");
  const std::string worker =
      absl::StrCat("{worker=\"", on_first ? 0 : 1, "\"}");
  EXPECT_TRUE(StrContains(
      page, absl::StrCat("ringway_connections_accepted_total", worker, " 1")))
      << page;
  EXPECT_TRUE(StrContains(page, " 5\n")) << "the limit: " << page;
  EXPECT_TRUE(StrContains(page, "ringway_accept_delay_seconds_count 1\n"))
      << page;
  EXPECT_FALSE(StrContains(page, "ringway_turn_seconds_count 0\n")) << page;
  client = UniqueFd();
  // The metrics' own connections do not count.
  do {
    page = Get(*runtime, "/metrics");
  } while (!StrContains(page,
                        "ringway_connections_ended_total{worker=\"0\","
                        "code=\"OK\"} 1") &&
           !StrContains(page,
                        "ringway_connections_ended_total{worker=\"1\","
                        "code=\"OK\"} 1"));
  runtime->Shutdown();
  EXPECT_EQ(runtime->Wait().accepted, 1u);
}

TEST_F(MetricsTest, ReadinessEndsWithTheShutdownAndIsShownUntilTheEnd) {
  Runtime::Builder builder = OneWorker();
  builder.Listen("127.0.0.1:0", Echo).Metrics("127.0.0.1:0");
  std::unique_ptr<Runtime> runtime = Launch(builder);
  UniqueFd client = ConnectTo(runtime->addresses()[0]);
  EXPECT_EQ(Ask(client.get(), "a"), "a");
  EXPECT_TRUE(StrContains(Get(*runtime, "/readyz"), "HTTP/1.1 200"));
  EXPECT_TRUE(StrContains(Get(*runtime, "/healthz"), "HTTP/1.1 200"));
  runtime->Shutdown();  // the client keeps it draining
  EXPECT_TRUE(StrContains(Get(*runtime, "/readyz"), "HTTP/1.1 503"));
  EXPECT_TRUE(StrContains(Get(*runtime, "/healthz"), "HTTP/1.1 200"));
  EXPECT_TRUE(StrContains(Get(*runtime, "/tasks"), "connection 127.0.0.1:"));
  client = UniqueFd();
  EXPECT_TRUE(runtime->Wait().drained());
}

// A worker that hangs has no values, and delays the page by a second.
TEST_F(MetricsTest, AreServedBesideAWorkerThatHangs) {
  Runtime::Builder builder;
  builder.Workers(2).Metrics("127.0.0.1:0");
  std::unique_ptr<Runtime> runtime = Launch(builder);
  std::promise<void> release;
  std::shared_future<void> released(release.get_future());
  ASSERT_TRUE(runtime->workers()[1].Post([released] { released.wait(); }).ok());
  const std::string page = Get(*runtime, "/metrics");
  EXPECT_TRUE(StrContains(page, "ringway_worker_up{worker=\"0\"} 1")) << page;
  EXPECT_TRUE(StrContains(page, "ringway_worker_up{worker=\"1\"} 0")) << page;
  release.set_value();
}

TEST_F(MetricsTest, AnAddressInUseFailsTheLaunch) {
  Runtime::Builder first = OneWorker();
  first.Metrics("127.0.0.1:0");
  std::unique_ptr<Runtime> runtime = Launch(first);
  Runtime::Builder second = OneWorker();
  second.Metrics(runtime->metrics_address().ToString());
  EXPECT_FALSE(second.Launch().ok());
  Runtime::Builder third = OneWorker();
  third.Metrics("no address");
  EXPECT_TRUE(absl::IsInvalidArgument(third.Launch().status()));
}

}  // namespace
}  // namespace ringway
