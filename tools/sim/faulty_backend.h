// SPDX-License-Identifier: Apache-2.0
//
// FaultyBackend: a backend that forwards everything to another one, and
// misbehaves in one chosen way. What is above it is real, and shows whether the
// fault would be found there.

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
  // A write that waits beside a read of the same fd is forgotten when the read
  // brings something. So it is where the mask of what an fd is polled for loses
  // the writer when it is set for the reader.
  kForgottenWrite,
  // An accept on a shared listener whose connection another worker has taken
  // does not return: the listener has lost its O_NONBLOCK. Its worker stands
  // still, timers and all, until the next connection is its own.
  kBlockingAccept,
  // A multishot receive that is told to stop has ended before its owner knows,
  // which prepares it again: what it had brought last is gone. So it is where
  // an operation counts as idle while its end waits in the ready queue.
  kLostEnd,
};

class FaultyBackend final : public Backend {
 public:
  // Those that have a fault together.
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
  void Notify() override { inner_->Notify(); }
  bool TakeDelivery(DeliveringOperation& op, Delivery& delivery) override {
    return inner_->TakeDelivery(op, delivery);
  }
  void ReturnBuffer(uint16_t buffer_id) override {
    inner_->ReturnBuffer(buffer_id);
  }
  BackendHints& hints() override { return inner_->hints(); }
  int PollableFd() const override { return inner_->PollableFd(); }
  BackendStats stats() const override { return inner_->stats(); }

 private:
  // Another's time, but for the time that it stands still.
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
      kForgotten,  // its end will not be told
      kSwallowed,  // nor has it been: it has ended
    };
    Operation* op;
    Phase phase = Phase::kStarted;
  };

  static BackendInfo InfoOf(const Backend& inner, const Clock& clock);

  InFlight* Find(const Runnable& entry);
  // Forgets those that have ended, and been told of.
  void RemoveEnded();
  // What each fault does with `news`, the entries of one Wait().
  void ForgetWrites(RunnableList& news);
  void LoseEnds();
  void BlockOthers(RunnableList& news);
  // Stands still if it, too, was about to accept from `listener`.
  void BlockIn(const sockaddr_storage& listener);
  void StandStill(RunnableList& done);
  // Ends what was swallowed on `fd`, or kAnyFd, as cancelled.
  static void EndSwallowed(Operation& op, RunnableList& done);
  size_t CancelSwallowed(int fd, RunnableList& done);
  sockaddr_storage NameOf(int listener) const;

  const std::unique_ptr<Backend> inner_;
  const BackendFault fault_;
  Group& group_;
  StoppableClock clock_;
  std::vector<InFlight> in_flight_;
  // The accept that does not return, and what has come meanwhile.
  DeliveringOperation* blocked_in_ = nullptr;
  uint32_t accepted_before_ = 0;
  RunnableList unseen_;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_FAULTY_BACKEND_H_
