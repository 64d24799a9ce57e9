// SPDX-License-Identifier: Apache-2.0
//
// Http1Protocol: requests of HTTP/1.1, one like the other, and their responses.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_HTTP1_PROTOCOL_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_HTTP1_PROTOCOL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/http/http1/response_parser.h"
#include "ringway/tools/loadgen/connection/body_hash.h"
#include "ringway/tools/loadgen/connection/http_request.h"
#include "ringway/tools/loadgen/connection/request_source.h"
#include "ringway/tools/loadgen/connection/stream_protocol.h"

namespace ringway::loadgen {

class Http1Protocol final : public StreamProtocol {
 public:
  // At most `depth` requests are in flight. Without `verify` any response is a
  // success. `request`, which http::CheckRequest() accepts, and `expected` must
  // outlive it.
  Http1Protocol(const HttpRequest& request, size_t depth, bool verify,
                ExpectedResponse& expected);

  // StreamProtocol:
  void Begin() override;
  size_t room() const override {
    return wants_new_connection_ ? 0 : depth_ - in_flight();
  }
  size_t request_bytes() const override { return request_.size(); }
  size_t read_bytes() const override { return 16 * 1024; }
  std::span<const std::byte> Fill(size_t n, RequestSource& source) override;
  // Errors: DataLoss or ResourceExhausted for what is no response, or beyond
  //         the limits of one; DataLoss for bytes without a request;
  //         OutOfRange if the server will not answer what is in flight. That a
  //         response is none that was expected is told to `source`.
  absl::Status Take(std::span<const std::byte> bytes,
                    RequestSource& source) override;
  absl::Status TakeEnd(RequestSource& source) override;
  size_t in_flight() const override {
    return static_cast<size_t>(sent_ - complete_);
  }
  bool wants_new_connection() const override { return wants_new_connection_; }

 private:
  enum class Part : uint8_t { kHead, kBody };

  // Each takes what it can from the front of `bytes`.
  absl::Status TakeBytes(std::string_view& bytes, RequestSource& source);
  absl::Status TakeHead(std::string_view& bytes, RequestSource& source);
  absl::Status TakeBody(std::string_view& bytes, RequestSource& source);
  absl::Status TakeChunked(std::string_view& bytes, RequestSource& source);
  absl::Status BeginBody(RequestSource& source);
  void AddToBody(std::string_view bytes);
  absl::Status Complete(RequestSource& source);
  // Tells of the responses that were complete so far.
  void TellAnswered(RequestSource& source);
  absl::Status ClosedEarly() const;
  void ExpectHead();

  const size_t depth_;
  const bool verify_;
  const bool compare_bodies_;
  const http::Method method_;
  ExpectedResponse& expected_;
  std::string request_;   // one
  std::string outgoing_;  // as many as were written at once
  http::ResponseParser parser_;
  Part part_ = Part::kHead;
  size_t n_informational_ = 0;  // before the response that arrives
  uint64_t n_body_ = 0;         // bytes of it so far
  BodyHash hash_;
  size_t n_untold_ = 0;  // answered, and not told to the source yet
  uint64_t sent_ = 0;
  uint64_t complete_ = 0;
  uint64_t complete_before_ = 0;  // on earlier connections
  bool wants_new_connection_ = false;
  std::array<std::byte, 4096> decoded_;  // of a chunked body
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_HTTP1_PROTOCOL_H_
