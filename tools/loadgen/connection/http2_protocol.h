// SPDX-License-Identifier: Apache-2.0
//
// Http2Protocol: requests of HTTP/2 (RFC 9113), one like the other, several at
// a time on streams of their own, and their responses. By nghttp2.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_HTTP2_PROTOCOL_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_HTTP2_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "nghttp2/nghttp2.h"
#include "ringway/tools/loadgen/connection/body_hash.h"
#include "ringway/tools/loadgen/connection/http_request.h"
#include "ringway/tools/loadgen/connection/request_source.h"
#include "ringway/tools/loadgen/connection/stream_protocol.h"

namespace ringway::loadgen {

// Throws std::bad_alloc.
class Http2Protocol final : public StreamProtocol {
 public:
  // At most `streams` requests are in flight, or as many as the server allows.
  // Without `verify` any response is a success. `request`, which
  // http::CheckRequest() accepts, and `expected` must outlive it.
  Http2Protocol(const HttpRequest& request, size_t streams, bool verify,
                ExpectedResponse& expected);

  // StreamProtocol: acknowledgements and windows are sent between requests.
  bool in_turns() const override { return false; }
  void Begin() override;
  size_t room() const override;
  size_t request_bytes() const override { return request_bytes_; }
  size_t read_bytes() const override { return 16 * 1024; }
  std::span<const std::byte> Fill(size_t n, RequestSource& source) override;
  // Errors: DataLoss if the server breaks the protocol; OutOfRange if it will
  //         not answer what is in flight. That a stream is reset, or a
  //         response is none that was expected, is told to `source`.
  absl::Status Take(std::span<const std::byte> bytes,
                    RequestSource& source) override;
  absl::Status TakeEnd(RequestSource& source) override;
  size_t in_flight() const override { return streams_.size() - free_.size(); }
  bool wants_write() const override {
    return !pending_.empty() || nghttp2_session_want_write(session_.get()) != 0;
  }
  bool wants_new_connection() const override {
    return going_away_ && in_flight() == 0;
  }

 private:
  struct Stream {
    uint64_t number = 0;  // of the request
    int status_code = 0;
    uint64_t n_body = 0;
    BodyHash hash;
    size_t n_sent = 0;  // bytes of the request's body
  };
  struct SessionDeleter {
    void operator()(nghttp2_session* session) const {
      nghttp2_session_del(session);
    }
  };
  struct Callbacks;

  void MakeFields(const HttpRequest& request);
  void AddField(std::string_view name, std::string_view value);
  void Submit();
  // Appends what nghttp2 has to send.
  void MoveOutput(std::string& to);
  void OnStatus(int32_t id, std::string_view value);
  void OnData(int32_t id, std::string_view bytes);
  void OnSettings();
  void OnClosed(int32_t id, uint32_t code);
  Stream* Find(int32_t id) const;
  absl::Status VerdictOn(const Stream& stream, uint32_t code);

  const bool verify_;
  const bool compare_bodies_;
  ExpectedResponse& expected_;
  size_t request_bytes_ = 0;
  std::vector<std::string> texts_;  // names and values of fields_
  std::vector<nghttp2_nv> fields_;
  std::string body_;
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
  std::vector<Stream> streams_;
  std::vector<Stream*> free_;
  std::string outgoing_;             // being written
  std::string pending_;              // what comes behind that
  RequestSource* source_ = nullptr;  // while nghttp2 runs
  size_t most_streams_ = 0;          // that the server allows
  uint64_t n_requests_ = 0;
  bool any_answered_ = false;  // on this connection
  bool going_away_ = false;    // no more requests on it
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_HTTP2_PROTOCOL_H_
