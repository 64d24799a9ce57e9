// SPDX-License-Identifier: Apache-2.0
//
// A ClientSession and a ServerSession in memory: requests and responses in
// pieces of any size, windows, and the end of streams.

#include "ringway/http/http2/client/client_session.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/http/http2/testing/session_for_test.h"

namespace ringway::http {
namespace {

using internal::ClientSession;
using internal::ClientStream;
using internal::Framing;
using testing::SessionForTest;
using testing::StreamForTest;

// Keeps what happened to it.
class Call final : public ClientStream {
 public:
  Call(const ResponseLimits& limits, ClientSession& session)
      : ClientStream(limits), session_(session) {}

  // Reads what has arrived.
  void Read(size_t most = SIZE_MAX) {
    std::string buffer(std::min(most, unread_bytes()), '\0');
    session_.ReadBody(*this, std::as_writable_bytes(std::span(buffer)));
    body += buffer;
  }

  bool reads = true;  // at once
  std::string body;
  size_t n_closed = 0;

 private:
  void OnChange() override {}
  void OnSent() override {}
  void OnClosed() override { ++n_closed; }

  ClientSession& session_;
};

class Pair {
 public:
  explicit Pair(const Http2ClientLimits& client_limits = Http2ClientLimits(),
                const Http2Limits& server_limits = Http2Limits())
      : limits_(client_limits),
        client(response_limits_, limits_),
        server(server_limits) {}

  Call& Ask(OutgoingRequest request, std::string_view body = {}) {
    if (!body.empty()) {
      request.framing = Framing::kLength;
      request.content_length = body.size();
    }
    calls.push_back(std::make_unique<Call>(response_limits_, client));
    Call& call = *calls.back();
    EXPECT_TRUE(client.Request(call, request, !body.empty()));
    if (!body.empty()) {
      client.Give(call, std::as_bytes(std::span(body)));
      client.End(call, Headers());
    }
    return call;
  }
  Call& Get(std::string_view path) {
    return Ask(OutgoingRequest(Method::kGet, path, "test", none_));
  }

  // Moves bytes both ways until there are none.
  void Exchange(size_t piece = SIZE_MAX) {
    while (true) {
      std::string out;
      client.Send(out, 65536);
      for (size_t at = 0; at < out.size(); at += std::min(piece, out.size()))
        server.Receive(std::string_view(out).substr(at, piece));
      const std::string back = server.Send();
      for (size_t at = 0; at < back.size(); at += std::min(piece, back.size()))
        client.Receive(std::string_view(back).substr(at, piece), server.now);
      for (const auto& call : calls) {
        if (call->reads) call->Read();
      }
      if (out.empty() && back.empty()) break;
    }
  }

 private:
  const ResponseLimits response_limits_;
  const Http2ClientLimits limits_;
  const Headers none_;

