// SPDX-License-Identifier: Apache-2.0
//
// EpollBackend: the Backend contract on readiness events, for kernels and
// containers that refuse io_uring.
//
// An operation is tried when it is submitted. If it would block, it waits in
// the queue of its fd for an edge-triggered event; each fd is registered
// once, at the first wait. Blocking calls go to an OffloadPool. The list that
// an operation is in is its state:
//
//     (loop's pending) --Submit, Try--> done
//                          |
//                          +--> readers, writers, pollers of its fd --event-->
//                          +--> the pool --collected-->
//                          +--> retrying_ (full Unix listeners) --each turn-->
//     Cancel: any of them --> cancelled_ --Wait--> done
//
// A turn is one Wait() that calls the kernel; assumptions about fds hold for
// one turn (fd_watcher.h).

#ifndef RINGWAY_BACKENDS_EPOLL_EPOLL_BACKEND_H_
#define RINGWAY_BACKENDS_EPOLL_EPOLL_BACKEND_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/common/completions.h"
#include "ringway/backends/common/offload_pool.h"
#include "ringway/backends/common/receive_buffers.h"
#include "ringway/backends/epoll/attempt.h"
#include "ringway/backends/epoll/epoll_set.h"
#include "ringway/backends/epoll/fd_table.h"
#include "ringway/backends/epoll/fd_watcher.h"
#include "ringway/backends/epoll/registration_check.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/unique_fd.h"

namespace ringway::epoll {

class EpollBackend final : public Backend {
 public:
  // Makes a backend for the calling thread. Errors: InvalidArgument with the
  // option, or the kernel's error.
  static absl::StatusOr<std::unique_ptr<Backend>> Create(
      const BackendOptions& options,
      WaitMethod wait_method = WaitMethod::kProbed);

  ~EpollBackend() override;

  void Submit(OperationList& pending, RunnableList& done) override;
  void Wait(MonotonicTime deadline, RunnableList& done) override;
  CancelOutcome Cancel(Operation& op, RunnableList& done) override;
  size_t CancelFd(int fd, RunnableList& done) override;
  void Quiesce(RunnableList& done) override;
  void Notify() override;
  bool TakeDelivery(DeliveringOperation& op, Delivery& event) override;
  void ReturnBuffer(uint32_t buffer_id) override;
  int PollableFd() const override { return watcher_.set().fd(); }
  BackendStats stats() const override;

  // For tests, between turns: compares its view of the epoll set with the
  // kernel's.
  RegistrationReport CompareRegistrations();

 private:
  // The user data of the doorbell's event.
  static constexpr uint64_t kDoorbell = EpollSet::kReserved - 1;

  EpollBackend(const BackendOptions& options, std::unique_ptr<EpollSet> set,
               UniqueFd doorbell);

  // Progress of an operation. Functions that return bool return true if it
  // has left its queue or list.
  void Start(Operation& op, RunnableList& done);
  bool Advance(Operation& op, RunnableList& done);
  void StartSend(Operation& op, RunnableList& done);
  bool AdvanceAccept(DeliveringOperation& op, RunnableList& done);
  bool AdvanceReceive(DeliveringOperation& op, RunnableList& done);
  bool EndWithoutMemory(Operation& op, RunnableList& done);
  int Enqueue(Operation& op, int fd, Queue queue);
  bool PutAside(Operation& op, IntrusiveList<WaitQueue>& list,
                RunnableList& done);
  bool Follow(Operation& op, const Attempt& attempt, RunnableList& done);
  bool Park(Operation& op, int fd, Queue queue, RunnableList& done);
  void Offload(Operation& op);
  void StartPollMultishot(DeliveringOperation& op, RunnableList& done);
  void TryInOrder(WaitQueue& queue, RunnableList& done);
  bool IsDrained(const Operation& op);
  void NoteReceived(const Operation& op, size_t n_bytes, size_t size);

  // Receive buffers.
  bool EnsureBuffers() { return buffers_ != nullptr || MakeBuffers(); }
  bool MakeBuffers();
  bool MayHaveOwnMemory(const DeliveringOperation& op) const;
  bool Starve(DeliveringOperation& op, RunnableList& done);
  void ResumeStarved();
  void PassOverStarved(const Operation& op);

  // A turn.
  bool MayPutOffAsking(const RunnableList& done);
  void Turn(MonotonicTime deadline, RunnableList& done);
  std::span<epoll_event> NextEvents(MonotonicTime deadline, bool may_block);
  void OnEvent(const epoll_event& event, RunnableList& done);
  void OnDoorbell(RunnableList& done);
  void DeliverPolls(FdEntry& entry, uint32_t events, RunnableList& done);
  void CollectOffloaded(RunnableList& done);
  void EndCancelled(RunnableList& done);
  void EndRefused(RunnableList& done);
  void RetryAll(RunnableList& done);

  // The end of an operation, which must be in no list.
  void Complete(Operation& op, int32_t result, RunnableList& done);
  void Finish(Operation& op, int32_t result, RunnableList& done);
  void ForgetInChild();

  const OwnerThread owner_;
  const BackendOptions options_;
  Completions completions_;
  BackendStats& stats_ = completions_.stats();
  FdWatcher watcher_;
  const UniqueFd doorbell_;  // an eventfd; Notify() and the pool write to it
  std::atomic<bool> notified_{false};
  std::unique_ptr<ReceiveBuffers> buffers_;  // made by the first use
  std::unique_ptr<OffloadPool> pool_;        // never null
  // A small batch, so that received data is sent back while its buffers are
  // still in the cache (docs/benchmarks.md).
  std::array<epoll_event, 32> kernel_events_;

  OperationList retrying_;
  absl::Duration retry_pause_;
  OperationList cancelled_;
  // Their fd was closed; they wait to be cancelled.
  OperationList stranded_;
  // Queues that stopped for fairness, and those that need a receive buffer.
  IntrusiveList<WaitQueue> unfinished_;
  IntrusiveList<WaitQueue> starved_;
  uint64_t two_sided_ = 0;         // operations in flight on two fds
  bool completed_inline_ = false;  // by Submit(), since the last Wait()
  bool put_off_ = false;           // the last Wait() did not call the kernel
};

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_EPOLL_BACKEND_H_
