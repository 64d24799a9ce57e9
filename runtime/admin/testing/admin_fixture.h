// SPDX-License-Identifier: Apache-2.0
//
// AdminTest: a connection to the admin pages, on every backend.

#ifndef RINGWAY_RUNTIME_ADMIN_TESTING_ADMIN_FIXTURE_H_
#define RINGWAY_RUNTIME_ADMIN_TESTING_ADMIN_FIXTURE_H_

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/runtime/admin/admin_handler.h"

namespace ringway::testing {

class AdminTest : public net::testing::NetTest {
 protected:
  AdminTest() {
    pages_.metrics = []() -> Task<absl::StatusOr<std::string>> {
      co_return "a_total 1\n";
    };
    pages_.tasks = []() -> Task<absl::StatusOr<std::string>> {
      co_return "#1 main\n";
    };
    pages_.ready = [this] { return ready_; };
  }

  // Serves one end of a pair, as set up so far, and returns the other one.
  net::TcpStream Connect() {
    auto pair = net::testing::ValueOf(net::StreamPair(loop()));
    AdminHandler handler = MakeAdminHandler(pages_, options_);
    serving_ = executor().Spawn(handler(std::move(pair.second)), "admin");
    return std::move(pair.first);
  }

  // The answers to all of `requests`, after which the client has finished.
  Task<std::string> Ask(std::string_view requests) {
    net::TcpStream client = Connect();
    const std::string text(requests);
    absl::Status sent = co_await client.Write(net::testing::Bytes(text));
    EXPECT_EQ(sent, absl::OkStatus());
    EXPECT_EQ(co_await client.ShutdownWrite(), absl::OkStatus());
    absl::StatusOr<std::string> answers =
        co_await net::testing::ReadToEnd(client);
    EXPECT_TRUE(answers.ok()) << answers.status();
    EXPECT_EQ(co_await serving_, absl::OkStatus());
    co_return answers.ok() ? *answers : "";
  }

  // A whole answer. `status` is as "200 OK".
  static std::string AnswerWith(std::string_view status, std::string_view body,
                                std::string_view last_lines = "") {
    return absl::StrCat("HTTP/1.1 ", status,
                        "\r\nContent-Type: text/plain; charset=utf-8"
                        "\r\nContent-Length: ",
                        body.size(), "\r\nCache-Control: no-store\r\n",
                        last_lines, "\r\n", body);
  }

  AdminPages pages_;
  AdminOptions options_;
  bool ready_ = true;
  JoinHandle<absl::Status> serving_;
};

inline constexpr char kClose[] = "Connection: close\r\n";

}  // namespace ringway::testing

#endif  // RINGWAY_RUNTIME_ADMIN_TESTING_ADMIN_FIXTURE_H_
