// SPDX-License-Identifier: Apache-2.0
//
// RingCore: the implementation of a Ring: a loop, a slab of tasks and a
// mailbox. Its address does not change when the Ring is moved.

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

  // Sets the ring that callbacks get.
  void BelongsTo(Ring& ring) { ring_ = &ring; }

  // Ends every task and runs its callback. False in a forked child, where
  // this must not be used or destroyed.
  bool End();

  // --- Starting tasks: `prepare` fills in the operation. While the ring is
  // ending no task is started and the default key is returned.
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

  // Calls a callback and contains its exceptions.
  void Tell(const Context& context, Completion done);
  // Runs `fn` in the same way.
  void Contain(absl::FunctionRef<void()> fn);
  Ring& ring() { return *ring_; }

  Loop& loop() { return *loop_; }
  Mailbox& mailbox() { return mailbox_; }
  RingStats stats() const;

  // --- Called by entries and messages on completion.
  void OnDone(OneShotWork& op);
  void OnDelivery(MultishotWork& op);
  void OnTime(TimedWork& timed);
  void OnMessageReturned(RingMessage& message);

 private:
  // A task for which there was no room; its callback still runs.
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

  // Null if the ring is ending, or if it is full; in that case the callback
  // will run and return `payload`, if there is one.
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
  bool ending_ = false;   // no new tasks are started
  uint64_t tasks_refused_ = 0;
  uint64_t callbacks_ = 0;
  uint64_t exceptions_ = 0;
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_RING_RING_CORE_H_
