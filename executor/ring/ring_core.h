// SPDX-License-Identifier: Apache-2.0
//
// RingCore: what a Ring is made of - a loop, a slab of tasks and a mailbox. It
// stays where it is when the Ring that holds it is moved.

#ifndef RINGWAY_EXECUTOR_RING_RING_CORE_H_
#define RINGWAY_EXECUTOR_RING_RING_CORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/operation.h"
#include "ringway/core/containers/slab.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_runner.h"
#include "ringway/executor/ring/completion.h"
#include "ringway/executor/ring/context.h"
#include "ringway/executor/ring/mailbox.h"
#include "ringway/executor/ring/payload.h"
#include "ringway/executor/ring/ring_address.h"
#include "ringway/executor/ring/ring_entry.h"
#include "ringway/executor/ring/ring_options.h"

namespace ringway {
class Ring;
}

namespace ringway::internal {

class RingCore {
 public:
  RingCore(std::unique_ptr<Loop> loop, RingOptions options);
  // Requires End().
  ~RingCore();
  RingCore(const RingCore&) = delete;
  RingCore& operator=(const RingCore&) = delete;

  void CheckThread() const { owner_.Check("a ring"); }

  // What callbacks are given.
  void BelongsTo(Ring& ring) { ring_ = &ring; }

  // Ends every task and tells its callback. False in a forked child, where
  // nothing of this may be touched, not even to destroy it.
  bool End();

  // --- Making tasks: `prepare` fills the operation in. While the ring is
  // ending they make none and return the default key.
  RingTask Start(const Context& context,
                 absl::FunctionRef<void(Operation&)> prepare);
  RingTask StartMultishot(
      const Context& context,
      absl::FunctionRef<void(DeliveringOperation&)> prepare);
  RingTask StartTimer(const Context& context, MonotonicTime due);
  RingTask SendMessage(const Context& context, const RingAddress& target,
                       MessagePayload payload);

  // --- Ending and changing them: see Ring.
  CancelOutcome Cancel(RingTask task);
  size_t CancelFd(int fd);
  size_t CancelAll();
  bool SetDeadline(RingTask task, MonotonicTime when);
  bool ResetTimer(RingTask task, MonotonicTime due);

  // --- Running.
  absl::Status Run(RunMode mode);
  absl::Status RunFor(absl::Duration duration);
  void Stop() { runner_.Stop(); }
  MonotonicTime PrepareToPoll();

  // Calls a callback. Nothing that it throws goes further.
  void Tell(const Context& context, Completion done);
  // Runs `fn` in the same way.
  void Contain(absl::FunctionRef<void()> fn);
  Ring& ring() { return *ring_; }

  Loop& loop() { return *loop_; }
  Mailbox& mailbox() { return mailbox_; }
  RingStats stats() const;

  // --- For entries and messages, when something has come of them.
  void OnDone(OneShotWork& op);
  void OnDelivery(MultishotWork& op);
  void OnTime(TimedWork& timed);
  void OnMessageReturned(RingMessage& message);

 private:
  // A task for which there was no room: its callback is told all the same.
  struct Refusal {
    Context context;
    MessagePayload payload;
    bool is_message;
  };
  struct Refuser : Runnable {
    explicit Refuser(RingCore& c) : Runnable(&Run), core(c) {}
    static void Run(Runnable& entry);
    RingCore& core;
  };

  // Null when the ring is ending, and when it is full: then the callback will
  // be told, and what `payload` holds, if anything, comes back by it.
  template <typename Work>
  RingEntry* Add(const Context& context, MessagePayload* payload = nullptr) {
    owner_.Check("a ring");
    if (ending_) return nullptr;
    RingEntry* entry =
        entries_->Emplace(*this, context, std::in_place_type<Work>);
    if (entry == nullptr) Refuse(context, payload);
    return entry;
  }
  void Refuse(const Context& context, MessagePayload* payload);
  void TellRefused();

  void ArmTimed(TimedWork& timed);
  void Revoke(TimedWork& message, int32_t result);
  void SettleTimed(TimedWork& timed, int32_t result);
  bool CancelTimed(TimedWork& timed);
  void Expire(TimedWork& timed);
  void SettleAllTimed();

  Completion CompletionOf(RingEntry& entry, const char* operation,
                          int32_t result);
  void TellNext(MultishotWork& op, const Delivery& delivery);
  void Finish(RingEntry& entry, Completion done);
  void FinishTimed(TimedWork& timed);
  void TellTheEnd(RingEntry& entry);
  void OnException();

  const OwnerThread owner_;
  const RingOptions options_;
  std::unique_ptr<Loop> loop_;
  LoopRunner runner_;
  std::unique_ptr<Slab<RingEntry>> entries_;
  Mailbox mailbox_;
  Refuser refuser_;
  std::vector<Refusal> refused_;
  std::vector<Refusal> being_told_;
  Ring* ring_ = nullptr;
  bool telling_ = false;  // a callback is running
  bool ending_ = false;   // nothing new is started
  uint64_t tasks_refused_ = 0;
  uint64_t callbacks_ = 0;
  uint64_t exceptions_ = 0;
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_RING_RING_CORE_H_
