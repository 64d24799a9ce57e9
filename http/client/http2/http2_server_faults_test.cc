// SPDX-License-Identifier: Apache-2.0
//
// A client by HTTP/2 and servers, frame by frame, that reset, refuse, go away,
// break the protocol or say nothing.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/testing/client_fixture.h"
#include "ringway/http/http2/client_preface.h"
#include "ringway/http/http2/testing/frames.h"

namespace ringway::http {
namespace {

using HttpClientFaultsTest = testing::ClientTest;
using testing::Big;
using testing::Block;
using testing::Bytes;
using testing::Fetch;
using testing::Fetched;
using testing::Frame;
using testing::ScriptedPeer;
using testing::ScriptedServer;

ClientOptions PriorKnowledge() {
  ClientOptions options;
  options.http2_prior_knowledge = true;
  return options;
}

// Reads the preface and what follows until a request has come, and gives its
// stream.
Task<uint32_t> NextRequest(ScriptedPeer& peer) {
  while (true) {
    const std::string head = co_await peer.ReadBytes(9);
    if (head.size() < 9) co_return 0;
    const std::string payload =
        co_await peer.ReadBytes(testing::FromBig(head.substr(0, 3)));
    if (head[3] == testing::kHeaders)
      co_return testing::FromBig(head.substr(5, 4));
  }
}

std::string Head(uint32_t stream, testing::Fields fields, bool end = false) {
  return Bytes(Frame{testing::kHeaders,
                     static_cast<uint8_t>(testing::kEndHeaders |
                                          (end ? testing::kEndStream : 0)),
                     stream, Block(fields)});
}

std::string Data(uint32_t stream, std::string bytes, bool end = true) {
  return Bytes(Frame{testing::kData,
                     static_cast<uint8_t>(end ? testing::kEndStream : 0),
                     stream, std::move(bytes)});
}

std::string Reset(uint32_t stream, uint32_t code) {
  return Bytes(Frame{testing::kRstStream, 0, stream, Big(code, 4)});
}

std::string Goaway(uint32_t last, uint32_t code) {
  return Bytes(
      Frame{testing::kGoaway, 0, 0, absl::StrCat(Big(last, 4), Big(code, 4))});
}

std::string Hello(uint32_t stream) {
  return Head(stream, {{":status", "200"}}) + Data(stream, "hello");
}

// After the preface, calls `answer` for each request, and says what it gives.
using Answer = std::function<std::string(ScriptedPeer&, uint32_t stream)>;

testing::Script Answers(Answer answer) {
  return [answer](ScriptedPeer& peer) -> Task<void> {
    const std::string preface =
        co_await peer.ReadBytes(internal::kClientPreface.size());
    if (preface.empty()) co_return;
    EXPECT_EQ(preface, internal::kClientPreface);
    co_await peer.Say(Bytes(Frame{testing::kSettings, 0, 0, ""}));
    while (const uint32_t stream = co_await NextRequest(peer)) {
      if (!co_await peer.Say(answer(peer, stream))) co_return;
    }
  };
}

// RFC 9113, section 7.
constexpr uint32_t kNoError = 0;
constexpr uint32_t kInternalError = 2;
constexpr uint32_t kRefusedStream = 7;

TEST_P(HttpClientFaultsTest, SendsAgainWhatTheServerHasRefused) {
  int n_asked = 0;
  RunScripted(
      Answers([&](ScriptedPeer&, uint32_t stream) {
        return ++n_asked == 1 ? Reset(stream, kRefusedStream) : Hello(stream);
      }),
      [&](ScriptedServer& server) -> Task<void> {
        Client client(PriorKnowledge());
        ClientRequest request(Method::kPost, server.url("/"), "x");
        const Fetched fetched = co_await Fetch(client, std::move(request));
        EXPECT_EQ(fetched.body, "hello") << fetched.status;
        EXPECT_EQ(n_asked, 2);
        EXPECT_EQ(client.statistics().retries, 1u);
        EXPECT_EQ(server.n_connections(), 1u);
      });
}

TEST_P(HttpClientFaultsTest, SendsAgainWhatIsAboveTheLastStreamOfAGoaway) {
  RunScripted(
      Answers([&](ScriptedPeer& peer, uint32_t stream) {
        if (peer.number() > 0) return Hello(stream);
        return stream == 3 ? Goaway(1, kNoError) : Hello(stream);
      }),
      [&](ScriptedServer& server) -> Task<void> {
        Client client(PriorKnowledge());
        EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
        ClientRequest request(Method::kPost, server.url("/"), "x");
        const Fetched fetched = co_await Fetch(client, std::move(request));
        EXPECT_EQ(fetched.body, "hello") << fetched.status;
        EXPECT_EQ(server.n_connections(), 2u);
      });
}

TEST_P(HttpClientFaultsTest, RefusesNothingTwice) {
  RunScripted(Answers([&](ScriptedPeer&, uint32_t stream) {
                return Reset(stream, kRefusedStream);
              }),
              [&](ScriptedServer& server) -> Task<void> {
                Client client(PriorKnowledge());
                const Fetched fetched = co_await Fetch(client, server.url("/"));
                EXPECT_TRUE(absl::IsUnavailable(fetched.status))
                    << fetched.status;
                EXPECT_EQ(client.statistics().requests, 2u);
              });
}

TEST_P(HttpClientFaultsTest, FinishesWhatWasBegunBeforeAGoaway) {
  RunScripted(Answers([&](ScriptedPeer& peer, uint32_t stream) {
                if (peer.number() > 0) return Hello(stream);
                return Goaway(stream, kNoError) + Hello(stream);
              }),
              [&](ScriptedServer& server) -> Task<void> {
                Client client(PriorKnowledge());
                for (size_t i = 1; i <= 2; ++i) {
                  const Fetched fetched =
                      co_await Fetch(client, server.url("/"));
                  EXPECT_EQ(fetched.body, "hello") << fetched.status;
                  EXPECT_EQ(server.n_connections(), i);
                }
                EXPECT_EQ(client.statistics().retries, 0u);
              });
}

TEST_P(HttpClientFaultsTest, FailsWithWhatTheServerResets) {
  for (const bool in_body : {false, true}) {
    RunScripted(
        Answers([&](ScriptedPeer&, uint32_t stream) {
          return (in_body ? Head(stream, {{":status", "200"}}) +
                                Data(stream, "a", false)
                          : "") +
                 Reset(stream, kInternalError);
        }),
        [&](ScriptedServer& server) -> Task<void> {
          Client client(PriorKnowledge());
          const Fetched fetched = co_await Fetch(client, server.url("/"));
          EXPECT_TRUE(absl::IsUnavailable(fetched.status)) << fetched.status;
          EXPECT_NE(fetched.status.message().find("INTERNAL_ERROR"),
                    std::string::npos)
              << fetched.status;
          EXPECT_EQ(client.statistics().requests, 1u);
        });
  }
}

// The whole response, though the rest of the request was not wanted.
TEST_P(HttpClientFaultsTest, TakesAResponseThatComesBeforeTheBodyIsSent) {
  RunScripted(Answers([&](ScriptedPeer&, uint32_t stream) {
                return Head(stream, {{":status", "413"}}, true) +
                       Reset(stream, kNoError);
              }),
              [&](ScriptedServer& server) -> Task<void> {
                Client client(PriorKnowledge());
                for (int i = 0; i < 3; ++i) {
                  ClientRequest request(Method::kPost, server.url("/"),
                                        std::string(1 << 20, 'a'));
                  const Fetched fetched =
                      co_await Fetch(client, std::move(request));
                  EXPECT_EQ(fetched.code, 413) << fetched.status;
                }
                EXPECT_EQ(server.n_connections(), 1u);
              });
}

TEST_P(HttpClientFaultsTest, RefusesMalformedResponses) {
  struct Case {
    std::string_view what;
    std::function<std::string(uint32_t)> bytes;
  };
  for (const Case& c : {
           Case{"no status",
                [](uint32_t s) {
                  return Head(s, {{"a", "b"}});
                }},
           Case{"two",
                [](uint32_t s) {
                  return Head(s, {{":status", "200"}, {":status", "200"}});
                }},
           Case{"an upper-case name",
                [](uint32_t s) {
                  return Head(s, {{":status", "200"}, {"A", "b"}});
                }},
           Case{"Connection",
                [](uint32_t s) {
                  return Head(s, {{":status", "200"}, {"connection", "close"}});
                }},
           Case{"a value with a line break",
                [](uint32_t s) {
                  return Head(s, {{":status", "200"}, {"a", "b\r\nc: d"}});
                }},
           Case{"101",
                [](uint32_t s) {
                  return Head(s, {{":status", "101"}});
                }},
           Case{"more than its length",
                [](uint32_t s) {
                  return Head(s,
                              {{":status", "200"}, {"content-length", "1"}}) +
                         Data(s, "ab");
                }},
           Case{"less than its length",
                [](uint32_t s) {
                  return Head(s,
                              {{":status", "200"}, {"content-length", "3"}}) +
                         Data(s, "ab");
                }},
           Case{"a body before the head",
                [](uint32_t s) { return Data(s, "ab"); }},
           Case{"a push",
                [](uint32_t s) {
                  return Bytes(Frame{testing::kPushPromise,
                                     testing::kEndHeaders, s,
                                     Big(2, 4) + Block(testing::GetFields())});
                }},
           Case{"a frame that is too long",
                [](uint32_t s) { return Data(s, std::string(20'000, 'a')); }},
           Case{
               "no frame",
               [](uint32_t) { return std::string("HTTP/1.1 200 OK\r\n\r\n"); }},
       }) {
    RunScripted(Answers([&](ScriptedPeer&, uint32_t s) { return c.bytes(s); }),
                [&](ScriptedServer& server) -> Task<void> {
                  Client client(PriorKnowledge());
                  const Fetched fetched =
                      co_await Fetch(client, server.url("/"));
                  EXPECT_TRUE(absl::IsDataLoss(fetched.status))
                      << c.what << ": " << fetched.status;
                  EXPECT_EQ(fetched.body, "");
                });
  }
}

TEST_P(HttpClientFaultsTest, HasLimitsOfHeadsAndTrailers) {
  ClientOptions options = PriorKnowledge();
  options.response.header_bytes = 100;
  options.response.header_count = 3;
  options.response.informational_count = 2;
  struct Case {
    std::string_view limit;
    std::function<std::string(uint32_t)> bytes;
  };
  const std::string large(100, 'a');
  for (const Case& c : {
           Case{"ResponseLimits::header_bytes",
                [&](uint32_t s) {
                  return Head(s, {{":status", "200"}, {"a", large}}, true);
                }},
           Case{"ResponseLimits::header_count",
                [&](uint32_t s) {
                  return Head(s,
                              {{":status", "200"},
                               {"a", ""},
                               {"a", ""},
                               {"a", ""},
                               {"a", ""}},
                              true);
                }},
           Case{"ResponseLimits::header_bytes",
                [&](uint32_t s) {
                  return Head(s, {{":status", "200"}}) + Data(s, "a", false) +
                         Head(s, {{"a", large}}, true);
                }},
           Case{"ResponseLimits::informational_count",
                [&](uint32_t s) {
                  const std::string hint = Head(s, {{":status", "103"}});
                  return hint + hint + hint + Hello(s);
                }},
       }) {
    RunScripted(
        Answers([&](ScriptedPeer&, uint32_t s) { return c.bytes(s); }),
        [&](ScriptedServer& server) -> Task<void> {
          Client client(options);
          const Fetched fetched = co_await Fetch(client, server.url("/"));
          EXPECT_TRUE(absl::IsResourceExhausted(fetched.status))
              << fetched.status;
          EXPECT_NE(fetched.status.message().find(c.limit), std::string::npos)
              << fetched.status;
          EXPECT_EQ(server.n_connections(), 1u);
        });
  }
}

TEST_P(HttpClientFaultsTest, KnowsAConnectionThatWasCut) {
  const std::string whole = Hello(1);
  RunScripted(
      [&](ScriptedPeer& peer) -> Task<void> {
        co_await peer.ReadBytes(internal::kClientPreface.size());
        co_await peer.Say(Bytes(Frame{testing::kSettings, 0, 0, ""}));
        co_await NextRequest(peer);
        co_await peer.Say(whole.substr(0, peer.number()));
      },
      [&](ScriptedServer& server) -> Task<void> {
        Client client(PriorKnowledge());
        for (size_t n = 0; n <= whole.size(); ++n) {
          const Fetched fetched = co_await Fetch(client, server.url("/"));
          EXPECT_EQ(fetched.status.code(), n == whole.size()
                                               ? absl::StatusCode::kOk
                                               : absl::StatusCode::kUnavailable)
              << n << " bytes: " << fetched.status;
          EXPECT_EQ(server.n_connections(), n + 1);
        }
      });
}

Task<void> ExpectLate(Client& client, ClientRequest request,
                      std::string_view option) {
  Task<Fetched> fetch = Fetch(client, std::move(request));
  const Fetched fetched = co_await std::move(fetch);
  EXPECT_TRUE(absl::IsDeadlineExceeded(fetched.status)) << fetched.status;
  EXPECT_NE(fetched.status.message().find(option), std::string::npos)
      << option << fetched.status;
}

ClientOptions Hasty() {
  ClientOptions options = PriorKnowledge();
  options.head_timeout = options.body_timeout = options.write_timeout =
      options.place_timeout = absl::Milliseconds(40);
  return options;
}

TEST_P(HttpClientFaultsTest, HasDeadlinesForResponses) {
  for (const bool in_body : {false, true}) {
    RunScripted(
        Answers([&](ScriptedPeer&, uint32_t stream) {
          return in_body ? Head(stream, {{":status", "200"}}) : std::string();
        }),
        [&](ScriptedServer& server) -> Task<void> {
          Client client(Hasty());
          ClientRequest request(Method::kGet, server.url("/"));
          co_await ExpectLate(client, std::move(request),
                              in_body ? "body_timeout" : "head_timeout");
        });
  }
}

// A server that takes no bodies, or no requests at all.
TEST_P(HttpClientFaultsTest, HasDeadlinesForRequests) {
  for (const bool no_window : {false, true}) {
    for (const bool streamed : {false, true}) {
      RunScripted(
          [&](ScriptedPeer& peer) -> Task<void> {
            co_await peer.ReadBytes(internal::kClientPreface.size());
            co_await peer.Say(
                Bytes(Frame{testing::kSettings, 0, 0,
                            testing::Setting(no_window ? 4 : 3, 0)}));
            co_await peer.ReadToEnd();
          },
          [&](ScriptedServer& server) -> Task<void> {
            Client client(Hasty());
            // Learns the settings.
            JoinHandle<Fetched> first = Spawn(Fetch(client, server.url("/")));
            (co_await Sleep(absl::Milliseconds(20))).IgnoreError();
            ClientRequest request(Method::kPost, server.url("/"));
            if (streamed) {
              request.write_body = [](BodyWriter& body) -> Task<absl::Status> {
                const std::string large(100'000, 'a');
                co_return co_await body.Write(large);
              };
            } else {
              request.body = std::string(100'000, 'a');
            }
            co_await ExpectLate(client, std::move(request),
                                no_window ? "write_timeout" : "place_timeout");
            (co_await first).status().IgnoreError();
          });
    }
  }
}

// A server that has vanished: the next request goes elsewhere.
TEST_P(HttpClientFaultsTest, LeavesAConnectionThatHasGoneSilent) {
  RunScripted(
      Answers([&](ScriptedPeer& peer, uint32_t stream) {
        if (peer.number() == 0 && stream > 1) return std::string();
        return Hello(stream);
      }),
      [&](ScriptedServer& server) -> Task<void> {
        ClientOptions options = PriorKnowledge();
        options.head_timeout = absl::Milliseconds(20);
        Client client(options);
        EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
        EXPECT_TRUE(absl::IsDeadlineExceeded(
            (co_await Fetch(client, server.url("/"))).status));
        EXPECT_EQ((co_await Fetch(client, server.url("/"))).body, "hello");
        EXPECT_EQ(server.n_connections(), 2u);
      });
}

TEST_P(HttpClientFaultsTest, EndsAConnectionThatIsFlooded) {
  std::string pings;
  for (int i = 0; i < 2'000; ++i)
    pings += Bytes(Frame{testing::kPing, 0, 0, "12345678"});
  RunScripted(Answers([&](ScriptedPeer&, uint32_t) { return pings; }),
              [&](ScriptedServer& server) -> Task<void> {
                Client client(PriorKnowledge());
                const Fetched fetched = co_await Fetch(client, server.url("/"));
                EXPECT_TRUE(absl::IsResourceExhausted(fetched.status))
                    << fetched.status;
              });
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientFaultsTest);

}  // namespace
}  // namespace ringway::http
