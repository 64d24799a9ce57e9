// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/http2_protocol.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nghttp2/nghttp2.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/testing/recording_source.h"

namespace ringway::loadgen {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::RecordingSource;
using ::testing::StartsWith;

// The other side, by nghttp2: collects requests and answers when it is told.
class Server {
 public:
  explicit Server(uint32_t most_streams = 100) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                              &OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &OnFrame);
    nghttp2_session* session = nullptr;
    nghttp2_session_server_new(&session, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    session_.reset(session);
    const nghttp2_settings_entry settings = {
        NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, most_streams};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &settings, 1);
  }

  void Take(std::span<const std::byte> bytes) {
    EXPECT_EQ(nghttp2_session_mem_recv2(
                  session(), reinterpret_cast<const uint8_t*>(bytes.data()),
                  bytes.size()),
              static_cast<nghttp2_ssize>(bytes.size()));
  }
  std::string TakeOutput() {
    std::string output;
    const uint8_t* bytes = nullptr;
    while (true) {
      const nghttp2_ssize n = nghttp2_session_mem_send2(session(), &bytes);
      if (n <= 0) return output;
      output.append(reinterpret_cast<const char*>(bytes),
                    static_cast<size_t>(n));
    }
  }

  void Answer(int32_t id, std::string_view status, std::string body) {
    bodies_[id] = std::move(body);
    nghttp2_data_provider2 provider = {};
    provider.source.ptr = &bodies_[id];
    provider.read_callback = &OnRead;
    const nghttp2_nv field = Field(":status", status);
    nghttp2_submit_response2(session(), id, &field, 1, &provider);
  }
  void Inform(int32_t id) {
    const nghttp2_nv field = Field(":status", "103");
    nghttp2_submit_headers(session(), NGHTTP2_FLAG_NONE, id, nullptr, &field, 1,
                           nullptr);
  }

  nghttp2_session* session() const { return session_.get(); }

  std::vector<int32_t> requests;          // that are complete
  std::map<int32_t, std::string> fields;  // "name=value "
  std::map<int32_t, std::string> request_bodies;

 private:
  static nghttp2_nv Field(std::string_view name, std::string_view value) {
    return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
            reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())),
            name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame,
                      const uint8_t* name, size_t n_name, const uint8_t* value,
                      size_t n_value, uint8_t, void* self) {
    std::string& fields =
        static_cast<Server*>(self)->fields[frame->hd.stream_id];
    fields.append(reinterpret_cast<const char*>(name), n_name);
    fields += '=';
    fields.append(reinterpret_cast<const char*>(value), n_value);
    fields += ' ';
    return 0;
  }
  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes,
                    size_t n, void* self) {
    static_cast<Server*>(self)->request_bodies[id].append(
        reinterpret_cast<const char*>(bytes), n);
    return 0;
  }
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)) {
      static_cast<Server*>(self)->requests.push_back(frame->hd.stream_id);
    }
    return 0;
  }
  static nghttp2_ssize OnRead(nghttp2_session*, int32_t, uint8_t* to,
                              size_t most, uint32_t* flags,
                              nghttp2_data_source* from, void*) {
    std::string& body = *static_cast<std::string*>(from->ptr);
    const size_t n = std::min(most, body.size());
    memcpy(to, body.data(), n);
    body.erase(0, n);
    if (body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<nghttp2_ssize>(n);
  }

  struct Deleter {
    void operator()(nghttp2_session* session) const {
      nghttp2_session_del(session);
    }
  };
  std::unique_ptr<nghttp2_session, Deleter> session_;
  std::map<int32_t, std::string> bodies_;
};

class Http2ProtocolTest : public ::testing::Test {
 protected:
  Http2ProtocolTest() { request_.authority = "server.test:80"; }

  void Make(size_t streams = 8, bool verify = true) {
    protocol_ =
        std::make_unique<Http2Protocol>(request_, streams, verify, expected_);
  }
  // Sends `n` requests and all else, both ways, until there is nothing left.
  absl::Status Exchange(size_t n, size_t piece = SIZE_MAX) {
    while (true) {
      const std::span<const std::byte> bytes = protocol_->Fill(n, source_);
      n = 0;
      server_->Take(bytes);
      const bool was_silent = bytes.empty();
      const std::string output = server_->TakeOutput();
      for (size_t at = 0; at < output.size(); at += piece) {
        const std::string_view part =
            std::string_view(output).substr(at, piece);
        absl::Status taken =
            protocol_->Take(std::as_bytes(std::span(part)), source_);
        if (!taken.ok()) return taken;
        if (output.size() - at <= piece) break;
      }
      if (was_silent && output.empty()) return absl::OkStatus();
    }
  }

