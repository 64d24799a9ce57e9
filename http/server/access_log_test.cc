// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/metrics/metric_registry.h"
#include "ringway/core/metrics/metrics_text.h"
#include "ringway/core/unique_fd.h"
#include "ringway/http/server/server.h"
#include "ringway/http/testing/http_fixture.h"

namespace ringway::http {
namespace {

using testing::RawClient;

// With a log that writes to a pipe, and is there before fds are counted.
class AccessLogTest : public testing::HttpTest {
 protected:
  AccessLogTest() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    to_read_.Reset(ends[0]);
    const UniqueFd to_write(ends[1]);
    log_ = AccessLog::To(to_write.get());
    EXPECT_TRUE(log_.ok());
  }

  std::string Written() {
    std::string all(64 * 1024, '\0');
    const ssize_t n = read(to_read_.get(), all.data(), all.size());
    all.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return all;
  }

  UniqueFd to_read_;
  absl::StatusOr<AccessLog> log_ = absl::UnknownError("not made");
};

TEST(AccessLog, ALineHasTheCommonFormat) {
  const net::SocketAddress peer = *net::SocketAddress::Parse("192.0.2.1:1234");
  const absl::Status status;
  const AccessEntry entry{
      peer, "GET", "/a\"b", 200, 13, absl::Microseconds(1500), status};
  EXPECT_EQ(AccessLog::LineOf(entry, absl::FromUnixSeconds(784111777)),
            "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a\\\"b\" 200 13 "
            "0.001500\n");
}

TEST(AccessLog, AFileThatCannotBeOpenedIsNamed) {
  const absl::StatusOr<AccessLog> log = AccessLog::Open("/none/there/log");
  EXPECT_EQ(log.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(log.status().message().find("/none/there/log"), std::string::npos);
}

TEST_P(AccessLogTest, HasALineForEachRequestAndRefusal) {
  if (!system().is_kernel())
    GTEST_SKIP() << "the simulated backend does not write to real files";
  ServerOptions options;
  options.on_request_end = *log_;
  Serve([](Request&,
           ResponseWriter& response) { return response.Send(200, "hello"); },
        options);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(Get("/one") + Get("/two") + "nonsense\r\n\r\n");
    for (int i = 0; i < 3; ++i) co_await client.Next();
    EXPECT_TRUE(co_await client.AtEnd());
    EXPECT_TRUE((co_await log_->Flush()).ok());
    const std::string lines = Written();
    EXPECT_NE(lines.find("\"GET /one\" 200 5 "), std::string::npos) << lines;
    EXPECT_NE(lines.find("\"GET /two\" 200 5 "), std::string::npos) << lines;
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3) << lines;
    EXPECT_EQ(log_->dropped(), 0u);
  };
  Run(main());
}

TEST_P(AccessLogTest, RequestsAreCounted) {
  const std::string name = absl::StrCat(
      "counted on ",
      ::testing::UnitTest::GetInstance()->current_test_info()->name());
  ServerOptions options;
  options.metrics_name = name;
  Router router;
  router.Get("/hello", [](Request&, ResponseWriter& response) {
    return response.Send(200, "hello");
  });
  Serve(std::move(router), options);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    for (const char* path : {"/hello", "/hello", "/none"}) {
      co_await client.Say(Get(path));
      co_await client.Next();
    }
    co_await client.Say("GET / HTTP/2.0\r\n\r\n");
    co_await client.Next();
    EXPECT_TRUE(co_await client.AtEnd());
    MetricsText page;
    MetricRegistry::Default().WriteTo(page);
    const std::string text = page.text();
    const std::string server = absl::StrCat("server=\"", name, "\"} ");
    EXPECT_NE(text.find(absl::StrCat("{code=\"2xx\",", server, "2\n")),
              std::string::npos);
    EXPECT_NE(text.find(absl::StrCat("{code=\"4xx\",", server, "1\n")),
              std::string::npos);
    EXPECT_NE(text.find(absl::StrCat("http_refusals_total{code=\"505\",",
                                     server, "1\n")),
              std::string::npos);
    EXPECT_NE(text.find(absl::StrCat("http_response_body_bytes_total{", server,
                                     "46\n")),
              std::string::npos);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(AccessLogTest);

}  // namespace
}  // namespace ringway::http
