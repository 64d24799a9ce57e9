// SPDX-License-Identifier: Apache-2.0
//
// SessionForTest: a ServerSession in memory, whose requests a test answers.

#ifndef RINGWAY_HTTP_HTTP2_TESTING_SESSION_FOR_TEST_H_
#define RINGWAY_HTTP_HTTP2_TESTING_SESSION_FOR_TEST_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/http/http2/http2_limits.h"
#include "ringway/http/http2/server_session.h"
#include "ringway/http/http2/server_stream.h"
#include "ringway/http/http2/testing/frames.h"

namespace ringway::http::testing {

class SessionForTest;

// Keeps what happened to it.
class StreamForTest final : public internal::ServerStream {
 public:
  StreamForTest(const RequestLimits& limits, SessionForTest& owner)
      : ServerStream(limits), owner_(owner) {}

  bool requested = false;
  std::string body;      // what was read
  std::string response;  // for what the session refers to
  Headers trailers_to_send;

 private:
  void OnRequest() override;
  void OnBody() override;
  void OnSent() override;
  void OnClosed() override {}

  SessionForTest& owner_;
};

class SessionForTest final : public internal::ServerSession::Host {
 public:
  explicit SessionForTest(const Http2Limits& limits = Http2Limits(),
                          const RequestLimits& request = RequestLimits())
      : request_limits(request),
        http2_limits(limits),
        session(request_limits, http2_limits, *this) {}

  // With the preface and an empty SETTINGS.
  void Begin();
  // Gives bytes to the session in pieces of 64 KiB.
  void Receive(std::string_view bytes);
  void Receive(const Frame& frame) { Receive(Bytes(frame)); }
  // What the session sends now, kept in `sent`, too.
  std::string Send();

  // The stream of this id; aborts if there was none.
  StreamForTest& stream(int32_t id) { return *streams.at(id); }
  // Answers with "ok" and no more.
  void Answer(StreamForTest& stream);
  // Answers with a body of any size, kept in the stream.
  void AnswerWith(StreamForTest& stream, std::string body);

  // The code of the GOAWAY that was sent, or of the RST_STREAM of a stream;
  // kNone without.
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t GoawayCode();
  uint32_t ResetCode(uint32_t id);

  const RequestLimits request_limits;
  const Http2Limits http2_limits;
  std::map<int32_t, std::unique_ptr<StreamForTest>> streams;
  size_t n_streams = 0;
  size_t n_requests = 0;
  std::string sent;
  MonotonicTime now = MonotonicTime::FromNanoseconds(1);
  std::function<void(StreamForTest&)> on_request = [this](StreamForTest& s) {
    Answer(s);
  };
  // Reads all.
  std::function<void(StreamForTest&)> on_body = [this](StreamForTest& s) {
    Read(s, SIZE_MAX);
  };
  std::function<void(StreamForTest&)> on_sent = [](StreamForTest&) {};
  void Read(StreamForTest& stream, size_t most);

  internal::ServerSession session;

 private:
  internal::ServerStream& NewStream() override;

  std::unique_ptr<StreamForTest> newest_;  // without an id
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_HTTP2_TESTING_SESSION_FOR_TEST_H_
