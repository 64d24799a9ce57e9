// SPDX-License-Identifier: Apache-2.0
//
// End: one end of a pair, on its worker, and its two concurrent programs:
// sequences of calls determined by the end's seed.

#ifndef RINGWAY_NET_STREAM_MODEL_END_H_
#define RINGWAY_NET_STREAM_MODEL_END_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/stream_model/ledger.h"
#include "ringway/net/stream_model/plan.h"
#include "ringway/net/stream_model/random.h"
#include "ringway/net/stream_model/world.h"

namespace ringway::net::model {

// True if an operation ended because of a cancel or a deadline.
inline bool IsStopped(const absl::Status& status) {
  return absl::IsCancelled(status) || absl::IsDeadlineExceeded(status);
}

// All but the stream.
class EndState {
 public:
  EndState(Local& local, size_t pair, size_t side);
  EndState(const EndState&) = delete;
  EndState& operator=(const EndState&) = delete;
  virtual ~EndState() = default;

  const EndPlan& plan() const { return plan_; }
  const ExecutorOptions& options() const { return local_.world.plan.options; }
  Direction& out() { return out_; }
  Direction& in() { return in_; }
  Random Fork() { return random_.Fork(); }

  // The stream has been ended, and must not be used.
  virtual bool gone() const = 0;
  // Set while an operation refers to the stream, which must outlive it.
  void set_pinned(bool pinned) { pinned_ = pinned; }
  // Whether the plan ends the stream at this moment.
  bool MayLeave(Role role) const;

  // A call ended as the program has stopped it.
  void CountStop() { ++local_.world.ledger.stopped; }
  // True if it was cancelled from outside the program.
  bool WasCut(const absl::Status& status) const;
  void Fail(std::string_view what);

  // Sends a note to the next worker, and waits for an answer of it.
  Task<void> Tell(Role role);
  Task<void> Ask(uint64_t question);

 private:
  Local& local_;
  const size_t pair_;
  const size_t side_;
  const EndPlan& plan_;
  Direction& out_;
  Direction& in_;
  Random random_;
  bool pinned_ = false;
};

template <ByteStream Stream>
class End final : public EndState {
 public:
  End(Local& local, size_t pair, size_t side, Stream stream)
      : EndState(local, pair, side), stream_(std::move(stream)) {}

  Stream& stream() { return stream_; }
  bool gone() const override { return !stream_.valid(); }

  // Ends the stream.
  Task<void> LeaveNow(Leave how) {
    out().WillEnd(how == Leave::kReset ? kReset : kClosed);
    in().WillLeave();
    if (how == Leave::kReset) {
      stream_.Reset();
    } else if (how == Leave::kClose) {
      const absl::Status closed = co_await stream_.Close();
      if (!closed.ok() && !WasCut(closed))
        Fail(absl::StrCat("a close failed: ", closed.ToString()));
    } else {
      stream_ = Stream();
    }
  }

 private:
  Stream stream_;
};

// Each returns when its direction has ended. For TcpStream and TlsStream.
template <ByteStream Stream>
Task<void> WriteProgram(End<Stream>& end, Random random);
template <ByteStream Stream>
Task<void> ReadProgram(End<Stream>& end, Random random);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_END_H_
