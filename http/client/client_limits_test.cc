// SPDX-License-Identifier: Apache-2.0
//
// What ends a request: servers that say something else than HTTP, or that end,
// at any byte, or that say nothing; limits.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/testing/client_fixture.h"
#include "ringway/net/resolver/resolver.h"

namespace ringway::http {
namespace {

using HttpClientLimitsTest = testing::ClientTest;
using testing::Fetch;
using testing::Fetched;
using testing::ScriptedPeer;
using testing::ScriptedServer;

constexpr std::string_view kHello =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// Says `bytes` to each request.
testing::Script Says(std::string bytes) {
  return [bytes](ScriptedPeer& peer) -> Task<void> {
    while (!(co_await peer.ReadHead()).empty()) {
      if (!co_await peer.Say(bytes)) co_return;
    }
  };
}

// Says `bytes` to a request and ends.
testing::Script SaysAndEnds(std::string bytes) {
  return [bytes](ScriptedPeer& peer) -> Task<void> {
    co_await peer.ReadHead();
    co_await peer.Say(bytes);
  };
}

// response_parser_test.cc has all that is malformed.
TEST_P(HttpClientLimitsTest, RefusesMalformedResponses) {
  struct Case {
    std::string_view bytes;
    absl::StatusCode code;
  };
  for (const Case& c : {
           Case{"<html>", absl::StatusCode::kDataLoss},
           Case{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n"
                "\r\nab",
                absl::StatusCode::kDataLoss},
           Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                "Content-Length: 3\r\n\r\n0\r\n\r\n",
                absl::StatusCode::kDataLoss},
           Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                absl::StatusCode::kDataLoss},
           Case{"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
                absl::StatusCode::kDataLoss},
           Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                absl::StatusCode::kUnimplemented},
       }) {
    RunScripted(
        Says(std::string(c.bytes)), [&](ScriptedServer& server) -> Task<void> {
          Client client;
          const Fetched fetched = co_await Fetch(client, server.url("/"));
          EXPECT_EQ(fetched.status.code(), c.code) << c.bytes << fetched.status;
          EXPECT_EQ(client.statistics().idle, 0u);
          EXPECT_EQ(server.n_connections(), 1u);
        });
  }
}

// Whatever the byte, a response that is not whole is an error, and one that is
// none, is none.
TEST_P(HttpClientLimitsTest, KnowsAResponseThatWasCut) {
  for (const std::string& whole :
       {std::string(kHello),
        std::string(
            "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n"
            "Transfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\n"
            "T: u\r\n\r\n")}) {
    RunScripted(
        [&](ScriptedPeer& peer) -> Task<void> {
          co_await peer.ReadHead();
          co_await peer.Say(whole.substr(0, peer.number()));
        },
        [&](ScriptedServer& server) -> Task<void> {
          Client client;
          for (size_t n = 0; n <= whole.size(); ++n) {
            const Fetched fetched = co_await Fetch(client, server.url("/"));
            const absl::StatusCode expected =
                n == whole.size() ? absl::StatusCode::kOk
                : n == 0          ? absl::StatusCode::kUnavailable
                                  : absl::StatusCode::kOutOfRange;
            EXPECT_EQ(fetched.status.code(), expected)
                << n << " bytes: " << fetched.status;
            EXPECT_EQ(fetched.body, n == whole.size() ? "hello" : "");
          }
        });
  }
}

TEST_P(HttpClientLimitsTest, TakesAResponseByteByByte) {
  const std::string whole =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
  RunScripted(
      [&](ScriptedPeer& peer) -> Task<void> {
        while (!(co_await peer.ReadHead()).empty()) {
          for (const char byte : whole) {
            co_await peer.Say(std::string(1, byte));
            (co_await Sleep(absl::Microseconds(20))).IgnoreError();
          }
        }
      },
      [](ScriptedServer& server) -> Task<void> {
        Client client;
        for (int i = 0; i < 3; ++i) {
          const Fetched fetched = co_await Fetch(client, server.url("/"));
          EXPECT_EQ(fetched.status, absl::OkStatus());
          EXPECT_EQ(fetched.body, "hello");
        }
        EXPECT_EQ(server.n_connections(), 1u);
      });
}

TEST_P(HttpClientLimitsTest, ReadsABodyUntilTheEndOfTheConnection) {
  RunScripted(SaysAndEnds("HTTP/1.0 200 OK\r\n\r\nall of it"),
              [](ScriptedServer& server) -> Task<void> {
                Client client;
                const Fetched fetched = co_await Fetch(client, server.url("/"));
                EXPECT_EQ(fetched.status, absl::OkStatus());
                EXPECT_EQ(fetched.body, "all of it");
                EXPECT_EQ(client.statistics().idle, 0u);
              });
}

