// SPDX-License-Identifier: Apache-2.0
//
// The connections of a client: kept, shared, bounded, closed, and replaced when
// a server has closed them.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/testing/client_fixture.h"

namespace ringway::http {
namespace {

using HttpClientPoolTest = testing::ClientTest;
using testing::Fetch;
using testing::Fetched;
using testing::ScriptedPeer;
using testing::ScriptedServer;

constexpr char kHello[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// Answers all requests of a connection.
Task<void> SayHello(ScriptedPeer& peer) {
  while (!(co_await peer.ReadHead()).empty()) {
    if (!co_await peer.Say(kHello)) co_return;
  }
}

Task<void> UntilIdle(const Client& client, size_t n) {
  for (int i = 0; i < 2'000 && client.statistics().idle != n; ++i)
    (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
  EXPECT_EQ(client.statistics().idle, n);
}

TEST_P(HttpClientPoolTest, KeepsAConnectionForTheNextRequest) {
  RunScripted(SayHello, [](ScriptedServer& server) -> Task<void> {
    Client client;
    for (int i = 0; i < 20; ++i)
      EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
    EXPECT_EQ(server.n_connections(), 1u);
    EXPECT_EQ(client.statistics().requests, 20u);
    EXPECT_EQ(client.statistics().reused, 19u);
    EXPECT_EQ(client.statistics().idle, 1u);
  });
}

// With its last byte, not with the Response.
TEST_P(HttpClientPoolTest, TakesAConnectionBackWithTheEndOfABody) {
  RunScripted(SayHello, [](ScriptedServer& server) -> Task<void> {
    Client client;
    absl::StatusOr<Response> first = co_await client.Get(server.url("/"));
    EXPECT_EQ(client.statistics().idle, 0u);
    EXPECT_EQ(*co_await first->ReadAll(100), "hello");
    EXPECT_EQ(client.statistics().idle, 1u);
    EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
    EXPECT_EQ(first->headers().Find("content-length"), "5");
    EXPECT_EQ(server.n_connections(), 1u);
  });
}

TEST_P(HttpClientPoolTest, EndsAConnectionWithAResponseThatIsNotRead) {
  size_t n_ended = 0;
  RunScripted(
      [&](ScriptedPeer& peer) -> Task<void> {
        co_await SayHello(peer);
        ++n_ended;
      },
      [&](ScriptedServer& server) -> Task<void> {
        Client client;
        for (int i = 0; i < 3; ++i) {
          absl::StatusOr<Response> dropped =
              co_await client.Get(server.url("/"));
          EXPECT_TRUE(dropped.ok()) << dropped.status();
        }
        for (int i = 0; i < 2'000 && n_ended < 3; ++i)
          (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
        EXPECT_EQ(n_ended, 3u);
        EXPECT_EQ(server.n_connections(), 3u);
        EXPECT_EQ(client.statistics().idle, 0u);
      });
}

TEST_P(HttpClientPoolTest, DoesNotKeepWhatEitherSideEnds) {
  for (const std::string_view response :
       {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        // What follows is an answer to nothing.
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n"}) {
    RunScripted(
        [&](ScriptedPeer& peer) -> Task<void> {
          co_await peer.ReadHead();
          co_await peer.Say(std::string(response));
          EXPECT_EQ(co_await peer.ReadToEnd(), "");
        },
        [&](ScriptedServer& server) -> Task<void> {
          Client client;
          for (size_t i = 1; i <= 3; ++i) {
            EXPECT_EQ((co_await Fetch(client, server.url("/"))).code, 200);
            EXPECT_EQ(server.n_connections(), i) << response;
          }
        });
  }
}

TEST_P(HttpClientPoolTest, NoticesThatAnIdleConnectionIsClosed) {
  RunScripted(
      [](ScriptedPeer& peer) -> Task<void> {
        co_await peer.ReadHead();
        co_await peer.Say(kHello);
      },
      [](ScriptedServer& server) -> Task<void> {
        Client client;
        for (int i = 0; i < 5; ++i) {
          // Not idempotent: it would fail on a connection that is closed.
          ClientRequest request(Method::kPost, server.url("/"), "x");
          EXPECT_EQ((co_await Fetch(client, std::move(request))).body, "hello");
          co_await UntilIdle(client, 0);
        }
        EXPECT_EQ(client.statistics().retries, 0u);
      });
}

TEST_P(HttpClientPoolTest, NoticesBytesThatWereNotAskedFor) {
  RunScripted(
      [](ScriptedPeer& peer) -> Task<void> {
        co_await peer.ReadHead();
        co_await peer.Say(kHello);
        (co_await Sleep(absl::Milliseconds(5))).IgnoreError();
        co_await peer.Say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        co_await peer.ReadToEnd();
      },
      [](ScriptedServer& server) -> Task<void> {
        Client client;
        EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
        co_await UntilIdle(client, 0);
        EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
        EXPECT_EQ(server.n_connections(), 2u);
      });
}

TEST_P(HttpClientPoolTest, ClosesAConnectionThatIsIdleForTooLong) {
  RunScripted(SayHello, [](ScriptedServer& server) -> Task<void> {
    ClientOptions options;
    options.idle_timeout = absl::Milliseconds(20);
    Client client(options);
    EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
    EXPECT_EQ(client.statistics().idle, 1u);
    co_await UntilIdle(client, 0);
  });
}

TEST_P(HttpClientPoolTest, KeepsAsManyIdleConnectionsAsItMay) {
  RunScripted(SayHello, [](ScriptedServer& server) -> Task<void> {
    for (const bool of_host : {true, false}) {
      ClientOptions options;
      (of_host ? options.max_idle_per_host : options.max_idle) = 2;
      Client client(options);
      std::vector<JoinHandle<Fetched>> all;
      for (int i = 0; i < 8; ++i)
        all.push_back(Spawn(Fetch(client, server.url("/"))));
      for (JoinHandle<Fetched>& one : all) EXPECT_TRUE((co_await one).ok());
      EXPECT_EQ(client.statistics().connections, 8u);
      EXPECT_EQ(client.statistics().idle, 2u);
    }
  });
}

// --- Servers that close a connection when it is used again.

// Answers `n` requests of its first connection, and ends it with the next one,
// unseen until then.
testing::Script EndsWithRequest(int n) {
  return [n](ScriptedPeer& peer) -> Task<void> {
    if (peer.number() > 0) {
      Task<void> say = SayHello(peer);
      co_await std::move(say);
      co_return;
    }
    for (int i = 0; i < n; ++i) {
      co_await peer.ReadHead();
      co_await peer.Say(kHello);
    }
    co_await peer.ReadHead();
    peer.stream().Reset();
  };
}

TEST_P(HttpClientPoolTest, SendsAnIdempotentRequestAgain) {
  for (const Method method : {Method::kGet, Method::kHead, Method::kPut,
                              Method::kDelete, Method::kOptions}) {
    RunScripted(EndsWithRequest(1), [&](ScriptedServer& server) -> Task<void> {
      Client client;
      ClientRequest first(Method::kGet, server.url("/"));
      EXPECT_EQ((co_await Fetch(client, std::move(first))).body, "hello");
      ClientRequest again(method, server.url("/"));
      // The script knows nothing of HEAD.
      const absl::StatusOr<Response> response =
          co_await client.Send(std::move(again));
      EXPECT_TRUE(response.ok()) << response.status();
      EXPECT_EQ(client.statistics().retries, 1u);
      EXPECT_EQ(server.n_connections(), 2u);
    });
  }
}

TEST_P(HttpClientPoolTest, DoesNotSendOthersAgain) {
  for (const bool streamed : {false, true}) {
    RunScripted(EndsWithRequest(1), [&](ScriptedServer& server) -> Task<void> {
      Client client;
      EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
      ClientRequest again(streamed ? Method::kPut : Method::kPost,
                          server.url("/"));
      if (streamed) {
        again.write_body = [](BodyWriter& body) -> Task<absl::Status> {
          co_return co_await body.Write("once");
        };
      }
      const Fetched fetched = co_await Fetch(client, std::move(again));
      EXPECT_TRUE(absl::IsUnavailable(fetched.status)) << fetched.status;
      EXPECT_EQ(client.statistics().retries, 0u);
      EXPECT_EQ(server.n_connections(), 1u);
    });
  }
}

// Neither on a new connection, nor a second time.
TEST_P(HttpClientPoolTest, SendsNothingAgainThatFailsOnANewConnection) {
  RunScripted(
      [](ScriptedPeer& peer) -> Task<void> {
        co_await peer.ReadHead();
        peer.stream().Reset();
      },
      [](ScriptedServer& server) -> Task<void> {
        Client client;
        const Fetched fetched = co_await Fetch(client, server.url("/"));
        EXPECT_TRUE(absl::IsUnavailable(fetched.status)) << fetched.status;
        EXPECT_EQ(server.n_connections(), 1u);
      });
}

TEST_P(HttpClientPoolTest, SendsNothingAgainOnceAByteHasCome) {
  RunScripted(
      [](ScriptedPeer& peer) -> Task<void> {
        co_await peer.ReadHead();
        co_await peer.Say(kHello);
        co_await peer.ReadHead();
        co_await peer.Say("H");
      },
      [](ScriptedServer& server) -> Task<void> {
        Client client;
        EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
        const Fetched fetched = co_await Fetch(client, server.url("/"));
        EXPECT_TRUE(absl::IsOutOfRange(fetched.status)) << fetched.status;
        EXPECT_EQ(server.n_connections(), 1u);
      });
}

// --- Places.

TEST_P(HttpClientPoolTest, WaitsForAPlaceInTheOrderOfRequests) {
  size_t n_open = 0;
  size_t n_most = 0;
  RunScripted(
      [&](ScriptedPeer& peer) -> Task<void> {
        n_most = std::max(n_most, ++n_open);
        co_await SayHello(peer);
        --n_open;
      },
      [&](ScriptedServer& server) -> Task<void> {
        ClientOptions options;
        options.max_connections_per_host = 2;
        Client client(options);
        std::vector<int> order;
        auto fetch = [&](int i) -> Task<void> {
          const Fetched fetched = co_await Fetch(client, server.url("/"));
          EXPECT_EQ(fetched.body, "hello") << fetched.status;
          order.push_back(i);
        };
        std::vector<JoinHandle<void>> all;
        for (int i = 0; i < 20; ++i) all.push_back(Spawn(fetch(i)));
        for (JoinHandle<void>& one : all) EXPECT_TRUE((co_await one).ok());
        EXPECT_EQ(order.size(), 20u);
        for (int i = 0; i < 20; ++i) EXPECT_LE(std::abs(order[i] - i), 1) << i;
        EXPECT_EQ(client.statistics().connections, 2u);
      });
  EXPECT_EQ(n_most, 2u);
}

TEST_P(HttpClientPoolTest, WaitsForAPlaceForSomeTime) {
  RunScripted(SayHello, [](ScriptedServer& server) -> Task<void> {
    ClientOptions options;
    options.max_connections_per_host = 1;
    options.max_waiting_per_host = 1;
    options.place_timeout = absl::Milliseconds(20);
    Client client(options);
    // Not read, so that it keeps its place.
    std::optional<absl::StatusOr<Response>> first =
        co_await client.Get(server.url("/"));
    JoinHandle<Fetched> second = Spawn(Fetch(client, server.url("/")));
    co_await net::testing::TurnTimes(3);
    const Fetched third = co_await Fetch(client, server.url("/"));
    EXPECT_TRUE(absl::IsResourceExhausted(third.status)) << third.status;
    EXPECT_NE(third.status.message().find("max_waiting_per_host"),
              std::string::npos);
    const Fetched waited = *co_await second;
    EXPECT_TRUE(absl::IsDeadlineExceeded(waited.status)) << waited.status;
    EXPECT_NE(waited.status.message().find("ClientOptions::place_timeout"),
              std::string::npos);
    first.reset();
    EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
  });
}

TEST_P(HttpClientPoolTest, ACancelOfAWaitLosesNoPlace) {
  RunScripted(SayHello, [](ScriptedServer& server) -> Task<void> {
    ClientOptions options;
    options.max_connections_per_host = 1;
    Client client(options);
    for (int i = 0; i < 5; ++i) {
      std::optional<absl::StatusOr<Response>> first =
          co_await client.Get(server.url("/"));
      JoinHandle<Fetched> waiting = Spawn(Fetch(client, server.url("/")));
      co_await net::testing::TurnTimes(2);
      waiting.Cancel();
      EXPECT_TRUE(absl::IsCancelled((co_await waiting)->status));
      first.reset();
      EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
    }
  });
}

TEST_P(HttpClientPoolTest, HostsHaveConnectionsOfTheirOwn) {
  RunScripted(SayHello, [&](ScriptedServer& server) -> Task<void> {
    ClientOptions options;
    options.connect_to = *net::SocketAddress::Parse(
        server.url("").substr(std::string_view("http://").size()));
    Client client(options);
    // More than are kept without connections.
    for (int i = 0; i < 200; ++i) {
      const std::string url = absl::StrCat("http://host", i, "/");
      EXPECT_EQ((co_await Fetch(client, url)).body, "hello");
      EXPECT_EQ((co_await Fetch(client, url)).body, "hello");
    }
    EXPECT_EQ(client.statistics().connections, 200u);
    EXPECT_EQ(client.statistics().reused, 200u);
  });
}

// --- The end of a client.

TEST_P(HttpClientPoolTest, RequestsAndResponsesOutliveTheirClient) {
  RunScripted(SayHello, [](ScriptedServer& server) -> Task<void> {
    std::optional<Client> client(std::in_place);
    EXPECT_EQ((co_await Fetch(*client, server.url("/"))).body, "hello");
    absl::StatusOr<Response> response = co_await client->Get(server.url("/"));
    JoinHandle<absl::StatusOr<Response>> request =
        Spawn(client->Get(server.url("/")));
    client.reset();
    EXPECT_EQ(*co_await response->ReadAll(100), "hello");
    absl::StatusOr<Response> later = co_await request;
    EXPECT_TRUE(later.ok()) << later.status();
    EXPECT_EQ(*co_await later->ReadAll(100), "hello");
  });
}

TEST_P(HttpClientPoolTest, AClientOutlivesItsLoop) {
  Serve([](Request&, ResponseWriter& response) {
    return response.Send(200, "hello");
  });
  std::optional<Client> client(std::in_place);
  std::optional<Response> unread;
  auto main = [&]() -> Task<void> {
    EXPECT_EQ((co_await Fetch(*client, UrlOf("/"))).body, "hello");
    absl::StatusOr<Response> response = co_await client->Get(UrlOf("/"));
    unread.emplace(*std::move(response));
    EXPECT_EQ((co_await Fetch(*client, UrlOf("/"))).body, "hello");
  };
  Run(main());
  DestroyExecutor();
  MakeExecutor();
  auto later = [&]() -> Task<void> {
    const absl::Status status = (co_await unread->ReadAll(100)).status();
    EXPECT_FALSE(status.ok());
    // Nothing listens there any more.
    const Fetched fetched = co_await Fetch(*client, "http://127.0.0.1:1/");
    EXPECT_FALSE(fetched.status.ok());
  };
  NetTest::Run(later());
  DestroyExecutor();
  unread.reset();
  client.reset();
}

TEST_P(HttpClientPoolTest, MayBeMoved) {
  RunScripted(SayHello, [](ScriptedServer& server) -> Task<void> {
    Client client;
    EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
    Client moved = std::move(client);
    EXPECT_EQ((co_await Fetch(moved, server.url("/"))).body, "hello");
    Client other;
    EXPECT_EQ((co_await Fetch(other, server.url("/"))).body, "hello");
    other = std::move(moved);
    EXPECT_EQ((co_await Fetch(other, server.url("/"))).body, "hello");
    EXPECT_EQ(server.n_connections(), 2u);
  });
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientPoolTest);

}  // namespace
}  // namespace ringway::http
