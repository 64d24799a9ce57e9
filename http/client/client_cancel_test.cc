// SPDX-License-Identifier: Apache-2.0
//
// What a cancel ends of a request, and what it does not.

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/testing/client_fixture.h"

namespace ringway::http {
namespace {

using HttpClientCancelTest = testing::ClientTest;
using testing::Fetch;
using testing::Fetched;
using testing::ScriptedPeer;
using testing::ScriptedServer;

constexpr char kHello[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

TEST_P(HttpClientCancelTest, ACancelEndsItsRequestAndNoOther) {
  RunScripted(
      [](ScriptedPeer& peer) -> Task<void> {
        const std::string head = co_await peer.ReadHead();
        if (head.find("/slow") != std::string::npos) {
          // The client ends the connection.
          EXPECT_EQ(co_await peer.ReadToEnd(), "");
          co_return;
        }
        (co_await Sleep(absl::Milliseconds(20))).IgnoreError();
        co_await peer.Say(kHello);
        co_await peer.ReadToEnd();
      },
      [](ScriptedServer& server) -> Task<void> {
        Client client;
        JoinHandle<Fetched> other = Spawn(Fetch(client, server.url("/other")));
        Task<Fetched> slow = Fetch(client, server.url("/slow"));
        const absl::StatusOr<Fetched> cancelled =
            co_await WithTimeout(absl::Milliseconds(5), std::move(slow));
        EXPECT_TRUE(absl::IsCancelled(cancelled->status)) << cancelled->status;
        EXPECT_EQ((co_await other)->body, "hello");
        EXPECT_EQ(client.statistics().idle, 1u);
      });
}

TEST_P(HttpClientCancelTest, ACancelEndsTheFunctionOfTheBodyFirst) {
  RunScripted(
      [](ScriptedPeer& peer) -> Task<void> {
        co_await peer.ReadHead();
        co_await peer.ReadToEnd();
      },
      [](ScriptedServer& server) -> Task<void> {
        Client client;
        // Lives as long as the request: after a cancel as well.
        auto send = [&]() -> Task<absl::Status> {
          bool ended = false;
          ClientRequest request(Method::kPost, server.url("/"));
          request.write_body =
              [&ended](BodyWriter& body) -> Task<absl::Status> {
            (co_await body.Write("abc")).IgnoreError();
            const absl::Status slept = co_await Sleep(absl::Minutes(5));
            ended = true;
            co_return slept;
          };
          const Fetched fetched = co_await Fetch(client, std::move(request));
          EXPECT_TRUE(ended);
          co_return fetched.status;
        };
        const absl::Status ended =
            co_await WithTimeout(absl::Milliseconds(20), send());
        EXPECT_TRUE(absl::IsDeadlineExceeded(ended)) << ended;
      });
}

TEST_P(HttpClientCancelTest, AReadThatWasCancelledMayGoOn) {
  RunScripted(
      [](ScriptedPeer& peer) -> Task<void> {
        co_await peer.ReadHead();
        co_await peer.Say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        (co_await Sleep(absl::Milliseconds(50))).IgnoreError();
        co_await peer.Say("world");
        co_await peer.ReadToEnd();
      },
      [](ScriptedServer& server) -> Task<void> {
        Client client;
        absl::StatusOr<Response> response =
            co_await client.Get(server.url("/"));
        std::string body;
        std::array<std::byte, 64> buffer;
        int n_cancelled = 0;
        while (body.size() < 10) {
          Task<absl::StatusOr<size_t>> read = response->Read(buffer);
          const absl::StatusOr<size_t> n =
              co_await WithTimeout(absl::Milliseconds(5), std::move(read));
          if (absl::IsDeadlineExceeded(n.status())) {
            ++n_cancelled;
            continue;
          }
          EXPECT_TRUE(n.ok()) << n.status();
          if (!n.ok()) co_return;
          body.append(reinterpret_cast<const char*>(buffer.data()), *n);
        }
        EXPECT_EQ(body, "helloworld");
        EXPECT_GT(n_cancelled, 0);
        EXPECT_EQ(client.statistics().idle, 1u);
      });
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientCancelTest);

}  // namespace
}  // namespace ringway::http
