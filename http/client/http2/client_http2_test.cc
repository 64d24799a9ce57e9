// SPDX-License-Identifier: Apache-2.0
//
// What is particular to a client by HTTP/2: one connection for all requests of
// a host. http2_server_faults_test.cc has servers that reset, refuse and go
// away.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/testing/client_fixture.h"

namespace ringway::http {
namespace {

using testing::Fetch;
using testing::Fetched;

class HttpClientHttp2Test : public testing::ClientTest {
 protected:
  static ClientOptions PriorKnowledge() {
    ClientOptions options;
    options.http2_prior_knowledge = true;
    return options;
  }
};

TEST_P(HttpClientHttp2Test, SharesOneConnection) {
  Serve([](Request& request, ResponseWriter& response) -> Task<absl::Status> {
    (co_await Sleep(absl::Milliseconds(2))).IgnoreError();
    const std::string path(request.path());
    co_return co_await response.Send(200, path);
  });
  auto main = [&]() -> Task<void> {
    Client client(PriorKnowledge());
    std::vector<JoinHandle<Fetched>> all;
    for (int i = 0; i < 50; ++i)
      all.push_back(Spawn(Fetch(client, UrlOf(absl::StrCat("/", i)))));
    for (int i = 0; i < 50; ++i) {
      const absl::StatusOr<Fetched> fetched = co_await all[i];
      EXPECT_EQ(fetched->body, absl::StrCat("/", i)) << fetched->status;
    }
    EXPECT_EQ(client.statistics().connections, 1u);
    EXPECT_EQ(server().connections(), 1u);
  };
  Run(main());
}

TEST_P(HttpClientHttp2Test, MakesAsManyRequestsAtATimeAsItMay) {
  int n_now = 0;
  int n_most = 0;
  auto handler = [&](Request&, ResponseWriter& response) -> Task<absl::Status> {
    n_most = std::max(n_most, ++n_now);
    (co_await Sleep(absl::Milliseconds(2))).IgnoreError();
    --n_now;
    co_return co_await response.Send(200, "hello");
  };
  ServerOptions server_options;
  server_options.http2.max_streams = 5;
  Serve(Handler(handler), server_options);
  auto main = [&]() -> Task<void> {
    for (const uint32_t n_own : {3, 100}) {
      ClientOptions options = PriorKnowledge();
      options.http2.max_streams = n_own;
      Client client(options);
      // Learns the server's limit.
      EXPECT_EQ((co_await Fetch(client, UrlOf("/"))).body, "hello");
      n_most = 0;
      std::vector<JoinHandle<Fetched>> all;
      for (int i = 0; i < 30; ++i)
        all.push_back(Spawn(Fetch(client, UrlOf("/"))));
      for (JoinHandle<Fetched>& one : all)
        EXPECT_EQ((co_await one)->body, "hello");
      EXPECT_EQ(n_most, n_own == 3 ? 3 : 5);
      EXPECT_EQ(client.statistics().connections, 1u);
      EXPECT_EQ(client.statistics().retries, 0u);
    }
  };
  Run(main());
}

TEST_P(HttpClientHttp2Test, AResponseThatIsDroppedEndsItsStreamAlone) {
  size_t n_cut = 0;
  Serve(Handler(
      [&](Request& request, ResponseWriter& response) -> Task<absl::Status> {
        if (request.path() == "/short")
          co_return co_await response.Send(200, "a");
        absl::Status sent = co_await response.Start(200);
        const std::string piece(10'000, 'x');
        while (sent.ok()) sent = co_await response.Write(piece);
        ++n_cut;
        co_return sent;
      }));
  auto main = [&]() -> Task<void> {
    Client client(PriorKnowledge());
    for (int i = 0; i < 5; ++i) {
      absl::StatusOr<Response> endless = co_await client.Get(UrlOf("/endless"));
      EXPECT_TRUE(endless.ok()) << endless.status();
      std::array<std::byte, 1000> buffer;
      EXPECT_GT(*co_await endless->Read(buffer), 0u);
      EXPECT_EQ((co_await Fetch(client, UrlOf("/short"))).body, "a");
    }
    for (int i = 0; i < 2'000 && n_cut < 5; ++i)
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_EQ(n_cut, 5u);
    EXPECT_EQ((co_await Fetch(client, UrlOf("/short"))).body, "a");
    EXPECT_EQ(client.statistics().connections, 1u);
  };
  Run(main());
}

TEST_P(HttpClientHttp2Test, ACancelEndsItsStreamAlone) {
  Serve([](Request& request, ResponseWriter& response) -> Task<absl::Status> {
    if (request.path() == "/slow")
      (co_await Sleep(absl::Minutes(1))).IgnoreError();
    co_return co_await response.Send(200, "a");
  });
  auto main = [&]() -> Task<void> {
    Client client(PriorKnowledge());
    for (int i = 0; i < 5; ++i) {
      Task<Fetched> slow = Fetch(client, UrlOf("/slow"));
      const absl::StatusOr<Fetched> cancelled =
          co_await WithTimeout(absl::Milliseconds(5), std::move(slow));
      EXPECT_TRUE(absl::IsCancelled(cancelled->status)) << cancelled->status;
      EXPECT_EQ((co_await Fetch(client, UrlOf("/"))).body, "a");
    }
    EXPECT_EQ(client.statistics().connections, 1u);
  };
  Run(main());
}

TEST_P(HttpClientHttp2Test, ClosesAConnectionThatIsIdleForTooLong) {
  Serve([](Request&, ResponseWriter& response) {
    return response.Send(200, "hello");
  });
  auto main = [&]() -> Task<void> {
    ClientOptions options = PriorKnowledge();
    options.idle_timeout = absl::Milliseconds(20);
    Client client(options);
    for (size_t i = 1; i <= 2; ++i) {
      EXPECT_EQ((co_await Fetch(client, UrlOf("/"))).body, "hello");
      EXPECT_EQ(client.statistics().connections, i);
      co_await UntilOpen(0);
    }
  };
  Run(main());
}

TEST_P(HttpClientHttp2Test, RequestsAndResponsesOutliveTheirClient) {
  Serve([](Request&, ResponseWriter& response) {
    return response.Send(200, "hello");
  });
  auto main = [&]() -> Task<void> {
    std::optional<Client> client(std::in_place, PriorKnowledge());
    absl::StatusOr<Response> response = co_await client->Get(UrlOf("/"));
    JoinHandle<absl::StatusOr<Response>> request =
        Spawn(client->Get(UrlOf("/")));
    client.reset();
    EXPECT_EQ(*co_await response->ReadAll(100), "hello");
    absl::StatusOr<Response> later = co_await request;
    EXPECT_TRUE(later.ok()) << later.status();
    EXPECT_EQ(*co_await later->ReadAll(100), "hello");
    co_await UntilOpen(0);
  };
  Run(main());
}

TEST_P(HttpClientHttp2Test, AClientOutlivesItsLoop) {
  const std::string large(100'000, 'a');
  Serve([&](Request&, ResponseWriter& response) {
    return response.Send(200, large);
  });
  std::optional<Client> client(std::in_place, PriorKnowledge());
  std::optional<Response> unread;
  auto main = [&]() -> Task<void> {
    absl::StatusOr<Response> response = co_await client->Get(UrlOf("/"));
    unread.emplace(*std::move(response));
  };
  Run(main());
  DestroyExecutor();
  MakeExecutor();
  auto later = [&]() -> Task<void> {
    EXPECT_FALSE((co_await unread->ReadAll(1 << 20)).ok());
    EXPECT_FALSE((co_await Fetch(*client, "http://127.0.0.1:1/")).status.ok());
  };
  NetTest::Run(later());
  DestroyExecutor();
  unread.reset();
  client.reset();
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientHttp2Test);

}  // namespace
}  // namespace ringway::http