  HttpRequest request_;
  ExpectedResponse expected_;
  RecordingSource source_;
  std::optional<Server> server_{std::in_place};
  std::unique_ptr<Http2Protocol> protocol_;
};

TEST_F(Http2ProtocolTest, WritesTheRequest) {
  request_.target = "/a?b=c";
  request_.headers.Add("X-Test", "1");
  Make();
  EXPECT_EQ(Exchange(2), absl::OkStatus());
  EXPECT_THAT(server_->requests, ElementsAre(1, 3));
  for (const int32_t id : server_->requests) {
    EXPECT_EQ(server_->fields[id],
              ":method=GET :scheme=http :authority=server.test:80 "
              ":path=/a?b=c x-test=1 ");
  }
  EXPECT_EQ(protocol_->in_flight(), 2u);
  EXPECT_EQ(protocol_->room(), 6u);
}

TEST_F(Http2ProtocolTest, WritesABodyOfAnySize) {
  request_.method = http::Method::kPost;
  request_.body_bytes = 1'000'000;  // more than the windows
  request_.secure = true;
  request_.headers.Add("Host", "other.test");
  Make();
  EXPECT_EQ(Exchange(2), absl::OkStatus());
  EXPECT_THAT(server_->requests, ::testing::UnorderedElementsAre(1, 3));
  EXPECT_EQ(server_->fields[1],
            ":method=POST :scheme=https :authority=other.test :path=/ "
            "content-length=1000000 ");
  EXPECT_EQ(server_->request_bodies[1].size(), 1'000'000u);
  EXPECT_EQ(server_->request_bodies[1], server_->request_bodies[3]);
}

TEST_F(Http2ProtocolTest, TakesResponsesInAnyOrderAndHoweverTheyAreCut) {
  for (const size_t piece : {size_t{1}, size_t{7}, SIZE_MAX}) {
    server_.emplace();
    source_.numbers.clear();
    Make();
    EXPECT_EQ(Exchange(3), absl::OkStatus());
    server_->Inform(5);
    server_->Answer(5, "200", "hello");
    server_->Answer(1, "200", "hello");
    EXPECT_EQ(Exchange(0, piece), absl::OkStatus());
    EXPECT_THAT(source_.numbers, ElementsAre(2u, 0u));
    server_->Answer(3, "201", "hello");
    EXPECT_EQ(Exchange(0, piece), absl::OkStatus());
    EXPECT_THAT(source_.numbers, ElementsAre(2u, 0u, 1u));
    EXPECT_THAT(source_.failed, IsEmpty());
    EXPECT_EQ(protocol_->in_flight(), 0u);
  }
}

TEST_F(Http2ProtocolTest, ALargeResponseNeedsNoOtherWindow) {
  Make();
  EXPECT_EQ(Exchange(1), absl::OkStatus());
  server_->Answer(1, "200", std::string(10'000'000, 'x'));
  EXPECT_EQ(Exchange(0), absl::OkStatus());
  EXPECT_EQ(source_.answered, 1u);
  EXPECT_EQ(expected_.body_bytes(), 10'000'000u);
}

TEST_F(Http2ProtocolTest, HasRoomForAsManyAsTheServerAllows) {
  server_.emplace(/*most_streams=*/3);
  Make(/*streams=*/8);
  EXPECT_EQ(protocol_->room(), 8u);
  EXPECT_EQ(Exchange(0), absl::OkStatus());
  EXPECT_EQ(protocol_->room(), 3u);
  EXPECT_EQ(Exchange(2), absl::OkStatus());
  EXPECT_EQ(protocol_->room(), 1u);
}

