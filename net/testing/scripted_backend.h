// SPDX-License-Identifier: Apache-2.0
//
// ScriptedBackend: a backend for one socket, whose kernel is a script: the test
// says what arrives, and Wait() is when it is collected.
//
// So a test has every order of arrival, collection and the owner's steps in its
// hand, which a kernel leaves to chance. Virtual time; never blocks.
//
//   backend.Arrive("bytes");
//   backend.ArriveEnd(-ECONNRESET);
//   loop.Wait(kPast);  // collected: the owner's notice is in the ready queue
//   ...                // what runs before the notice does
//   loop.Work();       // the owner is told

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

  // --- What the script says.

  // Bytes, which a receive delivers or takes up to its length of.
  void Arrive(std::string_view bytes);
  // A connection, as which an accept delivers `fd`, owned from now on.
  void ArriveConnection(int fd);
  // The next receive or accept that comes to it ends with `result`. Behind a
  // reset, or an end of stream (0), receives find the end of the stream.
  void ArriveEnd(int32_t result);
  // When a cancel is carried out.
  enum class Cancels : uint8_t {
    kBeforeArrivals,  // by the next Wait(), before anything is delivered
    kAfterArrivals,   // by the next Wait(), after that
    kLate,            // by the Wait() after the next
  };
  void SetCancels(Cancels when) { cancels_ = when; }
  void AdvanceTime(absl::Duration d) { clock_.Advance(d); }
  // Closes connections and drops bytes that nothing has collected.
  void Forget();

  // --- What the test looks at.

  size_t buffers_lent() const { return lent_.size(); }
  // A receive or accept is in flight, and its end has not been asked for.
  bool armed() const;

  // --- Backend.

  void Submit(OperationList& pending, RunnableList& done) override;
  void Wait(MonotonicTime deadline, RunnableList& done) override;
  CancelOutcome Cancel(Operation& op, RunnableList& done) override;
  size_t CancelFd(int fd, RunnableList& done) override;
  void Quiesce(RunnableList& done) override;
  void Notify() override {}
  bool TakeDelivery(DeliveringOperation& op, Delivery& delivery) override;
  void ReturnBuffer(uint16_t buffer_id) override;
  int PollableFd() const override { return -1; }
  BackendStats stats() const override { return stats_; }

 private:
  struct Arrival {
    enum Kind { kBytes, kConnection, kEnd } kind;
    int32_t value = 0;  // the fd, or the result of the end
    std::string bytes;
  };

  // True when `op` has ended.
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
  std::map<uint16_t, std::string> lent_;
  uint16_t next_buffer_ = 0;
  bool at_end_ = false;
  Cancels cancels_ = Cancels::kBeforeArrivals;
  OperationList cancelling_;  // by the next Wait()
};

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_SCRIPTED_BACKEND_H_
