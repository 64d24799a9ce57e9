// SPDX-License-Identifier: Apache-2.0
//
// ScriptedBackend: a backend for one socket with a scripted kernel: the test
// determines what arrives, and Wait() collects it.
//
// So a test controls the order of arrivals, collection and the owner's steps,
// which is random on a kernel. Virtual time; never blocks.
//
//   backend.Arrive("bytes");
//   backend.ArriveEnd(-ECONNRESET);
//   loop.Wait(kPast);  // collected: the owner's notice is in the ready queue
//   ...                // what runs before the notice does
//   loop.Work();       // the owner's callback runs

#ifndef RINGWAY_NET_TESTING_SCRIPTED_BACKEND_H_
#define RINGWAY_NET_TESTING_SCRIPTED_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/common/completions.h"
#include "ringway/backends/operation.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::net::testing {

class ScriptedBackend final : public Backend {
 public:
  ScriptedBackend();
  ~ScriptedBackend() override;

  // --- The script.

  // Bytes arrive for a receive.
  void Arrive(std::string_view bytes);
  // A connection arrives for an accept, with the fd `fd`, which is owned from
  // now on.
  void ArriveConnection(int fd);
  // The next receive or accept that reaches it ends with `result`. After a
  // reset or an end of stream (0), receives get the end of the stream.
  void ArriveEnd(int32_t result);
  // When a cancel takes effect.
  enum class Cancels : uint8_t {
    kBeforeArrivals,  // by the next Wait(), before anything is delivered
    kAfterArrivals,   // by the next Wait(), after that
    kLate,            // by the Wait() after the next
  };
  void SetCancels(Cancels when) { cancels_ = when; }
  void AdvanceTime(absl::Duration d) { clock_.Advance(d); }
  // Closes connections and drops bytes that were not collected.
  void Forget();

  // --- For assertions.

  size_t buffers_lent() const { return lent_.size(); }
  // True if a receive or accept is in flight and was not cancelled.
  bool armed() const;

  // --- Backend.

  void Submit(OperationList& pending, RunnableList& done) override;
  void Wait(MonotonicTime deadline, RunnableList& done) override;
  CancelOutcome Cancel(Operation& op, RunnableList& done) override;
  size_t CancelFd(int fd, RunnableList& done) override;
  void Quiesce(RunnableList& done) override;
  void Notify() override {}
  bool TakeDelivery(DeliveringOperation& op, Delivery& delivery) override;
  void ReturnBuffer(uint32_t buffer_id) override;
  int PollableFd() const override { return -1; }
  BackendStats stats() const override { return stats_; }

 private:
  struct Arrival {
    enum Kind { kBytes, kConnection, kEnd } kind;
    int32_t value = 0;  // the fd, or the result of the end
    std::string bytes;
  };

  // True if `op` has ended.
  bool Advance(Operation& op, RunnableList& done);
  bool End(Operation& op, RunnableList& done);
  void Deliver(DeliveringOperation& op, RunnableList& done);
  int32_t TakeBytes(Operation& op);
  void EndCancelled(OperationList& list, RunnableList& done);
  void Finish(Operation& op, int32_t result, RunnableList& done);

  ManualClock clock_;
  Completions completions_;
  BackendStats& stats_ = completions_.stats();
  OperationList in_flight_;
  std::deque<Arrival> arrivals_;
  std::map<uint32_t, std::string> lent_;
  uint32_t next_buffer_ = 0;
  bool at_end_ = false;
  Cancels cancels_ = Cancels::kBeforeArrivals;
  OperationList cancelling_;  // by the next Wait()
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_SCRIPTED_BACKEND_H_
