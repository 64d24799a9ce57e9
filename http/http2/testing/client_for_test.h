// SPDX-License-Identifier: Apache-2.0
//
// ClientForTest: a client of HTTP/2 in memory, by nghttp2.

#ifndef RINGWAY_HTTP_HTTP2_TESTING_CLIENT_FOR_TEST_H_
#define RINGWAY_HTTP_HTTP2_TESTING_CLIENT_FOR_TEST_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nghttp2/nghttp2.h"
#include "ringway/http/http2/testing/frames.h"
#include "ringway/http/http2/testing/session_for_test.h"

namespace ringway::http::testing {

struct ResponseForTest {
  int status = 0;
  std::vector<int> informational;
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> trailers;
  std::string body;
  std::vector<size_t> chunks;  // sizes of what arrived of it
  bool head_done = false;
  bool closed = false;
  uint32_t close_code = 0;
};

class ClientForTest {
 public:
  // `window`: of each stream. 0: windows do not open by themselves.
  explicit ClientForTest(uint32_t window = 65535, bool opens = true);
  ClientForTest(const ClientForTest&) = delete;
  ClientForTest& operator=(const ClientForTest&) = delete;
  ~ClientForTest();

  // Sends a request when bytes are moved; its stream. `body` goes with it.
  int32_t Request(const Fields& fields,
                  std::optional<std::string> body = std::nullopt,
                  const Fields& trailers = {});
  int32_t Get(std::string_view path);
  void Reset(int32_t id, uint32_t code = NGHTTP2_CANCEL);
  // With windows that do not open by themselves.
  void Open(int32_t id, int32_t n);

  // What it has to send now; takes what the server has sent.
  std::string Send();
  void Receive(std::string_view bytes);
  // Moves bytes both ways until there are none, `piece` bytes at a time.
  void Exchange(SessionForTest& server, size_t piece = SIZE_MAX);

  ResponseForTest& response(int32_t id) { return *responses_.at(id); }
  // All of its streams are closed.
  bool all_closed() const;
  std::optional<uint32_t> goaway() const { return goaway_; }
  int32_t goaway_last() const { return goaway_last_; }
  nghttp2_session* session() { return session_; }

 private:
  struct Callbacks;
  struct Body {
    std::string bytes;
    size_t n_sent = 0;
    Fields trailers;
  };

  nghttp2_session* session_ = nullptr;
  std::map<int32_t, std::unique_ptr<ResponseForTest>> responses_;
  std::map<int32_t, Body> bodies_;
  std::optional<uint32_t> goaway_;
  int32_t goaway_last_ = 0;
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_HTTP2_TESTING_CLIENT_FOR_TEST_H_
