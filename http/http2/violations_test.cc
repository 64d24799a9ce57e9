// SPDX-License-Identifier: Apache-2.0
//
// What a client must not do by RFC 9113, and the error that it gets.

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "nghttp2/nghttp2.h"
#include "ringway/http/http2/client_preface.h"
#include "ringway/http/http2/server_session.h"
#include "ringway/http/http2/testing/frames.h"
#include "ringway/http/http2/testing/session_for_test.h"

namespace ringway::http {
namespace {

using testing::Big;
using testing::Block;
using testing::Bytes;
using testing::Fields;
using testing::Frame;
using testing::GetFields;
using testing::kContinuation;
using testing::kData;
using testing::kEndHeaders;
using testing::kEndStream;
using testing::kGoaway;
using testing::kHeaders;
using testing::kPadded;
using testing::kPing;
using testing::kPriority;
using testing::kPushPromise;
using testing::kRstStream;
using testing::kSettings;
using testing::kWindowUpdate;
using testing::kWithPriority;
using testing::SessionForTest;
using testing::Setting;

constexpr uint32_t kNone = SessionForTest::kNone;

// What is sent after the preface. Expected is GOAWAY, or RST_STREAM of stream
// 1, with this code.
struct Violation {
  const char* name;
  std::vector<Frame> frames;
  uint32_t goaway = kNone;
  uint32_t reset = kNone;
};

Frame Get(uint32_t id) {
  return {kHeaders, kEndHeaders | kEndStream, id, Block(GetFields())};
}
// The head of a request whose body follows.
Frame Post(uint32_t id) {
  return {kHeaders, kEndHeaders, id, Block(GetFields())};
}
Frame With(const Fields& fields, uint8_t flags = kEndHeaders | kEndStream) {
  return {kHeaders, flags, 1, Block(fields)};
}
// A GET with one more field.
Frame Plus(const char* name, const char* value) {
  Fields fields = GetFields();
  fields.emplace_back(name, value);
  return With(fields);
}
// A GET without the pseudo-header `i`.
Frame Without(int i) {
  Fields fields = GetFields();
  fields.erase(fields.begin() + i);
  return With(fields);
}

const uint32_t kProtocol = NGHTTP2_PROTOCOL_ERROR;
const uint32_t kSize = NGHTTP2_FRAME_SIZE_ERROR;
const uint32_t kFlow = NGHTTP2_FLOW_CONTROL_ERROR;
const uint32_t kClosed = NGHTTP2_STREAM_CLOSED;
const uint32_t kCompression = NGHTTP2_COMPRESSION_ERROR;

std::vector<Violation> OfConnections() {
  return {
      {"FrameTooLarge",
       {Post(1), {kData, 0, 1, std::string(16385, 'x')}},
       kSize},
      {"HeadersOnStreamZero", {Get(0)}, kProtocol},
      {"HeadersOnEvenStream", {Get(2)}, kProtocol},
      {"DataOnStreamZero", {{kData, 0, 0, "x"}}, kProtocol},
      {"DataOnIdleStream", {{kData, 0, 1, "x"}}, kProtocol},
      {"ResetOnStreamZero", {{kRstStream, 0, 0, Big(8, 4)}}, kProtocol},
      {"ResetOfIdleStream", {{kRstStream, 0, 1, Big(8, 4)}}, kProtocol},
      {"ResetOfWrongSize", {Post(1), {kRstStream, 0, 1, "xxx"}}, kSize},
      {"WindowUpdateOfIdleStream",
       {{kWindowUpdate, 0, 1, Big(1, 4)}},
       kProtocol},
      {"WindowUpdateOfZero", {{kWindowUpdate, 0, 0, Big(0, 4)}}, kProtocol},
      {"WindowUpdateOfWrongSize", {{kWindowUpdate, 0, 0, "xxx"}}, kSize},
      {"WindowOverflow", {{kWindowUpdate, 0, 0, Big(0x7fffffff, 4)}}, kFlow},
      {"PaddingBeyondData",
       {Post(1),
        {kData, kPadded, 1,
         "\x05"
         "abc"}},
       kProtocol},
      {"PaddingBeyondHeaders",
       {{kHeaders, kPadded | kEndHeaders, 1, "\x7f" + Block(GetFields())}},
       kProtocol},
      {"SettingsOnAStream", {{kSettings, 0, 1, ""}}, kProtocol},
      {"SettingsOfWrongSize", {{kSettings, 0, 0, "xxxxx"}}, kSize},
      {"SettingsAckWithContent",
       {{kSettings, testing::kAck, 0, Setting(3, 1)}},
       kSize},
      {"SettingsPushOutOfRange", {{kSettings, 0, 0, Setting(2, 2)}}, kProtocol},
      {"SettingsWindowOutOfRange",
       {{kSettings, 0, 0, Setting(4, 0x80000000)}},
       kFlow},
      {"SettingsFrameSizeTooSmall",
       {{kSettings, 0, 0, Setting(5, 16383)}},
       kProtocol},
      {"SettingsFrameSizeTooLarge",
       {{kSettings, 0, 0, Setting(5, 1 << 24)}},
       kProtocol},
      {"PingOnAStream", {{kPing, 0, 1, "12345678"}}, kProtocol},
      {"PingOfWrongSize", {{kPing, 0, 0, "1234567"}}, kSize},
      {"GoawayOnAStream", {{kGoaway, 0, 1, Big(0, 8)}}, kProtocol},
      {"GoawayOfWrongSize", {{kGoaway, 0, 0, Big(0, 7)}}, kSize},
      {"PushPromise",
       {Post(1),
        {kPushPromise, kEndHeaders, 1, Big(2, 4) + Block(GetFields())}},
       kProtocol},
      {"ContinuationWithoutHeaders",
       {{kContinuation, kEndHeaders, 1, Block(GetFields())}},
       kProtocol},
      {"ContinuationOfAnotherStream",
       {{kHeaders, kEndStream, 1, Block(GetFields())},
        {kContinuation, kEndHeaders, 3, ""}},
       kProtocol},
      {"FrameBetweenHeadersAndContinuation",
       {{kHeaders, kEndStream, 1, Block(GetFields())},
        {kPing, 0, 0, "12345678"}},
       kProtocol},
      {"UnknownFrameBetweenHeadersAndContinuation",
       {{kHeaders, kEndStream, 1, Block(GetFields())}, {0x7a, 0, 0, "x"}},
       kProtocol},
      {"ContinuationAfterTheEndOfHeaders",
       {Post(1), {kContinuation, kEndHeaders, 1, ""}},
       kProtocol},
      {"PriorityOnStreamZero", {{kPriority, 0, 0, Big(0, 5)}}, kProtocol},
      {"HeaderBlockThatIsNone",
       {{kHeaders, kEndHeaders | kEndStream, 1, "\xff\xff\xff\xff"}},
       kCompression},
      {"IndexBeyondTheTable",
       {{kHeaders, kEndHeaders | kEndStream, 1, "\xfe"}},
       kCompression},
      {"DataAfterTheEnd", {Get(1), {kData, 0, 1, "x"}}, kClosed},
      {"HeadersAfterTheEnd", {Get(1), Get(1)}, kClosed},
      {"PriorityOfWrongSize", {Post(1), {kPriority, 0, 1, "xxxx"}}, kSize},
      {"WindowUpdateOfZeroOfAStream",
       {Post(1), {kWindowUpdate, 0, 1, Big(0, 4)}},
       kProtocol},
      {"WindowUpdateOfZeroAfterMoreFrames",
       {Post(1),
        {kPing, 0, 0, "12345678"},
        {kData, kPadded, 1, std::string("\x01xy", 3)},
        {kWindowUpdate, 0, 1, Big(0x80000000, 4)}},
       kProtocol},
      // RFC 7540, section 5.3.1. In RFC 9113 such a frame means nothing.
      {"PriorityOfItself",
       {Post(1), {kPriority, 0, 3, Big(0x80000003, 4) + "\x10"}},
       kProtocol},
      {"HeadersWithPriorityOfItself",
       {{kHeaders, kEndHeaders | kWithPriority, 1,
         Big(1, 4) + "\x10" + Block(GetFields())}},
       kProtocol},
  };
}

std::vector<Violation> OfStreams() {
  Fields fields = GetFields();
  const Fields late = {{":method", "GET"},
                       {":scheme", "http"},
                       {"accept", "x"},
                       {":path", "/"},
                       {":authority", "test"}};
  const auto stream = [](const char* name, std::vector<Frame> frames,
                         uint32_t code = kProtocol) {
    return Violation{name, std::move(frames), kNone, code};
  };
  return {
      stream("UpperCaseName", {Plus("Accept", "x")}),
      stream("NameWithSpace", {Plus("ac cept", "x")}),
      stream("NameWithColon", {Plus("ac:cept", "x")}),
      stream("EmptyName", {Plus("", "x")}),
      stream("ValueWithLineBreak", {Plus("accept", "a\nb")}),
      stream("ValueWithReturn", {Plus("accept", "a\rb")}),
      stream("ValueWithSpaceBefore", {Plus("accept", " a")}),
      stream("ValueWithSpaceBehind", {Plus("accept", "a ")}),
      stream("PseudoAfterField", {With(late)}),
      stream("UnknownPseudo", {Plus(":unknown", "x")}),
      stream("StatusInRequest", {Plus(":status", "200")}),
      stream("SecondMethod", {Plus(":method", "GET")}),
      stream("SecondPath", {Plus(":path", "/")}),
      stream("SecondScheme", {Plus(":scheme", "http")}),
      stream("SecondAuthority", {Plus(":authority", "test")}),
      stream("NoMethod", {Without(0)}),
      stream("NoScheme", {Without(1)}),
      stream("NoPath", {Without(2)}),
      stream("NoAuthority", {Without(3)}),
      stream("Connection", {Plus("connection", "close")}),
      stream("KeepAlive", {Plus("keep-alive", "1")}),
      stream("ProxyConnection", {Plus("proxy-connection", "x")}),
      stream("TransferEncoding", {Plus("transfer-encoding", "chunked")}),
      stream("Upgrade", {Plus("upgrade", "h2c")}),
      stream("TeNotTrailers", {Plus("te", "gzip")}),
      stream("PathWithoutSlash", {With({{":method", "GET"},
                                        {":scheme", "http"},
                                        {":path", "x"},
                                        {":authority", "test"}})}),
      stream("EmptyPath", {With({{":method", "GET"},
                                 {":scheme", "http"},
                                 {":path", ""},
                                 {":authority", "test"}})}),
      stream("ConnectWithPath", {With({{":method", "CONNECT"},
                                       {":path", "/"},
                                       {":authority", "test:1"}})}),
      stream("ProtocolWithoutExtendedConnect",
             {With({{":method", "CONNECT"},
                    {":protocol", "websocket"},
                    {":scheme", "http"},
                    {":path", "/"},
                    {":authority", "test"}})}),
      stream("LengthThatIsNone", {Plus("content-length", "x")}),
      stream("LengthWithoutBody", {Plus("content-length", "1")}),
      stream("MoreThanTheLength", {With({{":method", "POST"},
                                         {":scheme", "http"},
                                         {":path", "/"},
                                         {":authority", "test"},
                                         {"content-length", "2"}},
                                        kEndHeaders),
                                   {kData, kEndStream, 1, "abc"}}),
      stream("LessThanTheLength", {With({{":method", "POST"},
                                         {":scheme", "http"},
                                         {":path", "/"},
                                         {":authority", "test"},
                                         {"content-length", "4"}},
                                        kEndHeaders),
                                   {kData, kEndStream, 1, "abc"}}),
      stream("PseudoInTrailers", {Post(1),
                                  {kHeaders, kEndHeaders | kEndStream, 1,
                                   Block({{":path", "/"}})}}),
      stream("TrailersWithoutTheEnd",
             {Post(1), {kHeaders, kEndHeaders, 1, Block({{"x", "y"}})}}),
      stream("WindowOverflow",
             {Post(1), {kWindowUpdate, 0, 1, Big(0x7fffffff, 4)}}, kFlow),
      // Of these RFC 9113 makes an error of the connection.
      stream("SettingsOverflowAWindow",
             {Post(1),
              {kWindowUpdate, 0, 1, Big(0x7fffffff - 65535, 4)},
              {kSettings, 0, 0, Setting(4, 0x7fffffff)}},
             kFlow),
  };
}

std::ostream& operator<<(std::ostream& out, const Violation& violation) {
  return out << violation.name;
}

class Violations : public ::testing::TestWithParam<Violation> {
 protected:
  // `piece`: bytes that arrive at a time.
  void Violate(size_t piece);
};

void Violations::Violate(size_t piece) {
  SessionForTest server;
  // Streams stay open.
  server.on_request = [](testing::StreamForTest&) {};
  server.Begin();
  server.Send();
  std::string bytes;
  for (const Frame& frame : GetParam().frames) bytes += Bytes(frame);
  for (size_t i = 0; i < bytes.size(); i += piece)
    server.Receive(std::string_view(bytes).substr(i, piece));
  EXPECT_EQ(server.GoawayCode(), GetParam().goaway);
  EXPECT_EQ(server.ResetCode(1), GetParam().reset);
  EXPECT_EQ(server.session.done(), GetParam().goaway != kNone);
  EXPECT_EQ(server.session.status().ok(), GetParam().goaway == kNone);
  if (GetParam().goaway != kNone) return;
  // The connection is as good as before.
  server.on_request = [&](testing::StreamForTest& s) { server.Answer(s); };
  server.Receive(Get(7));
  server.Send();
  EXPECT_TRUE(server.stream(7).response_sent());
}

TEST_P(Violations, GetTheirError) { Violate(SIZE_MAX); }
// Not byte by byte: nghttp2 takes a piece of the head of a CONTINUATION frame
// for a frame when it counts them.
TEST_P(Violations, GetTheirErrorInPieces) { Violate(2); }

std::string NameOf(const ::testing::TestParamInfo<Violation>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(OfConnections, Violations,
                         ::testing::ValuesIn(OfConnections()), NameOf);
INSTANTIATE_TEST_SUITE_P(OfStreams, Violations,
                         ::testing::ValuesIn(OfStreams()), NameOf);

TEST(Violations, ABadPrefaceEndsTheConnection) {
  for (const std::string bytes : {"GET / HTTP/1.1\r\nHost: test\r\n\r\n",
                                  "PRI * HTTP/2.0\r\n\r\nSM\r\n\rx"}) {
    SessionForTest server;
    server.Receive(bytes);
    EXPECT_EQ(server.GoawayCode(), kProtocol);
    EXPECT_TRUE(server.session.done());
    EXPECT_FALSE(server.session.status().ok());
  }
}

TEST(Violations, AnotherFrameThanSettingsFirstEndsTheConnection) {
  SessionForTest server;
  server.Receive(internal::kClientPreface);
  server.Receive(Frame{kPing, 0, 0, "12345678"});
  EXPECT_EQ(server.GoawayCode(), kProtocol);
}

TEST(Violations, DataBeyondTheWindowOfAStream) {
  Http2Limits limits;
  limits.stream_window_bytes = 10;
  SessionForTest server(limits);
  server.on_request = [](testing::StreamForTest&) {};
  server.on_body = [](testing::StreamForTest&) {};
  server.Begin();
  server.Send();
  server.Receive(Frame{kSettings, testing::kAck, 0, ""});
  server.Receive(Post(1));
  server.Receive(Frame{kData, 0, 1, "01234567890"});
  EXPECT_EQ(server.ResetCode(1), kFlow);
}

TEST(Violations, DataBeyondTheWindowOfTheConnection) {
  Http2Limits limits;
  limits.connection_window_bytes = 65535;
  SessionForTest server(limits);
  server.on_request = [](testing::StreamForTest&) {};
  server.on_body = [](testing::StreamForTest&) {};
  server.Begin();
  server.Send();
  server.Receive(Frame{kSettings, testing::kAck, 0, ""});
  server.Receive(Post(1));
  for (int i = 0; i < 4; ++i)
    server.Receive(Frame{kData, 0, 1, std::string(16384, 'x')});
  EXPECT_EQ(server.GoawayCode(), kFlow);
}

TEST(Violations, StreamsBeyondTheLimitAreRefused) {
  Http2Limits limits;
  limits.max_streams = 2;
  SessionForTest server(limits);
  server.on_request = [](testing::StreamForTest&) {};
  server.Begin();
  server.Send();
  server.Receive(Get(1));
  server.Receive(Get(3));
  server.Receive(Get(5));  // before the client has seen the limit
  EXPECT_EQ(server.ResetCode(5), NGHTTP2_REFUSED_STREAM);
  EXPECT_EQ(server.GoawayCode(), kNone);
  EXPECT_EQ(server.n_requests, 2u);
}

TEST(Violations, UnknownFramesAndSettingsAreIgnored) {
  SessionForTest server;
  server.Begin();
  server.Receive(Frame{0x7a, 0xff, 0, "unknown"});
  server.Receive(Frame{0x7b, 0xff, 9, ""});
  server.Receive(Frame{kSettings, 0, 0, Setting(0x7a7a, 5)});
  server.Receive(Frame{kHeaders, kEndHeaders | kEndStream | kWithPriority, 1,
                       Big(0, 4) + "\x10" + Block(GetFields())});
  server.Receive(Frame{kPriority, 0, 1, Big(0, 5)});
  server.Send();
  EXPECT_TRUE(server.stream(1).response_sent());
  EXPECT_EQ(server.GoawayCode(), kNone);
}

}  // namespace
}  // namespace ringway::http
