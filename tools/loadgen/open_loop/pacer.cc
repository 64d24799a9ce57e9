// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/pacer.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"

namespace ringway::loadgen {
namespace {

// The interval of checks for a stop.
constexpr absl::Duration kCheckInterval = absl::Milliseconds(50);

// The arrivals, in the time of the loop's clock.
class Schedule {
 public:
  Schedule(Arrivals arrivals, MonotonicTime begin)
      : arrivals_(std::move(arrivals)), begin_ns_(begin.nanoseconds()) {}

  // Offers what is due in `phase`. Returns when the next request of it is, or
  // `end` if there is none.
  MonotonicTime OfferDue(size_t phase, MonotonicTime end, MonotonicTime now,
                         PacedLoad& load) {
    while (arrivals_.left() && arrivals_.phase() == phase) {
      const MonotonicTime intended =
          MonotonicTime::FromNanoseconds(begin_ns_ + arrivals_.at_ns());
      if (intended > now) return intended;
      load.Offer({intended, phase}, now);
      arrivals_.Advance();
    }
    return end;
  }

 private:
  Arrivals arrivals_;
  const int64_t begin_ns_;
};

}  // namespace

Task<absl::Status> Pace(std::vector<Phase> phases, Arrivals arrivals,
                        MonotonicTime begin, PacedLoad& load) {
  const Clock& clock = CurrentLoop().backend().clock();
  MonotonicTime now = clock.Now();
  MonotonicTime end = begin;
  Schedule schedule(std::move(arrivals), begin);
  absl::Status slept;
  for (size_t phase = 0; phase < phases.size() && slept.ok() && !load.stopped();
       ++phase) {
    end = end + phases[phase].length;
    load.BeginPhase(phase, now);
    while (slept.ok() && !load.stopped()) {
      const MonotonicTime next = schedule.OfferDue(phase, end, now, load);
      load.OnOffered(now);
      if (now >= end) break;
      slept = co_await SleepUntil(std::min(next, now + kCheckInterval));
      now = clock.Now();
    }
    load.EndPhase(phase, now);
  }
  co_return slept;
}

}  // namespace ringway::loadgen
