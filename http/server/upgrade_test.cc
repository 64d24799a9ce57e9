// SPDX-License-Identifier: Apache-2.0
//
// Connections that leave HTTP for another protocol.

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/http/server/server.h"
#include "ringway/http/testing/http_fixture.h"
#include "ringway/http/tunnel/tunnel.h"

namespace ringway::http {
namespace {

using UpgradeTest = testing::HttpTest;
using testing::RawClient;
using testing::RawResponse;

// Sends back what comes, each time behind "> ".
Task<absl::Status> EchoBytes(Request& request, ResponseWriter& response) {
  Task<absl::StatusOr<Tunnel*>> upgrade = response.Upgrade("echo");
  const absl::StatusOr<Tunnel*> tunnel = co_await std::move(upgrade);
  if (!tunnel.ok()) {
    response.headers().Clear();
    const std::string why = tunnel.status().ToString();
    co_return co_await response.Send(400, why);
  }
  EXPECT_TRUE(response.started());
  std::byte byte{};
  Task<absl::StatusOr<size_t>> read = request.Read(std::span(&byte, 1));
  EXPECT_EQ((co_await std::move(read)).value_or(1), 0u);
  Task<absl::Status> send = response.Write("x");
  EXPECT_TRUE(absl::IsFailedPrecondition(co_await std::move(send)));
  Task<absl::StatusOr<Tunnel*>> again = response.Upgrade("echo");
  EXPECT_TRUE(absl::IsFailedPrecondition((co_await std::move(again)).status()));
  const CancelToken forever;
  while (true) {
    Task<absl::StatusOr<std::span<const std::byte>>> fill =
        (*tunnel)->Fill(absl::Minutes(1), forever);
    const absl::StatusOr<std::span<const std::byte>> bytes =
        co_await std::move(fill);
    if (!bytes.ok()) co_return bytes.status();
    if (bytes->empty()) co_return absl::OkStatus();
    const std::string copy(reinterpret_cast<const char*>(bytes->data()),
                           bytes->size());
    (*tunnel)->Consume(bytes->size());
    static constexpr std::string_view kHead = "> ";
    Task<absl::Status> write = (*tunnel)->Write(std::as_bytes(std::span(kHead)),
                                                std::as_bytes(std::span(copy)));
    absl::Status written = co_await std::move(write);
    if (!written.ok()) co_return written;
  }
}

constexpr std::string_view kFields =
    "Connection: upgrade\r\nUpgrade: x, Echo\r\n";

TEST_P(UpgradeTest, TheHandlerGetsTheBytesOfTheConnection) {
  Serve(EchoBytes);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    // Not as the next request, although it looks like one.
    co_await client.Say(Get("/", std::string(kFields)) + Get("/"));
    const RawResponse response = co_await client.Next();
    EXPECT_EQ(response.code, 101);
    EXPECT_EQ(response.Field("Upgrade"), "echo");
    EXPECT_EQ(response.Field("Connection"), "Upgrade");
    const std::string expected = "> " + Get("/");
    while (client.arrived().size() < expected.size()) {
      Task<bool> more = client.More();
      if (!co_await std::move(more)) break;
    }
    EXPECT_EQ(client.arrived(), expected);
    client.arrived().clear();
    (co_await client.stream().ShutdownWrite()).IgnoreError();
    EXPECT_TRUE(co_await client.AtEnd());
  };
  Run(main());
}

TEST_P(UpgradeTest, SendsMoreThanOneWriteTakes) {
  const std::string large(3'000'000, 'l');
  Serve([&large](Request&, ResponseWriter& response) -> Task<absl::Status> {
    Task<absl::StatusOr<Tunnel*>> upgrade = response.Upgrade("echo");
    const absl::StatusOr<Tunnel*> tunnel = co_await std::move(upgrade);
    if (!tunnel.ok()) co_return tunnel.status();
    Task<absl::Status> write =
        (*tunnel)->Write({}, std::as_bytes(std::span(large)));
    co_return co_await std::move(write);
  });
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    co_await client.Say(Get("/", std::string(kFields)));
    EXPECT_EQ((co_await client.Next()).code, 101);
    bool more = true;
    while (more) {
      Task<bool> read = client.More();
      more = co_await std::move(read);
    }
    EXPECT_TRUE(client.arrived() == large);
  };
  Run(main());
}

TEST_P(UpgradeTest, OnlyToWhatTheClientAsksFor) {
  Serve(EchoBytes);
  auto main = [&]() -> Task<void> {
    RawClient client = co_await Visit();
    const std::string requests[] = {
        Get("/"),
        Get("/", "Upgrade: echo\r\n"),
        Get("/", "Connection: upgrade\r\n"),
        Get("/", "Connection: upgrade\r\nUpgrade: echoes\r\n"),
        absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n",
                     kFields, "\r\nx"),
        absl::StrCat("GET / HTTP/1.0\r\nConnection: keep-alive\r\n", kFields,
                     "\r\n"),
    };
    for (const std::string& request : requests) {
      co_await client.Say(request);
      const RawResponse response = co_await client.Next();
      EXPECT_EQ(response.code, 400) << request;
      EXPECT_EQ(response.body,
                "FAILED_PRECONDITION: the request asks for no upgrade to this "
                "protocol");
    }
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(UpgradeTest);

}  // namespace
}  // namespace ringway::http
