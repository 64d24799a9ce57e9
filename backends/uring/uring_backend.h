// SPDX-License-Identifier: Apache-2.0
//
// UringBackend: the Backend contract on io_uring.
//
// The list that an operation is in is its state:
//
//     (loop's pending) --Submit--> in_flight_ --reap--> done
//     in_flight_ --Cancel--> cancels_ --reap--> done
//     in_flight_ --reap, to be armed again--> rearming_ --Submit--> in_flight_
//     in_flight_ --reap, without a buffer--> starved_ --> rearming_
//
// So a cancel never allocates and never fails: the operation itself waits in
// cancels_ until there is an entry for its request.
//
// Submission is in uring_backend.cc, completion in uring_completion.cc.

#ifndef RINGWAY_BACKENDS_URING_URING_BACKEND_H_
#define RINGWAY_BACKENDS_URING_URING_BACKEND_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/common/completions.h"
#include "ringway/backends/common/offload_pool.h"
#include "ringway/backends/uring/cancel_requests.h"
#include "ringway/backends/uring/direct_ring.h"
#include "ringway/backends/uring/kernel_ring.h"
#include "ringway/backends/uring/lent_buffers.h"
#include "ringway/backends/uring/registered.h"
#include "ringway/backends/uring/send_file.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/thread_sanitizer.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/core/unique_fd.h"

namespace ringway::uring {

class UringBackend final : public Backend {
 public:
  // Sets up a ring for the calling thread and checks, by a trial, that
  // multishot receives with provided buffers work. Errors as
  // KernelRing::Create(), or InvalidArgument with the option.
  static absl::StatusOr<std::unique_ptr<Backend>> Create(
      const BackendOptions& options);

  ~UringBackend() override;

  void Submit(OperationList& pending, RunnableList& done) override;
  void Wait(MonotonicTime deadline, RunnableList& done) override;
  CancelOutcome Cancel(Operation& op, RunnableList& done) override;
  size_t CancelFd(int fd, RunnableList& done) override;
  void Quiesce(RunnableList& done) override;
  int32_t ReadCached(const Operation& op) override;
  void Notify() override;
  bool TakeDelivery(DeliveringOperation& op, Delivery& delivery) override;
  void ReturnBuffer(uint32_t buffer_id) override;
  BackendHints& hints() override { return registered_; }
  int PollableFd() const override;
  bool Peek() const override { return MustNotBlock() || ring_->NeedsEnter(); }
  BackendStats stats() const override;

 private:
  // An entry's user_data is the address of its Operation, to which kEndWatchTag
  // may be added, or one of these.
  static constexpr uint64_t kCancel = 0;
  static constexpr uint64_t kDoorbell = 1;

  // After so many small deliveries a receive stays armed. That costs its
  // connection a poll, once; armed anew for each delivery, it costs an entry of
  // the ring for each. Connections with one request never pay. After a large
  // delivery it never stays armed again: large messages arrive in parts, which
  // a receive that is armed later finds together.
  static constexpr uint8_t kDeliveriesBeforeStaying = 2;
  static constexpr int32_t kSmallDelivery = 4096;

  // Operations that are a no-op entry, which keeps the order, followed by the
  // plain system call when it completes. None of them blocks.
  //
  // io_uring gives each shutdown to a kernel thread (io_shutdown_prep() in
  // io_uring/net.c), which doubles what the end of a connection costs.
  //
  // ThreadSanitizer tracks fds by the calls that open and close them. A number
  // that the kernel has closed looks like a race when two threads open it one
  // after the other.
  static constexpr bool CallsItself(OpCode opcode) {
    return opcode == OpCode::kShutdown ||
           (kThreadSanitizer && opcode == OpCode::kClose);
  }

  UringBackend(const BackendOptions& options, std::unique_ptr<KernelRing> ring,
               bool may_share_buffers, UniqueFd doorbell);

  // True if no operation is in flight.
  bool IsIdle() const;
  // True if nothing is in flight but memory of zero-copy sends.
  bool OnlyMemoryInUse();
  void ForsakeMemory(RunnableList& done);

  // Submission.
  void ArmDoorbell();
  void SubmitCancels();
  void SubmitRearms(RunnableList& done);
  void StartOne(Operation& op, RunnableList& done);
  int32_t ReserveForDeliveries(OpCode opcode);
  void WatchForEnd(Operation& op);
  void PrepareOne(Operation& op, io_uring_sqe& sqe);
  bool Emulate(Operation& op, RunnableList& done);
  bool IsNative(OpCode opcode) const {
    return support(opcode) == Support::kNative;
  }
  void CollectOffloaded(RunnableList& done);

  // Completion.
  bool MustNotBlock() const;
  void Enter(bool block, MonotonicTime deadline);
  void PollDirect(RunnableList& done);
  void ReapAll(RunnableList& done);
  void OnCompletion(const io_uring_cqe& cqe, RunnableList& done);
  void OnMultishotCompletion(DeliveringOperation& op, const io_uring_cqe& cqe,
                             RunnableList& done);
  void OnDeliverySize(DeliveringOperation& op, int32_t n_bytes);
  void OnEndWatch(Operation& op, int32_t result, RunnableList& done);
  void StartAnew(Operation& op);
  void OnSendFileStep(Operation& op, int32_t result, RunnableList& done);
  void OnZeroCopyCompletion(DeliveringOperation& op, const io_uring_cqe& cqe,
                            RunnableList& done);
  void OnStarved(DeliveringOperation& op, RunnableList& done);
  std::array<OperationList*, 4> Lists() {
    return {&in_flight_, &rearming_, &starved_[0], &starved_[1]};
  }
  OperationList& StarvedLike(const Operation& op) {
    return starved_[static_cast<size_t>(GroupOf(op.opcode))];
  }
  bool MayResumeStarved() const;
  bool MayShrink();
  void Shrink();
  void Rearm(Operation& op, OperationList& where, RunnableList& done);
  void Deliver(DeliveringOperation& op, int32_t result, uint32_t cqe_flags,
               RunnableList& done);
  void Lose(DeliveringOperation& op, const Delivery& delivery);
  void EndUnasked(Operation& op);
  void Finish(Operation& op, int32_t result, RunnableList& done);

  const OwnerThread owner_;
  const BackendOptions options_;
  // An eventfd: Notify() writes to it, an armed read reads it.
  const UniqueFd doorbell_;
  uint64_t doorbell_value_ =
      0;  // written by the kernel: outlives ring_ by declaration order
  Completions completions_;
  BackendStats& stats_ = completions_.stats();
  SendFile send_file_;
  std::unique_ptr<OffloadPool> offload_;  // not null
  LentBuffers buffers_;
  std::unique_ptr<KernelRing>
      ring_;  // after everything the kernel may write to
  DirectRing direct_;
  Registered registered_;

  OperationList in_flight_;
  CancelRequests cancels_;  // also in flight
  OperationList rearming_;
  std::array<OperationList, 2> starved_;  // by BufferGroup
  bool doorbell_armed_ = false;
  bool forsaken_ = false;  // ForsakeMemory() was called
  MonotonicTime shrink_at_ = MonotonicTime::Infinite();  // receive buffers
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_URING_BACKEND_H_
