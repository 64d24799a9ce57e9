// SPDX-License-Identifier: Apache-2.0
//
// FaultyBackend: a backend that forwards all calls to another one, with one
// chosen fault. The layers above are real, so this tests whether they would
// detect the fault.

#ifndef RINGWAY_TOOLS_SIM_FAULTY_BACKEND_H_
#define RINGWAY_TOOLS_SIM_FAULTY_BACKEND_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ringway/backends/backend.h"
#include "ringway/backends/operation.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::simulation {

enum class BackendFault : uint8_t {
  // A write that waits while a read of the same fd is waiting is forgotten
  // when the read completes, as when an fd's poll mask is set for the reader
  // and loses the writer.
  kForgottenWrite,
  // An accept on a shared listener whose connection another worker has taken
  // blocks, as if the listener had lost O_NONBLOCK. Its worker stops,
  // including its timers, until it gets a connection.
  kBlockingAccept,
  // A stopped multishot receive has ended before its owner's callback has
  // run, and the owner prepares it again: its last delivery is lost, as when
  // an operation counts as idle while its end is in the ready queue.
  kLostEnd,
};

class FaultyBackend final : public Backend {
 public:
  // Backends that share a fault.
  using Group = std::vector<FaultyBackend*>;

  // Joins `group`, which must outlive this.
  FaultyBackend(std::unique_ptr<Backend> inner, BackendFault fault,
                Group& group);
  ~FaultyBackend() override;

  void Submit(OperationList& pending, RunnableList& done) override;
  void Wait(MonotonicTime deadline, RunnableList& done) override;
  bool Peek() const override { return inner_->Peek(); }
  CancelOutcome Cancel(Operation& op, RunnableList& done) override;
  size_t CancelFd(int fd, RunnableList& done) override;
  void Quiesce(RunnableList& done) override;
  int32_t RunNow(Operation& op) override { return inner_->RunNow(op); }
  int32_t ReadCached(const Operation& op) override {
    return inner_->ReadCached(op);
  }
  void Notify() override { inner_->Notify(); }
  bool TakeDelivery(DeliveringOperation& op, Delivery& delivery) override {
    return inner_->TakeDelivery(op, delivery);
  }
  void ReturnBuffer(uint32_t buffer_id) override {
    inner_->ReturnBuffer(buffer_id);
  }
  BackendHints& hints() override { return inner_->hints(); }
  int PollableFd() const override { return inner_->PollableFd(); }
  BackendStats stats() const override { return inner_->stats(); }

 private:
  // The inner clock, minus the time that the backend was stopped.
  class StoppableClock : public Clock {
   public:
    explicit StoppableClock(const Clock& clock) : clock_(clock) {}
    MonotonicTime Now() const override {
      return stopped_ ? stopped_at_ : clock_.Now();
    }
    void Stop() {
      stopped_at_ = Now();
      stopped_ = true;
    }
    void GoOn() { stopped_ = false; }

   private:
    const Clock& clock_;
    bool stopped_ = false;
    MonotonicTime stopped_at_;
  };

  struct InFlight {
    enum class Phase : uint8_t {
      kStarted,
      kWaits,      // it has not ended in the turn of its start
      kForgotten,  // its end will not be reported
      kSwallowed,  // it has ended unreported
    };
    Operation* op;
    Phase phase = Phase::kStarted;
  };

  static BackendInfo InfoOf(const Backend& inner, const Clock& clock);

  InFlight* Find(const Runnable& entry);
  // Removes those that have ended and been reported.
  void RemoveEnded();
  // Apply each fault to `news`, the entries of one Wait().
  void ForgetWrites(RunnableList& news);
  void LoseEnds();
  void BlockOthers(RunnableList& news);
  // Stops if it was also about to accept from `listener`.
  void BlockIn(const sockaddr_storage& listener);
  void StandStill(RunnableList& done);
  // Ends swallowed operations on `fd`, or kAnyFd, as cancelled.
  static void EndSwallowed(Operation& op, RunnableList& done);
  size_t CancelSwallowed(int fd, RunnableList& done);
  sockaddr_storage NameOf(int listener) const;

  const std::unique_ptr<Backend> inner_;
  const BackendFault fault_;
  Group& group_;
  StoppableClock clock_;
  std::vector<InFlight> in_flight_;
  // The blocked accept, and the entries that arrived meanwhile.
  DeliveringOperation* blocked_in_ = nullptr;
  uint32_t accepted_before_ = 0;
  RunnableList unseen_;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_FAULTY_BACKEND_H_
