// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/server_session.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/http/http2/testing/client_for_test.h"
#include "ringway/http/http2/testing/frames.h"
#include "ringway/http/http2/testing/session_for_test.h"

namespace ringway::http {
namespace {

using testing::ClientForTest;
using testing::Fields;
using testing::GetFields;
using testing::SessionForTest;
using testing::StreamForTest;

Fields PostFields() {
  Fields fields = GetFields();
  fields[0].second = "POST";
  return fields;
}

// Text in which no two pieces are alike.
std::string Content(size_t n_bytes, int seed) {
  std::string text;
  for (uint32_t i = 0; text.size() < n_bytes; ++i) {
    text += std::to_string(i * 7 + static_cast<uint32_t>(seed));
    text += ' ';
  }
  text.resize(n_bytes);
  return text;
}

TEST(ServerSession, AnswersARequest) {
  SessionForTest server;
  ClientForTest client;
  Fields fields = GetFields();
  fields[2].second = "/a/b?q=1";
  fields.emplace_back("accept", "text/html");
  const int32_t id = client.Request(fields);
  client.Exchange(server);

  const RequestHead& head = server.stream(id).head();
  EXPECT_EQ(head.method, Method::kGet);
  EXPECT_EQ(head.version, Version::kHttp2);
  EXPECT_EQ(head.target.path, "/a/b");
  EXPECT_EQ(head.target.query, "q=1");
  EXPECT_EQ(head.headers.Find("Host"), "test");
  EXPECT_EQ(head.headers.Find("Accept"), "text/html");
  EXPECT_TRUE(server.stream(id).body_ended());
  EXPECT_FALSE(head.chunked);
  EXPECT_EQ(client.response(id).status, 200);
  EXPECT_EQ(client.response(id).body, "ok");
  EXPECT_EQ(client.response(id).headers.at("content-length"), "2");
  EXPECT_TRUE(client.response(id).closed);
  EXPECT_TRUE(server.stream(id).closed());
  EXPECT_EQ(server.stream(id).close_code(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(server.session.begun());
  EXPECT_FALSE(server.session.done());
}

TEST(ServerSession, TakesBytesInAnyPieces) {
  SessionForTest server;
  ClientForTest client;
  const int32_t id = client.Request(PostFields(), Content(1000, 1));
  client.Exchange(server, /*piece=*/1);
  EXPECT_EQ(server.stream(id).body, Content(1000, 1));
  EXPECT_EQ(client.response(id).body, "ok");
}

TEST(ServerSession, LeavesOutWhatIsAboutConnections) {
  SessionForTest server;
  ClientForTest client;
  server.on_request = [&](StreamForTest& stream) {
    Headers headers;
    headers.Set("Connection", "close");
    headers.Set("Keep-Alive", "5");
    headers.Set("Transfer-Encoding", "chunked");
    headers.Set("Upgrade", "x");
    headers.Set("Proxy-Connection", "close");
    headers.Set("X-Mixed-Case", "Yes");
    headers.Set("Date", "mine");
    internal::AddedFields added;
    added.server = "ringway";
    added.date = "ours";
    server.session.Respond(stream, 204, headers, added, /*has_body=*/false);
  };
  const int32_t id = client.Get("/");
  client.Exchange(server);
  const auto expected = std::map<std::string, std::string>{
      {"date", "mine"}, {"server", "ringway"}, {"x-mixed-case", "Yes"}};
  EXPECT_EQ(client.response(id).headers, expected);
  EXPECT_EQ(client.response(id).status, 204);
  EXPECT_TRUE(client.response(id).closed);
}

TEST(ServerSession, SendsInformationalResponsesFirst) {
  SessionForTest server;
  ClientForTest client;
  server.on_request = [&](StreamForTest& stream) {
    Headers hints;
    hints.Set("Link", "</style.css>");
    server.session.Inform(stream, 103, hints);
    server.session.Inform(stream, 100, Headers());
    server.Answer(stream);
  };
  const int32_t id = client.Get("/");
  client.Exchange(server);
  EXPECT_EQ(client.response(id).informational, (std::vector<int>{103, 100}));
  EXPECT_EQ(client.response(id).status, 200);
}

TEST(ServerSession, CarriesTrailersBothWays) {
  SessionForTest server;
  ClientForTest client;
  server.on_request = [](StreamForTest&) {};
  server.on_body = [&](StreamForTest& stream) {
    server.Read(stream, SIZE_MAX);
    if (!stream.body_ended()) return;
    stream.trailers_to_send.Set("X-Sum", "7");
    server.AnswerWith(stream, "body");
  };
  const int32_t id =
      client.Request(PostFields(), "12345", {{"x-check", "abc"}});
  const int32_t empty = client.Request(PostFields(), "", {{"x-check", "def"}});
  client.Exchange(server);
  EXPECT_EQ(server.stream(id).trailers().Find("X-Check"), "abc");
  EXPECT_EQ(server.stream(empty).trailers().Find("X-Check"), "def");
  EXPECT_EQ(client.response(id).body, "body");
  EXPECT_EQ(client.response(id).trailers.at("x-sum"), "7");
  EXPECT_TRUE(client.response(id).closed);
}

TEST(ServerSession, SendsTrailersAfterNoBody) {
  SessionForTest server;
  ClientForTest client;
  server.on_request = [&](StreamForTest& stream) {
    stream.trailers_to_send.Set("X-Sum", "0");
    server.session.Respond(stream, 200, Headers(), internal::AddedFields(),
                           /*has_body=*/true);
    server.session.End(stream, stream.trailers_to_send);
  };
  const int32_t id = client.Get("/");
  client.Exchange(server);
  EXPECT_EQ(client.response(id).trailers.at("x-sum"), "0");
  EXPECT_TRUE(client.response(id).closed);
}

TEST(ServerSession, OpensTheWindowOnlyAsTheBodyIsRead) {
  Http2Limits limits;
  limits.stream_window_bytes = 1000;
  SessionForTest server(limits);
  ClientForTest client;
  server.on_body = [](StreamForTest&) {};
  server.on_request = [](StreamForTest&) {};
  client.Exchange(server);  // the settings
  const int32_t id = client.Request(PostFields(), Content(5000, 3));
  client.Exchange(server);
  EXPECT_EQ(server.stream(id).unread_bytes(), 1000u);
  EXPECT_FALSE(server.stream(id).body_ended());
  server.Read(server.stream(id), 1000);
  client.Exchange(server);
  EXPECT_EQ(server.stream(id).unread_bytes(), 1000u);
  while (server.stream(id).unread_bytes() > 0) {
    server.Read(server.stream(id), 700);
    client.Exchange(server);
    EXPECT_LE(server.stream(id).unread_bytes(), 1000u);
  }
  EXPECT_EQ(server.stream(id).body, Content(5000, 3));
  EXPECT_TRUE(server.stream(id).body_ended());
}

TEST(ServerSession, WorksWithWindowsOfOneByte) {
  Http2Limits limits;
  limits.stream_window_bytes = 1;
  SessionForTest server(limits);
  ClientForTest client(/*window=*/1);
  client.Exchange(server);
  server.on_request = [](StreamForTest&) {};
  server.on_body = [&](StreamForTest& stream) {
    EXPECT_LE(stream.unread_bytes(), 1u);
    server.Read(stream, SIZE_MAX);
    if (stream.body_ended()) server.AnswerWith(stream, stream.body);
  };
  const int32_t id = client.Request(PostFields(), Content(300, 5));
  client.Exchange(server);
  EXPECT_EQ(client.response(id).body, Content(300, 5));
  EXPECT_EQ(client.response(id).chunks, std::vector<size_t>(300, 1));
  EXPECT_TRUE(client.response(id).closed);
}

TEST(ServerSession, WaitsForTheWindowOfTheClient) {
  SessionForTest server;
  ClientForTest client(/*window=*/10, /*opens=*/false);
  client.Exchange(server);
  server.on_request = [&](StreamForTest& stream) {
    server.AnswerWith(stream, Content(10'000, 2));
  };
  const int32_t id = client.Get("/");
  client.Exchange(server);
  EXPECT_EQ(client.response(id).body, Content(10'000, 2).substr(0, 10));
  EXPECT_EQ(server.stream(id).unsent_bytes(), 9990u);
  client.Open(id, 90);
  client.Exchange(server);
  EXPECT_EQ(client.response(id).body.size(), 100u);
  client.Open(id, 100'000);
  client.Exchange(server);
  EXPECT_EQ(client.response(id).body, Content(10'000, 2));
  EXPECT_TRUE(server.stream(id).response_sent());
}

TEST(ServerSession, SendsNoMoreThanItsLimit) {
  SessionForTest server;
  ClientForTest client(/*window=*/1 << 30, /*opens=*/false);
  client.Open(0, 1 << 30);
  client.Exchange(server);
  server.on_request = [](StreamForTest&) {};
  const int32_t id = client.Get("/");
  client.Exchange(server);
  server.AnswerWith(server.stream(id), Content(1 << 20, 4));
  std::string out;
  server.session.Send(out, 50'000);
  EXPECT_GE(out.size(), 50'000u);
  EXPECT_LT(out.size(),
            50'000 + internal::ServerSession::kFrameBytes + size_t{64});
  EXPECT_TRUE(server.session.has_output());
}

TEST(ServerSession, InterleavesStreams) {
  constexpr int kStreams = 50;
  SessionForTest server;
  ClientForTest client;
  server.on_request = [](StreamForTest&) {};
  server.on_body = [&](StreamForTest& stream) {
    server.Read(stream, SIZE_MAX);
    if (stream.body_ended()) server.AnswerWith(stream, stream.body + "!");
  };
  std::vector<int32_t> ids;
  for (int i = 0; i < kStreams; ++i) {
    ids.push_back(client.Request(PostFields(),
                                 Content(static_cast<size_t>(i) * 4001, i)));
  }
  client.Exchange(server, /*piece=*/1777);
  for (int i = 0; i < kStreams; ++i) {
    EXPECT_EQ(client.response(ids[static_cast<size_t>(i)]).body,
              Content(static_cast<size_t>(i) * 4001, i) + "!");
  }
}

// In one Send() all streams get their share.
TEST(ServerSession, IsFairToStreams) {
  SessionForTest server;
  ClientForTest client(/*window=*/1 << 30, /*opens=*/false);
  client.Open(0, 1 << 30);
  server.on_request = [](StreamForTest&) {};
  std::vector<int32_t> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(client.Get("/"));
  client.Exchange(server);
  for (const int32_t id : ids)
    server.AnswerWith(server.stream(id), Content(1 << 20, id));
  std::string out;
  server.session.Send(out, size_t{16} * internal::ServerSession::kFrameBytes);
  std::map<uint32_t, size_t> n_bytes;
  for (const testing::Frame& frame : testing::Parse(out)) {
    if (frame.type == testing::kData)
      n_bytes[frame.stream] += frame.payload.size();
  }
  ASSERT_EQ(n_bytes.size(), 4u);
  for (const auto& [id, n] : n_bytes)
    EXPECT_GE(n, size_t{3} * internal::ServerSession::kFrameBytes) << id;
}

TEST(ServerSession, ForgetsAStreamThatTheClientResets) {
  SessionForTest server;
  ClientForTest client(/*window=*/100, /*opens=*/false);
  client.Exchange(server);
  server.on_request = [&](StreamForTest& stream) {
    server.AnswerWith(stream, Content(100'000, 1));
  };
  const int32_t id = client.Get("/");
  client.Exchange(server);
  client.Reset(id);
  client.Exchange(server);
  EXPECT_TRUE(server.stream(id).closed());
  EXPECT_EQ(server.stream(id).close_code(), NGHTTP2_CANCEL);
  // All functions of a closed stream do nothing.
  server.session.Reset(server.stream(id), NGHTTP2_CANCEL);
  server.session.End(server.stream(id), Headers());
  server.session.Release(server.stream(id));
  const int32_t next = client.Get("/");
  client.Exchange(server);
  EXPECT_EQ(client.response(next).status, 200);
}

// The window of the connection comes back though no handler has read.
TEST(ServerSession, GivesTheWindowBackOfWhatIsReleasedUnread) {
  Http2Limits limits;
  limits.connection_window_bytes = 65535;
  SessionForTest server(limits);
  ClientForTest client;
  client.Exchange(server);
  server.on_request = [](StreamForTest&) {};
  server.on_body = [](StreamForTest&) {};
  for (int i = 0; i < 20; ++i) {
    const int32_t id = client.Request(PostFields(), Content(60'000, i));
    client.Exchange(server);
    StreamForTest& stream = server.stream(id);
    EXPECT_EQ(stream.unread_bytes(), 60'000u) << i;
    server.session.Reset(stream, NGHTTP2_CANCEL);
    server.session.Release(stream);
    client.Exchange(server);
    EXPECT_TRUE(client.response(id).closed);
  }
}

TEST(ServerSession, ResetsAStreamWhoseBytesWereTakenBack) {
  SessionForTest server;
  ClientForTest client(/*window=*/100, /*opens=*/false);
  client.Exchange(server);
  server.on_request = [](StreamForTest&) {};
  const int32_t id = client.Get("/");
  client.Exchange(server);
  StreamForTest& stream = server.stream(id);
  server.session.Respond(stream, 200, Headers(), internal::AddedFields(),
                         /*has_body=*/true);
  {
    const std::string bytes = Content(100'000, 1);
    EXPECT_FALSE(server.session.Give(stream, std::as_bytes(std::span(bytes))));
    client.Exchange(server);
    server.session.TakeBack(stream);
  }
  server.session.Reset(stream, NGHTTP2_INTERNAL_ERROR);
  client.Open(id, 100'000);
  client.Exchange(server);
  EXPECT_EQ(client.response(id).close_code, NGHTTP2_INTERNAL_ERROR);
  EXPECT_EQ(client.response(id).body.size(), 100u);
}

// Each way that a stream can end, after each number of bytes of an exchange.
TEST(ServerSession, SurvivesResetsAtAnyTime) {
  for (int steps = 0; steps < 40; ++steps) {
    for (const bool by_client : {true, false}) {
      SessionForTest server;
      ClientForTest client(/*window=*/5000, /*opens=*/false);
      client.Exchange(server);
      server.on_request = [](StreamForTest&) {};
      server.on_body = [&](StreamForTest& s) { server.Read(s, 100); };
      const int32_t id = client.Request(PostFields(), Content(70'000, 1));
      for (int i = 0; i < steps; ++i) {
        client.Exchange(server, 997);
        StreamForTest& stream = server.stream(id);
        if (i == 3) {
          server.session.Respond(stream, 200, Headers(),
                                 internal::AddedFields(), /*has_body=*/true);
        }
        if (i > 3 && stream.unsent_bytes() == 0) {
          stream.response = Content(8000, i);
          server.session.Give(stream,
                              std::as_bytes(std::span(stream.response)));
        }
        if (i % 5 == 0) client.Open(id, 3000);
        server.Read(stream, 3000);
      }
      if (by_client) {
        client.Reset(id);
      } else if (steps > 0) {
        server.session.Reset(server.stream(id), NGHTTP2_CANCEL);
      }
      client.Exchange(server, 997);
      if (by_client || steps > 0) EXPECT_TRUE(client.response(id).closed);
      const int32_t next = client.Get("/");
      server.on_request = [&](StreamForTest& s) { server.Answer(s); };
      client.Exchange(server);
      EXPECT_EQ(client.response(next).body, "ok") << steps;
    }
  }
}

TEST(ServerSession, ShutsDownWithoutLosingRequests) {
  SessionForTest server;
  ClientForTest client;
  server.on_request = [](StreamForTest&) {};
  const int32_t first = client.Get("/1");
  client.Exchange(server);
  server.session.BeginShutdown();
  const int32_t second = client.Get("/2");  // on its way
  client.Exchange(server);
  EXPECT_TRUE(server.session.shutdown_acknowledged());
  EXPECT_EQ(client.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_EQ(client.goaway_last(), INT32_MAX);
  server.session.EndShutdown();
  client.Exchange(server);
  EXPECT_EQ(client.goaway_last(), second);
  EXPECT_FALSE(server.session.done());
  server.Answer(server.stream(first));
  server.Answer(server.stream(second));
  client.Exchange(server);
  EXPECT_EQ(client.response(first).body, "ok");
  EXPECT_EQ(client.response(second).body, "ok");
  EXPECT_TRUE(server.session.done());
  EXPECT_TRUE(server.session.status().ok());
}

TEST(ServerSession, EndsWithTheClientsGoaway) {
  SessionForTest server;
  ClientForTest client;
  server.on_request = [](StreamForTest&) {};
  const int32_t id = client.Get("/1");
  client.Exchange(server);
  nghttp2_submit_goaway(client.session(), 0, 0, NGHTTP2_NO_ERROR, nullptr, 0);
  client.Exchange(server);
  EXPECT_FALSE(server.session.done());
  server.Answer(server.stream(id));
  client.Exchange(server);
  EXPECT_EQ(client.response(id).body, "ok");
  EXPECT_TRUE(server.session.done());
}

}  // namespace
}  // namespace ringway::http