TEST_F(Http2ProtocolTest, WhatWasNotExpectedFailsItsRequestAlone) {
  request_.compare_bodies = true;
  Make();
  EXPECT_EQ(Exchange(5), absl::OkStatus());
  server_->Answer(1, "200", "hello");
  server_->Answer(3, "404", "hello");
  server_->Answer(5, "200", "hellooo");
  server_->Answer(7, "200", "hellO");
  nghttp2_submit_rst_stream(server_->session(), NGHTTP2_FLAG_NONE, 9,
                            NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(Exchange(0), absl::OkStatus());
  EXPECT_EQ(source_.answered, 1u);
  std::map<uint64_t, ErrorKind> kinds;
  for (const auto& [number, why] : source_.failed)
    kinds[number] = ErrorKindOf(why);
  EXPECT_THAT(kinds, ElementsAre(::testing::Pair(1u, ErrorKind::kBadStatus),
                                 ::testing::Pair(2u, ErrorKind::kWrongReply),
                                 ::testing::Pair(3u, ErrorKind::kWrongReply),
                                 ::testing::Pair(4u, ErrorKind::kReset)));
  EXPECT_EQ(protocol_->in_flight(), 0u);
}

TEST_F(Http2ProtocolTest, WithoutVerifyingEveryResponseIsAReply) {
  Make(8, /*verify=*/false);
  EXPECT_EQ(Exchange(2), absl::OkStatus());
  server_->Answer(1, "500", "a");
  server_->Answer(3, "200", "bb");
  EXPECT_EQ(Exchange(0), absl::OkStatus());
  EXPECT_EQ(source_.answered, 2u);
}

TEST_F(Http2ProtocolTest, AfterGoAwayItWantsANewConnection) {
  Make();
  EXPECT_EQ(Exchange(3), absl::OkStatus());
  // The third one will not be answered.
  nghttp2_submit_goaway(server_->session(), NGHTTP2_FLAG_NONE, 3,
                        NGHTTP2_NO_ERROR, nullptr, 0);
  EXPECT_EQ(Exchange(0), absl::OkStatus());
  EXPECT_EQ(protocol_->room(), 0u);
  ASSERT_EQ(source_.failed.size(), 1u);
  EXPECT_EQ(source_.failed[0].first, 2u);
  EXPECT_FALSE(protocol_->wants_new_connection());
  server_->Answer(1, "200", "a");
  server_->Answer(3, "200", "a");
  EXPECT_EQ(Exchange(0), absl::OkStatus());
  EXPECT_EQ(source_.answered, 2u);
  EXPECT_TRUE(protocol_->wants_new_connection());
  // On the next one requests are numbered on.
  server_.emplace();
  protocol_->Begin();
  EXPECT_FALSE(protocol_->wants_new_connection());
  EXPECT_EQ(Exchange(1), absl::OkStatus());
  server_->Answer(1, "200", "a");
  EXPECT_EQ(Exchange(0), absl::OkStatus());
  EXPECT_EQ(source_.numbers.back(), 3u);
}

TEST_F(Http2ProtocolTest, AnEndIsAnErrorUnlessTheConnectionWasOfUse) {
  Make();
  EXPECT_TRUE(absl::IsOutOfRange(protocol_->TakeEnd(source_)));
  EXPECT_EQ(Exchange(1), absl::OkStatus());
  EXPECT_EQ(protocol_->TakeEnd(source_),
            absl::OutOfRangeError("the server closed the connection, and 1 "
                                  "requests have no response"));
  server_->Answer(1, "200", "a");
  EXPECT_EQ(Exchange(0), absl::OkStatus());
  EXPECT_EQ(protocol_->TakeEnd(source_), absl::OkStatus());
  EXPECT_TRUE(protocol_->wants_new_connection());
}

TEST_F(Http2ProtocolTest, WhatIsNoHttp2IsAnError) {
  for (const std::string_view bytes :
       {std::string_view("HTTP/1.1 400 Bad Request\r\n\r\n"),
        // DATA on stream 1 before SETTINGS.
        std::string_view("\0\0\1\0\0\0\0\0\1x", 10),
        // SETTINGS of a wrong length.
        std::string_view("\0\0\5\4\0\0\0\0\0abcde", 14)}) {
    Make();
    static_cast<void>(protocol_->Fill(1, source_));
    const absl::Status taken =
        protocol_->Take(std::as_bytes(std::span(bytes)), source_);
    EXPECT_TRUE(absl::IsDataLoss(taken)) << taken;
    EXPECT_THAT(taken.message(), StartsWith("HTTP/2: "));
  }
  EXPECT_EQ(source_.answered, 0u);
}

}  // namespace
}  // namespace ringway::loadgen
