// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/admin/admin_handler.h"

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/runtime/admin/testing/admin_fixture.h"

namespace ringway {
namespace {

using net::testing::Bytes;
using testing::kClose;

using AdminHandlerTest = testing::AdminTest;

constexpr std::string_view kHost = "Host: a\r\n";

std::string Get(std::string_view path, std::string_view header = "") {
  return absl::StrCat("GET ", path, " HTTP/1.1\r\n", kHost, header, "\r\n");
}

TEST_P(AdminHandlerTest, ServesThePages) {
  auto main = [&]() -> Task<void> {
    EXPECT_EQ(co_await Ask(Get("/healthz")), AnswerWith("200 OK", "ok\n"));
    EXPECT_EQ(co_await Ask(Get("/readyz")), AnswerWith("200 OK", "ready\n"));
    EXPECT_EQ(co_await Ask(Get("/tasks")), AnswerWith("200 OK", "#1 main\n"));
    EXPECT_EQ(co_await Ask(Get("/nothing?here")),
              AnswerWith("404 Not Found", "Not Found\n"));
    EXPECT_EQ(co_await Ask(Get("/metrics?name=x")),
              "HTTP/1.1 200 OK\r\n"
              "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
              "Content-Length: 10\r\n"
              "Cache-Control: no-store\r\n"
              "\r\n"
              "a_total 1\n");
  };
  Run(main());
}

TEST_P(AdminHandlerTest, ListsThePagesThatThereAre) {
  auto main = [&]() -> Task<void> {
    std::string index = co_await Ask(Get("/"));
    EXPECT_TRUE(absl::StrContains(index, "Content-Type: text/html"));
    for (const char* path : {"metrics", "healthz", "readyz", "tasks"})
      EXPECT_TRUE(absl::StrContains(index, absl::StrCat("href=\"/", path)));
    pages_ = AdminPages();
    index = co_await Ask(Get("/"));
    EXPECT_TRUE(absl::StrContains(index, "href=\"/healthz"));
    EXPECT_FALSE(absl::StrContains(index, "metrics"));
    EXPECT_FALSE(absl::StrContains(index, "tasks"));
    for (const char* path : {"/metrics", "/tasks"}) {
      const std::string answer = co_await Ask(Get(path));
      EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 404 ")) << answer;
    }
    EXPECT_EQ(co_await Ask(Get("/readyz")), AnswerWith("200 OK", "ready\n"));
  };
  Run(main());
}

TEST_P(AdminHandlerTest, AServerThatIsNotReadyClosesConnections) {
  ready_ = false;
  auto main = [&]() -> Task<void> {
    EXPECT_EQ(co_await Ask(Get("/readyz") + Get("/healthz")),
              AnswerWith("503 Service Unavailable", "not ready\n", kClose));
    EXPECT_EQ(co_await Ask(Get("/healthz") + Get("/healthz")),
              AnswerWith("200 OK", "ok\n", kClose));
  };
  Run(main());
}

TEST_P(AdminHandlerTest, AnswersHeadWithoutABody) {
  auto main = [&]() -> Task<void> {
    const std::string head = "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string whole = AnswerWith("200 OK", "ok\n");
    EXPECT_EQ(co_await Ask(head + Get("/healthz")),
              whole.substr(0, whole.size() - 3) + whole);
  };
  Run(main());
}

TEST_P(AdminHandlerTest, RefusesOtherMethods) {
  auto main = [&]() -> Task<void> {
    for (const char* line :
         {"POST /metrics", "DELETE /x", "OPTIONS *", "get /healthz"}) {
      const std::string request =
          absl::StrCat(line, " HTTP/1.1\r\n", kHost, "\r\n");
      EXPECT_EQ(co_await Ask(request),
                AnswerWith("405 Method Not Allowed", "Method Not Allowed\n",
                           "Allow: GET, HEAD\r\n"));
    }
  };
  Run(main());
}

TEST_P(AdminHandlerTest, KeepsTheConnection) {
  auto main = [&]() -> Task<void> {
    net::TcpStream client = Connect();
    const std::string request = Get("/healthz");
    const std::string answer = AnswerWith("200 OK", "ok\n");
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(co_await client.Write(Bytes(request)), absl::OkStatus());
      EXPECT_EQ(co_await net::testing::ReadExactly(client, answer.size()),
                answer);
    }
    EXPECT_EQ(co_await client.Close(), absl::OkStatus());
    EXPECT_EQ(co_await serving_, absl::OkStatus());
  };
  Run(main());
}

TEST_P(AdminHandlerTest, ClosesWhenTheClientWantsIt) {
  auto main = [&]() -> Task<void> {
    const std::string answer = AnswerWith("200 OK", "ok\n", kClose);
    const std::string next = Get("/healthz");
    EXPECT_EQ(co_await Ask(Get("/healthz", "Connection: close\r\n") + next),
              answer);
    EXPECT_EQ(co_await Ask("GET /healthz HTTP/1.0\r\n\r\n" + next), answer);
  };
  Run(main());
}

TEST_P(AdminHandlerTest, AnswersPipelinedRequestsInOrder) {
  auto main = [&]() -> Task<void> {
    std::string requests;
    std::string answers;
    for (int i = 0; i < 50; ++i) {
      absl::StrAppend(&requests, "\r\n", Get("/healthz"), Get("/tasks"));
      absl::StrAppend(&answers, AnswerWith("200 OK", "ok\n"),
                      AnswerWith("200 OK", "#1 main\n"));
    }
    EXPECT_EQ(co_await Ask(requests), answers);
  };
  Run(main());
}

TEST_P(AdminHandlerTest, TakesRequestsInAnyPiecesAndLineEnds) {
  auto main = [&]() -> Task<void> {
    net::TcpStream client = Connect();
    const std::string request = Get("/healthz") + "GET /tasks HTTP/1.0\n\n";
    for (const char& byte : request) {
      const std::string_view piece(&byte, 1);
      EXPECT_EQ(co_await client.Write(Bytes(piece)), absl::OkStatus());
      co_await net::testing::TurnTimes(2);
    }
    const absl::StatusOr<std::string> answers =
        co_await net::testing::ReadToEnd(client);
    EXPECT_EQ(*answers, AnswerWith("200 OK", "ok\n") +
                            AnswerWith("200 OK", "#1 main\n", kClose));
    EXPECT_EQ(co_await client.Close(), absl::OkStatus());
    EXPECT_EQ(co_await serving_, absl::OkStatus());
  };
  Run(main());
}

TEST_P(AdminHandlerTest, APageThatThrowsIsAnswered) {
  pages_.metrics = []() -> Task<absl::StatusOr<std::string>> {
    co_await net::testing::TurnTimes(1);
    throw std::runtime_error("no memory");
  };
  pages_.tasks = []() -> Task<absl::StatusOr<std::string>> { throw 1; };
  auto main = [&]() -> Task<void> {
    const std::string both = co_await Ask(Get("/metrics") + Get("/tasks"));
    EXPECT_EQ(
        both,
        AnswerWith("500 Internal Server Error", "no page: no memory\n") +
            AnswerWith("500 Internal Server Error", "no page: it threw\n"));
  };
  Run(main());
}

TEST_P(AdminHandlerTest, APageThatTakesTooLongIsCancelled) {
  options_.response_timeout = absl::Milliseconds(20);
  absl::Status ended;
  pages_.metrics = [&]() -> Task<absl::StatusOr<std::string>> {
    ended = co_await Sleep(absl::InfiniteDuration());
    co_return ended;
  };
  auto main = [&]() -> Task<void> {
    const std::string answer = co_await Ask(Get("/metrics"));
    EXPECT_TRUE(
        absl::StartsWith(answer, "HTTP/1.1 503 Service Unavailable\r\n"))
        << answer;
    EXPECT_TRUE(absl::StrContains(answer, "no page: ")) << answer;
    EXPECT_TRUE(absl::IsCancelled(ended)) << ended;
  };
  Run(main());
}

TEST_P(AdminHandlerTest, APageThatFailsIsAnswered) {
  absl::Status failed;
  pages_.metrics = [&]() -> Task<absl::StatusOr<std::string>> {
    co_return failed;
  };
  auto main = [&]() -> Task<void> {
    failed = absl::UnavailableError("no workers");
    EXPECT_EQ(co_await Ask(Get("/metrics")),
              AnswerWith("503 Service Unavailable", "no page: no workers\n"));
    failed = absl::InternalError("a bug");
    EXPECT_EQ(co_await Ask(Get("/metrics")),
              AnswerWith("500 Internal Server Error", "no page: a bug\n"));
  };
  Run(main());
}

TEST_P(AdminHandlerTest, ALargePageArrivesWhole) {
  const std::string page(3'000'000, 'x');
  pages_.tasks = [&]() -> Task<absl::StatusOr<std::string>> { co_return page; };
  auto main = [&]() -> Task<void> {
    const std::string answer = co_await Ask(Get("/tasks", kClose));
    EXPECT_TRUE(answer == AnswerWith("200 OK", page, kClose));
  };
  Run(main());
}

// The pages live as long as their connections.
TEST_P(AdminHandlerTest, ConnectionsOutliveTheHandler) {
  auto main = [&]() -> Task<void> {
    auto pair = net::testing::ValueOf(net::StreamPair());
    JoinHandle<absl::Status> serving;
    {
      AdminPages pages;
      pages.tasks = [text = std::string(
                         100, 'x')]() -> Task<absl::StatusOr<std::string>> {
        co_await net::testing::TurnTimes(3);
        co_return text;
      };
      AdminHandler handler = MakeAdminHandler(std::move(pages));
      serving = Spawn(handler(std::move(pair.second)));
    }
    const std::string request = Get("/tasks", kClose);
    EXPECT_EQ(co_await pair.first.Write(Bytes(request)), absl::OkStatus());
    const absl::StatusOr<std::string> answer =
        co_await net::testing::ReadToEnd(pair.first);
    EXPECT_EQ(*answer, AnswerWith("200 OK", std::string(100, 'x'), kClose));
    EXPECT_EQ(co_await pair.first.Close(), absl::OkStatus());
    EXPECT_EQ(co_await serving, absl::OkStatus());
  };
  Run(main());
}

TEST(AdminOptions, AreChecked) {
  AdminOptions options;
  EXPECT_EQ(CheckAdminOptions(options), absl::OkStatus());
  options.request_timeout = absl::ZeroDuration();
  EXPECT_EQ(CheckAdminOptions(options).message(),
            "AdminOptions::request_timeout is 0, must be at least 1ns");
  options = AdminOptions();
  options.response_timeout = -absl::Seconds(1);
  EXPECT_EQ(CheckAdminOptions(options).message(),
            "AdminOptions::response_timeout is -1s, must be at least 1ns");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(AdminHandlerTest);

}  // namespace
}  // namespace ringway
