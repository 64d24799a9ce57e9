// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/http2/http2_state.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "nghttp2/nghttp2.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/http/server/http2/http2_stream.h"

namespace ringway::http::internal {

namespace {

// Tasks of streams that the client has reset may take a while to end: a client
// that resets and asks again gets no more of them than this for each stream
// that it may have open.
constexpr size_t kTasksPerStream = 2;

}  // namespace

Http2State::Http2State(std::shared_ptr<const ServerCore> core, DateCache& date,
                       RequestMemoryPool& memory, Loop& loop)
    : core_(std::move(core)),
      date_(date),
      memory_(memory),
      loop_(loop),
      session_(options().request, options().http2, *this),
      head_limit_(loop.now() + options().head_timeout),
      idle_since_(loop.now()) {}

Http2State::~Http2State() {
  while (Http2Stream* stream = streams_.PopFront())
    const std::unique_ptr<Http2Stream> dropped(stream);
}

ServerStream& Http2State::NewStream() {
  auto stream = std::make_unique<Http2Stream>(*this);
  streams_.PushBack(*stream);
  return *stream.release();
}

void Http2State::Begin(Http2Stream& stream) {
  if (n_tasks_ < kTasksPerStream * options().http2.max_streams) {
    const JoinHandle<void> task =
        scope_->Spawn(stream.Run(), "an HTTP/2 request");
    if (task.spawn_status().ok()) {
      ++n_tasks_;
      stream.OnSpawned();
      return;
    }
  }
  session_.Reset(stream, NGHTTP2_REFUSED_STREAM);
  session_.Release(stream);
  Forget(stream);
}

void Http2State::Forget(Http2Stream& stream) {
  const std::unique_ptr<Http2Stream> dropped(&stream);
  stream.ReturnMemory();
  if (stream.spawned()) --n_tasks_;
  stream.Unlink();
  if (streams_.empty()) idle_since_ = loop_.now();
}

void Http2State::AbandonStreams() {
  Http2Stream* next = nullptr;
  for (Http2Stream* s = streams_.front(); s != nullptr; s = next) {
    next = streams_.Next(*s);
    session_.Abandon(*s);
  }
}

// While there are requests, it is only the time to look again.
MonotonicTime Http2State::ReadLimit() {
  if (read_limit_over_) return MonotonicTime::Infinite();
  MonotonicTime limit = loop_.now() + options().idle_timeout;
  if (!session_.begun() || session_.head_stream() != 0) {
    limit = head_limit_;
  } else if (streams_.empty()) {
    limit = idle_since_ + options().idle_timeout;
  }
  return std::min(limit, shutdown_limit_);
}

void Http2State::OnReadLimit() {
  const MonotonicTime now = loop_.now();
  if (!session_.begun() || session_.head_stream() != 0) {
    if (now < head_limit_) return;
    read_limit_over_ = true;
    session_.Terminate(
        session_.begun() ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_NO_ERROR,
        absl::DeadlineExceededError("a head takes too long"));
  } else if (streams_.empty() && now >= idle_since_ + options().idle_timeout) {
    read_limit_over_ = true;
    session_.EndShutdown();
  }
  Wake();
}

void Http2State::Receive(std::span<const std::byte> bytes) {
  session_.Receive({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                   loop_.now());
  if (session_.head_stream() != head_stream_) {
    head_stream_ = session_.head_stream();
    head_limit_ = loop_.now() + options().head_timeout;
  }
  if (session_.has_output() || session_.done()) Wake();
}

void Http2State::Shutdown(bool drain) {
  if (!shutting_down_) {
    if (!drain && session_.n_requests() < options().max_requests) return;
    shutting_down_ = true;
    shutdown_limit_ = loop_.now() + options().drain_idle_time;
    session_.BeginShutdown();
    Wake();
  } else if (!shutdown_limit_.is_infinite() &&
             (session_.shutdown_acknowledged() ||
              loop_.now() >= shutdown_limit_)) {
    shutdown_limit_ = MonotonicTime::Infinite();
    session_.EndShutdown();
    Wake();
  }
}

}  // namespace ringway::http::internal
