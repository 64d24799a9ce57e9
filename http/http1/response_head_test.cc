// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/response_head.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

std::string HeadOf(int status_code, const Headers& headers,
                   const ConnectionFields& fields) {
  std::string bytes = "before ";
  AppendResponseHead(status_code, headers, fields, bytes);
  return bytes.substr(7);
}

TEST(ResponseHead, HasTheLengthOfTheBody) {
  ConnectionFields fields;
  fields.content_length = 18446744073709551615u;
  EXPECT_EQ(HeadOf(200, Headers(), fields),
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n");
}

TEST(ResponseHead, HasThePhraseOfItsStatus) {
  EXPECT_EQ(HeadOf(404, Headers(), ConnectionFields()),
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseHead, HasTheFieldsOfTheHandlerInTheirOrder) {
  Headers headers;
  headers.Add("B", "1");
  headers.Add("A", "2");
  headers.Add("B", "");
  ConnectionFields fields;
  fields.server = "s";
  fields.date = "d";
  fields.default_type = true;
  fields.framing = Framing::kChunked;
  fields.close = true;
  EXPECT_EQ(HeadOf(200, headers, fields),
            "HTTP/1.1 200 OK\r\nB: 1\r\nA: 2\r\nB: \r\n"
            "Content-Type: text/plain; charset=utf-8\r\nServer: s\r\n"
            "Date: d\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
            "\r\n");
}

// Room for a head is reckoned before it is written: each combination of what it
// may have must fit.
TEST(ResponseHead, HasRoomForAllThatItSays) {
  const std::string text(300, 'x');
  for (int i = 0; i < 4 * 64; ++i) {
    const auto is = [&](int bit) { return ((i >> bit) & 1) != 0; };
    ConnectionFields fields;
    fields.framing = static_cast<Framing>(i & 3);
    fields.content_length = 18446744073709551615u;
    fields.close = is(2);
    fields.keep_alive = is(3);
    fields.default_type = is(4);
    if (is(5)) fields.server = text;
    if (is(6)) fields.date = text;
    Headers headers;
    if (is(7)) headers.Add("Upgrade", text);

    std::string expected = "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    if (is(7)) expected += "Upgrade: " + text + "\r\n";
    if (is(4)) expected += "Content-Type: text/plain; charset=utf-8\r\n";
    if (is(5)) expected += "Server: " + text + "\r\n";
    if (is(6)) expected += "Date: " + text + "\r\n";
    if (fields.framing == Framing::kLength)
      expected += "Content-Length: 18446744073709551615\r\n";
    if (fields.framing == Framing::kChunked)
      expected += "Transfer-Encoding: chunked\r\n";
    if (is(7)) expected += "Connection: Upgrade\r\n";
    if (is(2)) expected += "Connection: close\r\n";
    if (is(3) && !is(2)) expected += "Connection: keep-alive\r\n";
    EXPECT_EQ(HeadOf(431, headers, fields), expected + "\r\n");
  }
}

// RFC 9110, section 7.8: who sends an Upgrade says so in Connection.
TEST(ResponseHead, NamesAnUpgrade) {
  Headers headers;
  headers.Add("upgrade", "websocket");
  ConnectionFields fields;
  fields.framing = Framing::kNone;
  EXPECT_EQ(HeadOf(101, headers, fields),
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n"
            "Connection: Upgrade\r\n\r\n");
  fields.close = true;
  EXPECT_EQ(HeadOf(426, headers, fields),
            "HTTP/1.1 426 Upgrade Required\r\nupgrade: websocket\r\n"
            "Connection: Upgrade\r\nConnection: close\r\n\r\n");
}

TEST(ResponseHead, HasWhatTheHandlerSaysInsteadOfTheDefaults) {
  Headers headers;
  headers.Add("date", "D");
  headers.Add("SERVER", "S");
  headers.Add("content-type", "T");
  ConnectionFields fields;
  fields.server = "s";
  fields.date = "d";
  fields.default_type = true;
  fields.framing = Framing::kClose;
  EXPECT_EQ(HeadOf(200, headers, fields),
            "HTTP/1.1 200 OK\r\ndate: D\r\nSERVER: S\r\ncontent-type: T\r\n"
            "\r\n");
}

// Two of them would let a recipient choose.
TEST(ResponseHead, HasNoFramingOfTheHandler) {
  Headers headers;
  headers.Add("content-length", "7");
  headers.Add("Transfer-encoding", "chunked");
  headers.Add("CONNECTION", "close");
  headers.Add("keep-alive", "timeout=5");
  ConnectionFields fields;
  fields.content_length = 3;
  fields.keep_alive = true;
  EXPECT_EQ(HeadOf(200, headers, fields),
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n"
            "\r\n");
  fields.framing = Framing::kChunked;
  fields.keep_alive = false;
  EXPECT_EQ(HeadOf(200, headers, fields),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(ResponseHead, KeepsTheLengthOfWhatHasNoBody) {
  Headers headers;
  headers.Add("Content-Length", "7");
  ConnectionFields fields;
  fields.framing = Framing::kNone;
  EXPECT_EQ(HeadOf(304, headers, fields),
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
}

TEST(ResponseHead, CannotBeSplitByAField) {
  for (const std::string_view evil :
       {std::string_view("a\r\nSet-Cookie: b"), std::string_view("a\nb"),
        std::string_view("a\rb"), std::string_view("a\0b", 3),
        std::string_view("\r\n\r\n<html>")}) {
    Headers headers;
    headers.Add("X", evil);
    headers.Add(evil, "x");
    headers.Set("Y", evil);
    EXPECT_FALSE(headers.status().ok());
    EXPECT_EQ(HeadOf(200, headers, ConnectionFields()),
              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
}

TEST(Chunks, HaveSizesInHexadecimal) {
  std::string bytes;
  AppendChunkStart(1, bytes);
  AppendChunkStart(0xabcdef, bytes);
  EXPECT_EQ(bytes, "1\r\nabcdef\r\n");
}

TEST(Chunks, EndWithTrailers) {
  std::string bytes;
  AppendLastChunk(Headers(), bytes);
  EXPECT_EQ(bytes, "0\r\n\r\n");
  Headers trailers;
  trailers.Add("A", "b");
  bytes.clear();
  AppendLastChunk(trailers, bytes);
  EXPECT_EQ(bytes, "0\r\nA: b\r\n\r\n");
}

}  // namespace
}  // namespace ringway::http::internal