 public:
  std::vector<std::unique_ptr<Call>> calls;
  ClientSession client;
  SessionForTest server;
};

TEST(ClientSession, AsksAndGetsAResponse) {
  for (const size_t piece : {size_t{1}, size_t{7}, SIZE_MAX}) {
    Pair pair;
    Headers headers;
    headers.Add("Mixed-Case", "value");
    headers.Add("Host", "virtual");
    OutgoingRequest request(Method::kGet, "/path?query", "test", headers);
    request.user_agent = "agent";
    Call& call = pair.Ask(request);
    pair.Exchange(piece);
    const RequestHead& head = pair.server.stream(call.id()).head();
    EXPECT_EQ(head.method, Method::kGet);
    EXPECT_EQ(head.target_text, "/path?query");
    EXPECT_EQ(head.headers.Find("host"), "virtual");
    EXPECT_EQ(head.headers.Find("mixed-case"), "value");
    EXPECT_EQ(head.headers.Find("user-agent"), "agent");
    EXPECT_TRUE(call.opened());
    EXPECT_TRUE(call.request_sent());
    EXPECT_TRUE(call.head_done());
    EXPECT_EQ(call.head().status_code, 200);
    EXPECT_EQ(call.head().version, Version::kHttp2);
    EXPECT_TRUE(call.body_ended());
    EXPECT_EQ(call.body, "ok");
    EXPECT_TRUE(call.error().ok()) << call.error();
    EXPECT_EQ(call.n_closed, 1u);
  }
}

TEST(ClientSession, SendsABodyOfAnySize) {
  for (const size_t n : {1, 4096, 4097, 16384, 70'000, 1'000'000}) {
    Pair pair;
    std::string body(n, 'b');
    for (size_t i = 0; i < n; i += 101)
      body[i] = static_cast<char>('a' + i % 26);
    const Headers none;
    Call& call =
        pair.Ask(OutgoingRequest(Method::kPost, "/", "test", none), body);
    pair.Exchange();
    EXPECT_TRUE(pair.server.stream(call.id()).body == body) << n;
    EXPECT_TRUE(call.request_sent());
    EXPECT_EQ(call.n_closed, 1u);
  }
}

// What is not read waits at the server, not here.
TEST(ClientSession, BoundsWhatWaitsToBeRead) {
  Http2ClientLimits limits;
  limits.stream_window_bytes = 1000;
  limits.connection_window_bytes = 65535;
  Pair pair(limits);
  const std::string large(300'000, 'l');
  pair.server.on_request = [&](StreamForTest& stream) {
    pair.server.AnswerWith(stream, large);
  };
  Call& slow = pair.Get("/");
  slow.reads = false;
  pair.Exchange();
  EXPECT_EQ(slow.unread_bytes(), 1000u);
  // Others are not kept out.
  Call& fast = pair.Get("/");
  pair.Exchange();
  EXPECT_EQ(fast.body.size(), large.size());
  EXPECT_EQ(slow.unread_bytes(), 1000u);
  slow.reads = true;
  slow.Read();
  pair.Exchange();
  EXPECT_TRUE(slow.body == large);
  EXPECT_TRUE(slow.body_ended());
}

// Unread bytes of streams that are dropped do not count for ever.
TEST(ClientSession, DroppedStreamsGiveTheirWindowsBack) {
  Http2ClientLimits limits;
  limits.stream_window_bytes = 60'000;
  limits.connection_window_bytes = 65535;
  Pair pair(limits);
  pair.server.on_request = [&](StreamForTest& stream) {
    pair.server.AnswerWith(stream, std::string(300'000, 'l'));
  };
  for (int i = 0; i < 20; ++i) {
    Call& call = pair.Get("/");
    call.reads = false;
    pair.Exchange();
    EXPECT_EQ(call.unread_bytes(), 60'000u) << i;
    pair.client.Reset(call);
    pair.client.Release(call);
    pair.Exchange();
    EXPECT_TRUE(pair.server.stream(call.id()).closed());
    pair.calls.clear();
  }
}

TEST(ClientSession, WaitsUntilTheServerTakesOneMore) {
  Http2Limits limits;
  limits.max_streams = 2;
  Pair pair(Http2ClientLimits(), limits);
  pair.server.on_request = [](StreamForTest&) {};
  pair.Get("/");
  pair.Exchange();
  pair.Get("/");
  Call& third = pair.Get("/");
  pair.Exchange();
  EXPECT_FALSE(third.opened());
  pair.server.Answer(pair.server.stream(1));
  pair.Exchange();
  EXPECT_TRUE(third.opened());
  // One that waits may be given up.
  Call& fourth = pair.Get("/");
  pair.Exchange();
  EXPECT_FALSE(fourth.opened());
  pair.client.Reset(fourth);
  pair.client.Release(fourth);
  pair.server.Answer(pair.server.stream(third.id()));
  pair.Exchange();
  EXPECT_EQ(pair.server.n_requests, 3u);
}

TEST(ClientSession, KnowsWhatAGoawayHasRefused) {
  Pair pair;
  pair.server.on_request = [](StreamForTest&) {};
  Call& taken = pair.Get("/");
  pair.Exchange();
  pair.server.session.EndShutdown();
  Call& late = pair.Get("/");  // the GOAWAY is on its way
  pair.Exchange();
  EXPECT_FALSE(pair.client.accepts());
  EXPECT_TRUE(late.closed());
  EXPECT_TRUE(late.refused());
  EXPECT_FALSE(taken.closed());
  pair.server.Answer(pair.server.stream(taken.id()));
  pair.Exchange();
  EXPECT_EQ(taken.body, "ok");
  EXPECT_TRUE(pair.client.done());
  const ResponseLimits limits;
  Call never(limits, pair.client);
  const Headers none;
  EXPECT_FALSE(pair.client.Request(
      never, OutgoingRequest(Method::kGet, "/", "test", none), false));
}

TEST(ClientSession, EndsAfterTheStreamsThatAreOpen) {
  Pair pair;
  pair.server.on_request = [](StreamForTest&) {};
  Call& call = pair.Get("/");
  pair.Exchange();
  pair.client.EndShutdown();
  pair.Exchange();
  EXPECT_FALSE(pair.client.accepts());
  EXPECT_FALSE(pair.client.done());
  pair.server.Answer(pair.server.stream(call.id()));
  pair.Exchange();
  EXPECT_EQ(call.body, "ok");
  EXPECT_TRUE(pair.client.done());
  EXPECT_TRUE(pair.client.status().ok()) << pair.client.status();
}

TEST(ClientSession, TellsStreamsThatTheConnectionIsLost) {
  Pair pair;
  pair.server.on_request = [](StreamForTest&) {};
  Call& call = pair.Get("/");
  pair.Exchange();
  pair.client.Abandon(call, absl::UnavailableError("lost"));
  EXPECT_EQ(call.n_closed, 1u);
  EXPECT_EQ(call.error(), absl::UnavailableError("lost"));
  pair.client.Abandon(call, absl::UnavailableError("again"));
  EXPECT_EQ(call.n_closed, 1u);
}

}  // namespace
}  // namespace ringway::http