TEST_P(HttpClientLimitsTest, HasLimitsOfHeadsAndTrailers) {
  ClientOptions options;
  options.response.header_bytes = 100;
  options.response.header_count = 3;
  options.response.informational_count = 2;
  struct Case {
    std::string bytes;
    std::string_view limit;
  };
  const std::string hint = "HTTP/1.1 103 Early\r\n\r\n";
  for (const Case& c : {
           Case{"HTTP/1.1 200 OK\r\nA: " + std::string(100, 'a') + "\r\n\r\n",
                "ResponseLimits::header_bytes"},
           Case{"HTTP/1.1 200 OK\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n",
                "ResponseLimits::header_count"},
           Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                "A: " +
                    std::string(100, 'a') + "\r\n\r\n",
                "ResponseLimits::header_bytes"},
           Case{hint + hint + hint + std::string(kHello),
                "ResponseLimits::informational_count"},
       }) {
    RunScripted(Says(c.bytes), [&](ScriptedServer& server) -> Task<void> {
      Client client(options);
      const Fetched fetched = co_await Fetch(client, server.url("/"));
      EXPECT_TRUE(absl::IsResourceExhausted(fetched.status)) << fetched.status;
      EXPECT_NE(fetched.status.message().find(c.limit), std::string::npos)
          << fetched.status;
    });
  }
}

// --- Time.

// The request to it is DeadlineExceeded, with the name of the option.
Task<void> ExpectLate(Client& client, ClientRequest request,
                      std::string_view option) {
  Task<Fetched> fetch = Fetch(client, std::move(request));
  const Fetched fetched = co_await std::move(fetch);
  EXPECT_TRUE(absl::IsDeadlineExceeded(fetched.status)) << fetched.status;
  EXPECT_NE(
      fetched.status.message().find(absl::StrCat("ClientOptions::", option)),
      std::string::npos)
      << fetched.status;
}

TEST_P(HttpClientLimitsTest, WaitsForAHeadAndABodyForSomeTime) {
  ClientOptions options;
  options.head_timeout = absl::Milliseconds(30);
  options.body_timeout = absl::Milliseconds(40);
  const auto then_waits = [](std::string bytes) -> testing::Script {
    return [bytes](ScriptedPeer& peer) -> Task<void> {
      co_await peer.ReadHead();
      co_await peer.Say(bytes);
      EXPECT_EQ(co_await peer.ReadToEnd(), "");
    };
  };
  for (const std::string& head :
       {"", "HTTP/1.1 20", "HTTP/1.1 100 C\r\n\r\n"}) {
    RunScripted(then_waits(head), [&](ScriptedServer& server) -> Task<void> {
      Client client(options);
      ClientRequest request(Method::kGet, server.url("/"));
      co_await ExpectLate(client, std::move(request), "head_timeout");
    });
  }
  for (const std::string& body :
       {"Content-Length: 2\r\n\r\na", "\r\na",
        "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"}) {
    RunScripted(then_waits("HTTP/1.1 200 OK\r\n" + body),
                [&](ScriptedServer& server) -> Task<void> {
                  Client client(options);
                  ClientRequest request(Method::kGet, server.url("/"));
                  co_await ExpectLate(client, std::move(request),
                                      "body_timeout");
                });
  }
}

// Each piece is in time, but all of them are not.
TEST_P(HttpClientLimitsTest, HasADeadlineForAllOfARequest) {
  ClientOptions options;
  options.request_timeout = absl::Milliseconds(50);
  for (const bool in_head : {true, false}) {
    RunScripted(
        [&](ScriptedPeer& peer) -> Task<void> {
          co_await peer.ReadHead();
          bool said = co_await peer.Say(in_head ? "HTTP/1.1 200 "
                                                : "HTTP/1.1 200 OK\r\n\r\n");
          while (said) {
            (co_await Sleep(absl::Milliseconds(5))).IgnoreError();
            said = co_await peer.Say("a");
          }
        },
        [&](ScriptedServer& server) -> Task<void> {
          Client client(options);
          ClientRequest request(Method::kGet, server.url("/"));
          co_await ExpectLate(client, std::move(request), "request_timeout");
        });
  }
}

TEST_P(HttpClientLimitsTest, WaitsForAServerThatDoesNotReadForSomeTime) {
  ClientOptions options;
  options.write_timeout = absl::Milliseconds(50);
  RunScripted(
      [](ScriptedPeer& peer) -> Task<void> {
        co_await peer.ReadHead();
        (co_await Sleep(absl::Seconds(30))).IgnoreError();
      },
      [&](ScriptedServer& server) -> Task<void> {
        Client client(options);
        ClientRequest request(Method::kPost, server.url("/"),
                              std::string(64 << 20, 'a'));
        co_await ExpectLate(client, std::move(request), "write_timeout");
      });
}

