// SPDX-License-Identifier: Apache-2.0
//
// SinkWriteBuffer: the WriteBuffer of any ByteSink. A send is a task, which
// writes until nothing is due.

#ifndef RINGWAY_NET_WRITING_SINK_WRITE_BUFFER_H_
#define RINGWAY_NET_WRITING_SINK_WRITE_BUFFER_H_

#include <cstddef>
#include <exception>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/writing/write_buffer.h"

namespace ringway::net::internal {

template <ByteSink W>
class SinkWriteBuffer final : public WriteBuffer {
 public:
  SinkWriteBuffer(Loop& loop, W sink, size_t limit_bytes)
      : WriteBuffer(loop, limit_bytes), sink_(std::move(sink)) {}

 private:
  // The argument of a send's task: knows when that goes without an end, because
  // it could not be spawned, was cancelled before its turn, or has thrown.
  struct Send {
    explicit Send(SinkWriteBuffer& b) : buffer(&b) {}
    Send(Send&& other) noexcept
        : buffer(std::exchange(other.buffer, nullptr)) {}
    Send& operator=(Send&&) = delete;
    ~Send() {
      if (buffer != nullptr) buffer->OnTaskGone();
    }
    SinkWriteBuffer* buffer;
  };

  bool IsOpen() const override { return true; }

  void StartSend() override {
    begun_ = false;
    Task<void> send = SendAll(Send(*this));
    task_ = CurrentExecutor().Spawn(std::move(send), "buffered write");
    // A worker whose connections have ended cancels all of its tasks; only then
    // do its OnStop() functions flush what they keep.
    task_.SpareFromCancelAll();
    if (!task_.spawn_status().ok()) Fail(task_.spawn_status());
  }

  // Until the task's first turn.
  bool CanTakeMore() const override { return !begun_; }
  void TakeMore() override {}

  bool CancelSend() override {
    task_.Cancel();
    return false;
  }

  static Task<void> SendAll(Send argument) {
    Send send = std::move(argument);  // a local one ends with an exception
    SinkWriteBuffer& self = *send.buffer;
    self.begun_ = true;
    bool more = true;
    while (more) {
      const absl::Status sent = co_await self.sink_.Write(self.unsent());
      if (!sent.ok()) self.Fail(sent);
      more = sent.ok() && self.Advance(self.unsent().size(), self.abandoned());
    }
    send.buffer = nullptr;
    self.EndSend();
  }

  void OnTaskGone() {
    Fail(std::uncaught_exceptions() > 0
             ? absl::InternalError("the sink of a BufferedWriter threw")
             : CancelledStatus());
    EndSend();
  }

  W sink_;
  bool begun_ = false;
  JoinHandle<void> task_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_WRITING_SINK_WRITE_BUFFER_H_
