// SPDX-License-Identifier: Apache-2.0
//
// OpenMeter: the counters of an open loop, for each phase.
//
// A request is offered when it is due. Then it is dropped, because the queue is
// full; or it is answered, at once or late; or it is lost with its connection;
// or it is left unanswered at the end.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_METER_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_METER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/histogram.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"
#include "ringway/tools/loadgen/open_loop/recovery_watch.h"
#include "ringway/tools/loadgen/series/time_series.h"

namespace ringway::loadgen {

// Of the requests that were due in a phase, unless it is said otherwise.
struct PhaseCounts {
  PhaseCounts() {}

  uint64_t offered = 0;
  uint64_t sent = 0;  // begun to be written, or to be connected for
  uint64_t answered = 0;
  uint64_t dropped = 0;
  uint64_t lost = 0;
  uint64_t strays = 0;             // replies to no request, in the phase's time
  uint64_t reopened = 0;           // connections, in the phase's time
  Histogram latency_ns;            // from the intended time, of those answered
  Histogram late_ns;               // of the generator, in offering them
  uint64_t offered_late = 0;       // by more than kLateNs
  uint64_t send_delay_max_ns = 0;  // from the intended time

  // Of the phase's time.
  absl::Duration took;
  uint64_t answers = 0;  // that came in it, to requests of any phase
  uint64_t errors = 0;
  uint64_t backlog = 0;  // at its end: requests of any phase without an answer
  std::optional<absl::Duration> recovered_after;
  uint64_t server_rss_bytes = 0;  // at its end; 0: not measured

  // Adds the counts of `other`, the next phase. That a server recovered is of
  // one phase and stays.
  void Add(const PhaseCounts& other);
  // Adds those of another worker in the same phase. The server has recovered
  // when it has for all of them.
  void Merge(const PhaseCounts& other);
};

// A request that is offered this much after its intended time was offered
// late: the thread that generates the load was busy, or was not run.
inline constexpr uint64_t kLateNs = 1'000'000;

// Shared by all connections; one thread.
class OpenMeter {
 public:
  // For one of `workers`, each with its share of the rates. `measured`: for
  // how long the series will last, about.
  OpenMeter(std::vector<Phase> phases, absl::Duration measured, int workers)
      : phases_(std::move(phases)),
        workers_(workers),
        counts_(phases_.size()),
        series_(measured) {}

  // From now on it is also counted by time. Once.
  void StartSeries(MonotonicTime now) {
    series_.Begin(now);
    has_series_ = true;
  }

  void BeginPhase(size_t phase, MonotonicTime now);
  // Call it often, after all that is due was offered.
  void Sample(MonotonicTime now);
  void EndPhase(MonotonicTime now, uint64_t server_rss_bytes);

  void RecordOffered(const PacedRequest& request, MonotonicTime now) {
    PhaseCounts& counts = counts_[request.phase];
    const uint64_t late = Since(request, now);
    ++counts.offered;
    ++unanswered_;
    counts.late_ns.Record(late);
    if (late > kLateNs) ++counts.offered_late;
    if (has_series_) series_.RecordOffered(now);
  }
  void RecordDropped(const PacedRequest& request) {
    ++counts_[request.phase].dropped;
    --unanswered_;
  }
  void RecordSent(const PacedRequest& request, MonotonicTime now) {
    PhaseCounts& counts = counts_[request.phase];
    ++counts.sent;
    counts.send_delay_max_ns =
        std::max(counts.send_delay_max_ns, Since(request, now));
  }
  void RecordAnswered(const PacedRequest& request, MonotonicTime now) {
    PhaseCounts& counts = counts_[request.phase];
    ++counts.answered;
    counts.latency_ns.Record(Since(request, now));
    --unanswered_;
    if (running_ == nullptr) return;
    ++running_->answers;
    if (has_series_) series_.Record(now, Since(request, now), 1);
  }
  void RecordLost(const PacedRequest& request) {
    ++counts_[request.phase].lost;
    --unanswered_;
  }
  void RecordStray() {
    if (running_ != nullptr) ++running_->strays;
  }
  void RecordReopened() {
    if (running_ != nullptr) ++running_->reopened;
  }
  void RecordError(int connection, const absl::Status& error);

  // Requests offered, and neither answered nor dropped nor lost.
  uint64_t unanswered() const { return unanswered_; }
  const ErrorCounts& errors() const { return errors_; }
  const PhaseCounts& counts(size_t phase) const { return counts_[phase]; }
  // Empty before StartSeries(). Answers and errors count while a phase runs.
  const TimeSeries& series() const { return series_; }

 private:
  static uint64_t Since(const PacedRequest& request, MonotonicTime now) {
    return static_cast<uint64_t>(now.nanoseconds() -
                                 request.intended.nanoseconds());
  }

  const std::vector<Phase> phases_;
  const int workers_;
  std::vector<PhaseCounts> counts_;
  PhaseCounts* running_ = nullptr;
  MonotonicTime began_;
  MonotonicTime sampled_;
  TimeSeries series_;
  bool has_series_ = false;
  std::optional<RecoveryWatch> recovery_;
  uint64_t unanswered_ = 0;
  ErrorCounts errors_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_METER_H_
