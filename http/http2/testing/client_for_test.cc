// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/testing/client_for_test.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ringway/core/check.h"

namespace ringway::http::testing {

namespace {

std::vector<nghttp2_nv> Nv(const Fields& fields) {
  std::vector<nghttp2_nv> nv;
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  for (const auto& [name, value] : fields) {
    nv.push_back({bytes(name), bytes(value), name.size(), value.size(),
                  NGHTTP2_NV_FLAG_NONE});
  }
  return nv;
}

std::string Text(const uint8_t* bytes, size_t n) {
  return {reinterpret_cast<const char*>(bytes), n};
}

}  // namespace

struct ClientForTest::Callbacks {
  static ClientForTest& Of(void* self) {
    return *static_cast<ClientForTest*>(self);
  }
  static ResponseForTest& Response(void* self, int32_t id) {
    std::unique_ptr<ResponseForTest>& response = Of(self).responses_[id];
    if (response == nullptr) response = std::make_unique<ResponseForTest>();
    return *response;
  }

  static int OnHeader(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                      const uint8_t* name, size_t n_name, const uint8_t* value,
                      size_t n_value, uint8_t /*flags*/, void* self) {
    ResponseForTest& response = Response(self, frame->hd.stream_id);
    const std::string text = Text(value, n_value);
    if (response.head_done) {
      response.trailers[Text(name, n_name)] = text;
    } else if (Text(name, n_name) == ":status") {
      response.status = std::stoi(text);
    } else {
      response.headers[Text(name, n_name)] = text;
    }
    return 0;
  }

  static int OnFrame(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                     void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      Of(self).goaway_ = frame->goaway.error_code;
      Of(self).goaway_last_ = frame->goaway.last_stream_id;
    }
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    ResponseForTest& response = Response(self, frame->hd.stream_id);
    if (response.status < 200) {
      response.informational.push_back(response.status);
      response.headers.clear();
    } else {
      response.head_done = true;
    }
    return 0;
  }

  static int OnData(nghttp2_session* /*session*/, uint8_t /*flags*/, int32_t id,
                    const uint8_t* bytes, size_t n, void* self) {
    ResponseForTest& response = Response(self, id);
    response.body += Text(bytes, n);
    response.chunks.push_back(n);
    return 0;
  }

  static int OnClosed(nghttp2_session* /*session*/, int32_t id, uint32_t code,
                      void* self) {
    ResponseForTest& response = Response(self, id);
    response.closed = true;
    response.close_code = code;
    return 0;
  }

  static nghttp2_ssize ReadBody(nghttp2_session* session, int32_t id,
                                uint8_t* to, size_t most, uint32_t* flags,
                                nghttp2_data_source* /*source*/, void* self) {
    Body& body = Of(self).bodies_[id];
    const size_t n = std::min(most, body.bytes.size() - body.n_sent);
    std::copy_n(
        reinterpret_cast<const uint8_t*>(body.bytes.data()) + body.n_sent, n,
        to);
    body.n_sent += n;
    if (body.n_sent == body.bytes.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!body.trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const std::vector<nghttp2_nv> nv = Nv(body.trailers);
        nghttp2_submit_trailer(session, id, nv.data(), nv.size());
      }
    }
    return static_cast<nghttp2_ssize>(n);
  }
};

ClientForTest::ClientForTest(uint32_t window, bool opens) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks,
                                                   &Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                       &Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                            &Callbacks::OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                         &Callbacks::OnClosed);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, opens ? 0 : 1);
  nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const std::array<nghttp2_settings_entry, 1> settings = {
      {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window}}};
  nghttp2_submit_settings(session_, 0, settings.data(), settings.size());
}

ClientForTest::~ClientForTest() { nghttp2_session_del(session_); }

int32_t ClientForTest::Request(const Fields& fields,
                               std::optional<std::string> body,
                               const Fields& trailers) {
  const std::vector<nghttp2_nv> nv = Nv(fields);
  nghttp2_data_provider2 source = {};
  source.read_callback = &Callbacks::ReadBody;
  const int32_t id =
      nghttp2_submit_request2(session_, nullptr, nv.data(), nv.size(),
                              body.has_value() ? &source : nullptr, nullptr);
  RINGWAY_CHECK(id > 0, "nghttp2_submit_request2: %d", id);
  responses_[id] = std::make_unique<ResponseForTest>();
  if (body.has_value()) bodies_[id] = {*std::move(body), 0, trailers};
  return id;
}

int32_t ClientForTest::Get(std::string_view path) {
  Fields fields = GetFields();
  fields[2].second = path;
  return Request(fields);
}

void ClientForTest::Reset(int32_t id, uint32_t code) {
  nghttp2_submit_rst_stream(session_, 0, id, code);
}

void ClientForTest::Open(int32_t id, int32_t n) {
  nghttp2_submit_window_update(session_, 0, id, n);
}

bool ClientForTest::all_closed() const {
  return std::all_of(responses_.begin(), responses_.end(),
                     [](const auto& entry) { return entry.second->closed; });
}

std::string ClientForTest::Send() {
  std::string all;
  const uint8_t* bytes = nullptr;
  nghttp2_ssize n = 0;
  while ((n = nghttp2_session_mem_send2(session_, &bytes)) > 0)
    all += Text(bytes, static_cast<size_t>(n));
  return all;
}

void ClientForTest::Receive(std::string_view bytes) {
  nghttp2_session_mem_recv2(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

void ClientForTest::Exchange(SessionForTest& server, size_t piece) {
  while (true) {
    const std::string to_server = Send();
    for (size_t i = 0; i < to_server.size();
         i += std::min(piece, to_server.size()))
      server.Receive(std::string_view(to_server).substr(i, piece));
    const std::string to_client = server.Send();
    for (size_t i = 0; i < to_client.size();
         i += std::min(piece, to_client.size()))
      Receive(std::string_view(to_client).substr(i, piece));
    if (to_server.empty() && to_client.empty()) return;
  }
}

}  // namespace ringway::http::testing
