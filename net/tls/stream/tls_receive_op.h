// SPDX-License-Identifier: Apache-2.0
//
// TlsReceiveOp: the awaitables that read from a TLS stream. net::BasicTlsStream
// creates and documents them.
//
// Each is the consumer of its transport's ReceiveUntil(): a delivery is
// decrypted where it arrives, and the task continues once its goal is reached.
// So waiting costs no coroutine frame, and a task that waits holds no delivery:
// a partial record is in the engine.

#ifndef RINGWAY_NET_TLS_STREAM_TLS_RECEIVE_OP_H_
#define RINGWAY_NET_TLS_STREAM_TLS_RECEIVE_OP_H_

#include <coroutine>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/tls/stream/receive_goals.h"
#include "ringway/net/tls/stream/tls_core.h"

namespace ringway::net {

template <ByteStream S, typename Goal>
class [[nodiscard]] TlsReceiveOp final : private ReceiveConsumer, private Goal {
 public:
  using Core = std::shared_ptr<internal::TlsCore<S>>;

  template <typename... Arguments>
  explicit TlsReceiveOp(Core core, Arguments&&... goal)
      : Goal(std::forward<Arguments>(goal)...), core_(std::move(core)) {}
  TlsReceiveOp(const TlsReceiveOp&) = delete;
  TlsReceiveOp& operator=(const TlsReceiveOp&) = delete;
  // Waits only if its frame is destroyed where it waits.
  ~TlsReceiveOp() {
    if (waits_) StopWaiting();
  }

  bool await_ready() const noexcept { return false; }

  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if (!MustWait(task)) return task.SkipWait(leaf);
    core_->BeginRead();
    new (&memory_) Received(core_->transport().ReceiveUntil(*this));
    waits_ = true;
    return received().await_suspend(leaf);
  }

  typename Goal::Result await_resume() {
    if (waits_) {
      absl::Status waited = received().await_resume();
      StopWaiting();
      if (step_ == Step::kWantInput)
        status_ = waited.ok() ? CancelledStatus() : std::move(waited);
    }
    if (!status_.ok()) return status_;
    if (step_ == Step::kFailed) return core_->ReadError();
    return Goal::Take();
  }

 private:
  using Step = internal::TlsStep;
  using Received = decltype(std::declval<S&>().ReceiveUntil(
      std::declval<ReceiveConsumer&>()));

  // False if there is a result at once.
  bool MustWait(TaskContext& task) {
    status_ = internal::TlsState::WhyUnusable(core_.get());
    if (!status_.ok()) return false;
    core_->CheckAwaitedOn(task.loop(), "a TlsStream");
    if (task.cancelled()) {
      status_ = CancelledStatus();
      return false;
    }
    return !TryGoal();
  }

  bool TryGoal() {
    step_ = Goal::Try(*core_);
    internal::TlsCore<S>::SendReplies(core_);
    return step_ != Step::kWantInput;
  }

  bool Take(ReceivedBuffer bytes) noexcept override {
    if (core_->abandoned()) return true;
    core_->Arrive(std::move(bytes));
    return TryGoal();
  }

  Received& received() {
    return *std::launder(reinterpret_cast<Received*>(&memory_));
  }
  void StopWaiting() {
    waits_ = false;
    received().~Received();
    core_->EndRead();
  }

  const Core core_;
  absl::Status status_;
  Step step_ = Step::kWantInput;
  bool waits_ = false;
  alignas(Received) std::byte memory_[sizeof(Received)];
};

template <ByteStream S>
using TlsReadOp = TlsReceiveOp<S, internal::TlsReadGoal>;
template <ByteStream S>
using TlsReceiveSomeOp = TlsReceiveOp<S, internal::TlsReceiveGoal>;
template <ByteStream S>
using TlsReceiveUntilOp = TlsReceiveOp<S, internal::TlsReceiveUntilGoal>;

}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_STREAM_TLS_RECEIVE_OP_H_
