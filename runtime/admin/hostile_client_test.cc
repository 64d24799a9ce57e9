// SPDX-License-Identifier: Apache-2.0
//
// Clients of the admin pages that break HTTP, stall, or disappear.

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/rng.h"
#include "ringway/runtime/admin/admin_handler.h"
#include "ringway/runtime/admin/testing/admin_fixture.h"

namespace ringway {
namespace {

using net::testing::Bytes;
using testing::kClose;

using HostileClientTest = testing::AdminTest;

constexpr absl::Duration kShort = absl::Milliseconds(20);
constexpr char kGet[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_P(HostileClientTest, BadRequestsAreAnsweredAndEndTheConnection) {
  auto main = [&]() -> Task<void> {
    for (const std::string_view request :
         {"hello\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "\x16\x03\x01\x02\n",
          "GET / HTTP/1.1\r\nHost: a\r\n"}) {
      const std::string requests = absl::StrCat(request, kGet);
      EXPECT_EQ(co_await Ask(requests),
                AnswerWith("400 Bad Request", "Bad Request\n", kClose))
          << request;
    }
    const std::string h2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    EXPECT_EQ(co_await Ask(h2),
              AnswerWith("505 HTTP Version Not Supported",
                         "HTTP Version Not Supported\n", kClose));
  };
  Run(main());
}

TEST_P(HostileClientTest, RequestsAreBounded) {
  auto main = [&]() -> Task<void> {
    const std::string x(kMostAdminRequestBytes, 'x');
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    std::string many_lines = head;
    while (many_lines.size() < 10 * kMostAdminRequestBytes)
      many_lines += "a:\n";
    std::string empty_lines;
    while (empty_lines.size() < 10 * kMostAdminRequestBytes)
      empty_lines += "\r\n";
    const auto code_of = [&](std::string text) -> Task<std::string> {
      const std::string answer = co_await Ask(text);
      co_return answer.substr(0, 12);
    };
    EXPECT_EQ(co_await code_of("GET /" + x + " HTTP/1.1\r\n\r\n"),
              "HTTP/1.1 414");
    EXPECT_EQ(co_await code_of(x), "HTTP/1.1 414");
    EXPECT_EQ(co_await code_of(empty_lines), "HTTP/1.1 414");
    EXPECT_EQ(co_await code_of(head + "a: " + x + "\r\n\r\n"), "HTTP/1.1 431");
    EXPECT_EQ(co_await code_of(many_lines), "HTTP/1.1 431");
  };
  Run(main());
}

TEST_P(HostileClientTest, ARequestOfTheMostBytesIsServed) {
  auto main = [&]() -> Task<void> {
    std::string request = "GET /healthz HTTP/1.1\r\nHost: a\r\na: ";
    request += std::string(kMostAdminRequestBytes - request.size() - 4, 'x');
    request += "\r\n\r\n";
    EXPECT_EQ(co_await Ask(request + request),
              AnswerWith("200 OK", "ok\n") + AnswerWith("200 OK", "ok\n"));
  };
  Run(main());
}

// Otherwise a body would be served as a request that somebody has hidden in it.
TEST_P(HostileClientTest, ABodyIsNotARequest) {
  auto main = [&]() -> Task<void> {
    for (const std::string_view header :
         {"Content-Length: 38", "Transfer-Encoding: chunked"}) {
      const std::string request = absl::StrCat(
          "GET /healthz HTTP/1.1\r\nHost: a\r\n", header, "\r\n\r\n", kGet);
      EXPECT_EQ(co_await Ask(request), AnswerWith("200 OK", "ok\n", kClose));
    }
  };
  Run(main());
}

// The answer arrives although what follows the request is not read.
TEST_P(HostileClientTest, ABodyThatIsNotReadDestroysNoAnswer) {
  auto main = [&]() -> Task<void> {
    const std::string request =
        absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000",
                     "\r\n\r\n", std::string(100'000, 'x'));
    EXPECT_TRUE(absl::StartsWith(co_await Ask(request), "HTTP/1.1 405 "));
  };
  Run(main());
}

TEST_P(HostileClientTest, ASlowRequestIsAnsweredWithATimeout) {
  options_.request_timeout = kShort;
  auto main = [&]() -> Task<void> {
    for (const std::string_view part :
         {"G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nb"}) {
      net::TcpStream client = Connect();
      EXPECT_EQ(co_await client.Write(Bytes(part)), absl::OkStatus());
      const absl::StatusOr<std::string> answer =
          co_await net::testing::ReadToEnd(client);
      EXPECT_EQ(*answer,
                AnswerWith("408 Request Timeout", "Request Timeout\n", kClose));
      EXPECT_EQ(co_await client.Close(), absl::OkStatus());
      EXPECT_EQ(co_await serving_, absl::OkStatus());
    }
  };
  Run(main());
}

TEST_P(HostileClientTest, AnIdleConnectionIsClosedWithoutAWord) {
  options_.request_timeout = kShort;
  auto main = [&]() -> Task<void> {
    for (const std::string_view before : {"", kGet, "\r\n"}) {
      net::TcpStream client = Connect();
      EXPECT_EQ(co_await client.Write(Bytes(before)), absl::OkStatus());
      const absl::StatusOr<std::string> answer =
          co_await net::testing::ReadToEnd(client);
      EXPECT_EQ(*answer, before == kGet ? AnswerWith("200 OK", "ok\n") : "");
      EXPECT_EQ(co_await client.Close(), absl::OkStatus());
      EXPECT_EQ(co_await serving_, absl::OkStatus());
    }
  };
  Run(main());
}

// A line now and then does not prolong the time for the whole request.
TEST_P(HostileClientTest, ATrickleOfLinesEndsToo) {
  options_.request_timeout = absl::Milliseconds(100);
  auto main = [&]() -> Task<void> {
    net::TcpStream client = Connect();
    auto trickle = [&]() -> Task<void> {
      absl::Status sent = co_await client.Write(Bytes("GET / HTTP/1.1\r\n"));
      while (sent.ok() && (co_await Sleep(absl::Milliseconds(5))).ok())
        sent = co_await client.Write(Bytes("x:y\r\n"));
    };
    JoinHandle<void> trickling = Spawn(trickle());
    const absl::StatusOr<std::string> answer =
        co_await net::testing::ReadToEnd(client);
    EXPECT_EQ(*answer,
              AnswerWith("408 Request Timeout", "Request Timeout\n", kClose));
    trickling.Cancel();
    (co_await trickling).IgnoreError();
    EXPECT_EQ(co_await client.Close(), absl::OkStatus());
    EXPECT_EQ(co_await serving_, absl::OkStatus());
  };
  Run(main());
}

TEST_P(HostileClientTest, AClientThatDoesNotReadIsCutOff) {
  options_.response_timeout = kShort;
  pages_.tasks = []() -> Task<absl::StatusOr<std::string>> {
    std::string page;
    page.resize(20'000'000);
    co_return page;
  };
  auto main = [&]() -> Task<void> {
    net::testing::Connected pair = net::testing::ConnectedTcp(system());
    AdminHandler handler = MakeAdminHandler(pages_, options_);
    Task<absl::Status> serve = handler(Adopt(std::move(pair.near_end)));
    pair.far_end.Send("GET /tasks HTTP/1.0\r\n\r\n");
    const absl::Status served = co_await std::move(serve);
    EXPECT_EQ(served.code(), absl::StatusCode::kDeadlineExceeded) << served;
    // It holds no part of the answer for this client any more.
    const net::testing::PeerInput rest = co_await pair.far_end.ReceiveAll();
    EXPECT_EQ(rest.errnum, ECONNRESET);
  };
  Run(main());
}

TEST_P(HostileClientTest, AClientThatNeverClosesIsCutOff) {
  options_.response_timeout = kShort;
  auto main = [&]() -> Task<void> {
    net::TcpStream client = Connect();
    const std::string request = "GET /healthz HTTP/1.0\r\n\r\n";
    EXPECT_EQ(co_await client.Write(Bytes(request)), absl::OkStatus());
    EXPECT_EQ(co_await serving_, absl::OkStatus());
    const absl::StatusOr<std::string> answer =
        co_await net::testing::ReadToEnd(client);
    EXPECT_EQ(*answer, AnswerWith("200 OK", "ok\n", kClose));
  };
  Run(main());
}

TEST_P(HostileClientTest, AClientMayDisappearAtAnyTime) {
  auto main = [&]() -> Task<void> {
    const std::string request(kGet);
    for (size_t n_bytes = 0; n_bytes <= request.size(); n_bytes += 3) {
      net::TcpStream client = Connect();
      const std::string_view part =
          std::string_view(request).substr(0, n_bytes);
      EXPECT_EQ(co_await client.Write(Bytes(part)), absl::OkStatus());
      if (n_bytes % 2 == 0) {
        client.Reset();
      } else {
        EXPECT_EQ(co_await client.Close(), absl::OkStatus());
      }
      const absl::Status served = co_await serving_;
      EXPECT_TRUE(served.ok() || absl::IsUnavailable(served)) << served;
    }
  };
  Run(main());
}

TEST_P(HostileClientTest, ACancelEndsTheConnection) {
  pages_.tasks = []() -> Task<absl::StatusOr<std::string>> {
    (co_await Sleep(absl::InfiniteDuration())).IgnoreError();
    co_return "";
  };
  auto main = [&]() -> Task<void> {
    for (const std::string_view request :
         {"", "GET", "GET /tasks HTTP/1.1\r\nHost: a\r\n\r\n"}) {
      net::TcpStream client = Connect();
      EXPECT_EQ(co_await client.Write(Bytes(request)), absl::OkStatus());
      co_await net::testing::TurnTimes(5);
      serving_.Cancel();
      EXPECT_TRUE(absl::IsCancelled(co_await serving_)) << request;
    }
  };
  Run(main());
}

// Words of HTTP and other bytes in any order: whatever it is, each answer is a
// whole one, and the connection ends.
TEST_P(HostileClientTest, GarbageEndsTheConnection) {
  constexpr std::string_view kWords[] = {"GET ",      "HEAD ",
                                         "/",         "/healthz",
                                         " HTTP/1.1", " HTTP/1.0",
                                         "\r\n",      "\n",
                                         "\r",        "Host: a",
                                         ":",         "Connection: close",
                                         "\r\n\r\n",  "Content-Length: 3",
                                         " ",         "\t",
                                         "*"};
  Rng rng(20260101);
  const uint64_t n_rounds = testing::Scaled(100);
  auto main = [&]() -> Task<void> {
    for (uint64_t round = 0; round < n_rounds; ++round) {
      std::string text;
      for (uint64_t i = rng.Below(40); i > 0; --i) {
        if (rng.Chance(0.1)) {
          text += static_cast<char>(rng.Below(256));
        } else {
          text += kWords[rng.Below(std::size(kWords))];
        }
      }
      const std::string answers = co_await Ask(text);
      EXPECT_TRUE(answers.empty() || absl::StartsWith(answers, "HTTP/1.1 "))
          << "round " << round;
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HostileClientTest);

}  // namespace
}  // namespace ringway