// Whose addresses do not come.
class SilentResolver : public net::Resolver {
 public:
  Task<absl::StatusOr<std::vector<net::SocketAddress>>> Resolve(
      std::string, uint16_t) override {
    (co_await Sleep(absl::Minutes(5))).IgnoreError();
    co_return absl::CancelledError("");
  }
};

TEST_P(HttpClientLimitsTest, ConnectsForSomeTime) {
  auto main = [&]() -> Task<void> {
    SilentResolver resolver;
    ClientOptions options;
    options.resolver = &resolver;
    options.connect_timeout = absl::Milliseconds(20);
    Client client(options);
    ClientRequest request(Method::kGet, "http://nowhere/");
    co_await ExpectLate(client, std::move(request), "connect_timeout");
    options.connect_timeout = absl::Seconds(20);
    options.request_timeout = absl::Milliseconds(20);
    Client hasty(options);
    ClientRequest again(Method::kGet, "http://nowhere/");
    co_await ExpectLate(hasty, std::move(again), "request_timeout");
  };
  NetTest::Run(main());
}

TEST_P(HttpClientLimitsTest, SendsABodyThatNoContinueCameFor) {
  ClientOptions options;
  options.continue_timeout = absl::Milliseconds(20);
  RunScripted(
      [](ScriptedPeer& peer) -> Task<void> {
        const std::string head = co_await peer.ReadHead();
        EXPECT_NE(head.find("Expect: 100-continue\r\n"), std::string::npos);
        EXPECT_EQ(co_await peer.ReadBytes(4), "body");
        co_await peer.Say(std::string(kHello));
      },
      [&](ScriptedServer& server) -> Task<void> {
        Client client(options);
        ClientRequest request(Method::kPost, server.url("/"), "body");
        request.expect_continue = true;
        const Fetched fetched = co_await Fetch(client, std::move(request));
        EXPECT_EQ(fetched.body, "hello") << fetched.status;
      });
}

// --- Responses that come before the end of the request.

TEST_P(HttpClientLimitsTest, ReturnsAResponseThatComesBeforeTheBodyIsSent) {
  for (const bool streamed : {true, false}) {
    RunScripted(
        [](ScriptedPeer& peer) -> Task<void> {
          co_await peer.ReadHead();
          co_await peer.Say(
              "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno\n");
          // Reads no more; the client ends the connection.
          (co_await Sleep(absl::Milliseconds(30))).IgnoreError();
        },
        [&](ScriptedServer& server) -> Task<void> {
          Client client;
          ClientRequest request(Method::kPost, server.url("/"));
          auto ended = std::make_shared<absl::Status>();
          if (streamed) {
            request.write_body =
                [ended](BodyWriter& body) -> Task<absl::Status> {
              const std::string piece(100'000, 'a');
              while (ended->ok()) *ended = co_await body.Write(piece);
              co_return *ended;
            };
          } else {
            request.body = std::string(64 << 20, 'a');
          }
          const Fetched fetched = co_await Fetch(client, std::move(request));
          EXPECT_EQ(fetched.code, 413) << fetched.status;
          EXPECT_EQ(fetched.body, "no\n");
          EXPECT_EQ(client.statistics().idle, 0u);
          for (int i = 0; streamed && ended->ok() && i < 1000; ++i)
            (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
          EXPECT_EQ(ended->ok(), !streamed);
        });
  }
}

// The write fails, but the answer was there before.
TEST_P(HttpClientLimitsTest, ReturnsAResponseOfAServerThatHasClosed) {
  RunScripted(
      [](ScriptedPeer& peer) -> Task<void> {
        co_await peer.ReadHead();
        co_await peer.Say(
            "HTTP/1.1 503 Busy\r\nConnection: close\r\n"
            "Content-Length: 0\r\n\r\n");
        (co_await peer.stream().ShutdownWrite()).IgnoreError();
        co_await peer.ReadBytes(10'000);
      },
      [](ScriptedServer& server) -> Task<void> {
        Client client;
        ClientRequest request(Method::kPost, server.url("/"));
        request.write_body = [](BodyWriter& body) -> Task<absl::Status> {
          const std::string piece(1000, 'a');
          absl::Status sent;
          for (int i = 0; sent.ok() && i < 200; ++i) {
            sent = co_await body.Write(piece);
            if (sent.ok()) sent = co_await Sleep(absl::Milliseconds(1));
          }
          co_return sent;
        };
        const Fetched fetched = co_await Fetch(client, std::move(request));
        EXPECT_EQ(fetched.code, 503) << fetched.status;
      });
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientLimitsTest);

}  // namespace
}  // namespace ringway::http
