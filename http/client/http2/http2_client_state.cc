// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/http2/http2_client_state.h"

#include "ringway/executor/task/executor.h"
#include "ringway/http/client/http2/http2_call.h"

namespace ringway::http::internal {

Http2ClientState::Http2ClientState(std::shared_ptr<const ClientOptions> options)
    : options_(std::move(options)),
      session_(options_->response, options_->http2),
      places_(options_->http2.max_streams),
      idle_since_(CurrentLoop().now()),
      heard_at_(idle_since_) {}

void Http2ClientState::Retire() {
  retired_ = true;
  places_.Close();
  if (!calls_.empty() || ended_ || Executor::Current() == nullptr) return;
  session_.EndShutdown();
  Wake();
}

void Http2ClientState::Add(Http2Call& call) {
  calls_.PushBack(call);
  ++n_calls_;
}

void Http2ClientState::Remove(Http2Call& call) {
  if (call.linked()) call.Unlink();
  if (!calls_.empty() || ended_ || Executor::Current() == nullptr) return;
  idle_since_ = CurrentLoop().now();
  if (retired_) Retire();
}

void Http2ClientState::OnSilence(MonotonicTime since) {
  if (heard_at_ <= since) Retire();
}

MonotonicTime Http2ClientState::ReadLimit() const {
  const MonotonicTime since =
      calls_.empty() ? idle_since_ : CurrentLoop().now();
  return since + options_->idle_timeout;
}

void Http2ClientState::OnReadLimit() {
  if (calls_.empty() && CurrentLoop().now() >= ReadLimit()) Retire();
}

void Http2ClientState::Receive(std::span<const std::byte> bytes) {
  heard_at_ = CurrentLoop().now();
  session_.Receive({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                   heard_at_);
  if (!accepts()) places_.Close();
  if (session_.has_output() || session_.done()) Wake();
}

void Http2ClientState::End(const absl::Status& why) {
  ended_ = true;
  places_.Close();
  while (Http2Call* call = calls_.front()) {
    call->Unlink();
    session_.Abandon(*call, why);
  }
  if (on_end_) std::exchange(on_end_, nullptr)();
}

}  // namespace ringway::http::internal
