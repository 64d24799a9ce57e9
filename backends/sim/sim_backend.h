// SPDX-License-Identifier: Apache-2.0
//
// SimBackend: the Backend contract in a simulated world.
//
// An operation is tried when it is started, and again whenever a description
// it waits on has changed. Its result becomes an outcome, which Wait()
// delivers:
//
//   (loop's pending) --Submit--> held --> tried --> outcome --Wait--> done
//                                         |  ^
//                                 blocked v  | change
//                                        waiting
//
// Without outcomes, Wait() advances the virtual clock to the next event; if
// there is none, it really blocks, for Notify(). In a world with a Scheduler
// it only records until when it would block, and returns.

#ifndef RINGWAY_BACKENDS_SIM_SIM_BACKEND_H_
#define RINGWAY_BACKENDS_SIM_SIM_BACKEND_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/common/completions.h"
#include "ringway/backends/common/receive_buffers.h"
#include "ringway/backends/sim/environment/trace.h"
#include "ringway/backends/sim/request.h"
#include "ringway/backends/sim/sockets.h"
#include "ringway/backends/sim/world.h"
#include "ringway/core/containers/slab.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/unique_fd.h"

namespace ringway::sim {

class SimBackend final : public Backend {
 public:
  // Use World::MakeBackend().
  SimBackend(World& world, uint32_t number, const BackendOptions& options,
             uint32_t host);
  ~SimBackend() override;

  void Submit(OperationList& pending, RunnableList& done) override;
  void Wait(MonotonicTime deadline, RunnableList& done) override;
  CancelOutcome Cancel(Operation& op, RunnableList& done) override;
  size_t CancelFd(int fd, RunnableList& done) override;
  void Quiesce(RunnableList& done) override;
  int32_t RunNow(Operation& op) override;
  // Everything takes its simulated time.
  int32_t ReadCached(const Operation& op) override;
  void Notify() override;
  bool TakeDelivery(DeliveringOperation& op, Delivery& delivery) override;
  void ReturnBuffer(uint32_t buffer_id) override;
  int PollableFd() const override;
  BackendStats stats() const override;

  // When a Scheduler must turn its loop again: not while this is later than
  // now.
  MonotonicTime wake_time() const;
  // The waits of its operations in flight, one a line.
  std::string DescribeWaits();

 private:
  // An outcome for the next Wait(): a delivery or the end.
  struct Outcome {
    SlabKey request;
    int32_t result;
    bool is_end;
    ReceiveBuffer buffer;  // deliveries of receives
  };

  // Starting.
  void Start(Operation& op);
  void LookUpFds(Request& request);
  bool StartScripted(Request& request);
  bool StartFaulty(Request& request);
  int DrawError(const Request& request);
  absl::Duration DiskLatency(const Request& request);
  void Fail(Request& request, int errnum);
  void BeginLater(Request& request, absl::Duration delay);
  void EndLater(Request& request, int32_t result, absl::Duration delay);
  absl::Duration RandomDelay();

  // Trying.
  static void OnChange(Waiter& waiter, uint32_t events);
  void Try(Request& request, uint32_t events);
  void TryOneShot(Request& request);
  void TryPoll(Request& request, uint32_t events);
  void TryAccept(Request& request);
  void TryReceive(Request& request);
  bool HasBufferFor(const Request& request) const;
  ReceiveBuffer TakeBuffer(const Operation& op);
  void TryZeroCopy(Request& request);
  void Park(Request& request);
  void RetryStarved();

  // Ending.
  void Complete(Request& request, int64_t result);
  void Deliver(Request& request, int64_t result, const ReceiveBuffer& buffer);
  void End(Request& request, int32_t result);
  void EndZeroCopy(Request& request);
  void AddOutcome(const Outcome& outcome);
  void CancelNow(Request& request);
  void EndEverything();

  // Telling.
  void Sleep(MonotonicTime deadline);
  bool BlockUntilNotified();
  bool TakeNotification();
  void Progress();
  void Flush(RunnableList& done);
  void Shuffle();
  void Tell(const Outcome& outcome, RunnableList& done);
  void Discard();

  Request& RequestOf(const Operation& op);
  void Record(TraceEvent event, const Operation& op, int64_t value);
  void RingDoorbell() const;
  void SilenceDoorbell();

  const OwnerThread owner_;
  World& world_;
  Environment& environment_;
  const uint32_t number_;
  const BackendOptions options_;
  const uint32_t host_;
  Sockets sockets_;
  const UniqueFd doorbell_;  // an eventfd
  std::atomic<bool> notified_{false};
  std::atomic<bool> blocking_{false};        // in a real wait for the doorbell
  mutable std::atomic<bool> nested_{false};  // the doorbell may be polled

  Completions completions_;
  BackendStats& stats_ = completions_.stats();
  std::unique_ptr<ReceiveBuffers> buffers_;  // made by the first receive

  OperationList in_flight_;
  absl::flat_hash_map<const Operation*, SlabKey> requests_;
  IntrusiveList<Waiter> starved_;  // receives waiting for a buffer
  std::vector<Outcome> outcomes_;
  // Of Shuffle(): the slot of an operation, and a place in outcomes_.
  std::vector<std::pair<uint32_t, size_t>> arrivals_;
  std::vector<std::pair<uint32_t, size_t>> places_;
  std::vector<Outcome> shuffled_;
  uint32_t room_;  // operations that Submit() takes before the next Wait()
  MonotonicTime asleep_until_ = MonotonicTime::FromNanoseconds(0);
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_SIM_BACKEND_H_
