// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/open_loop.h"

#include <sys/prctl.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/open_loop/open_tally.h"
#include "ringway/tools/loadgen/open_loop/paced_connections.h"
#include "ringway/tools/loadgen/open_loop/paced_target.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"
#include "ringway/tools/loadgen/open_loop/short_pool.h"
#include "ringway/tools/loadgen/workers/progress_board.h"
#include "ringway/tools/loadgen/workers/worker_share.h"

namespace ringway::loadgen {
namespace {

// The interval of checks whether the last replies have come.
constexpr absl::Duration kDrainInterval = absl::Milliseconds(10);

constexpr absl::Duration kProgressInterval = absl::Seconds(1);

std::vector<Phase> WithWarmUp(const OpenLoopOptions& options) {
  std::vector<Phase> phases = options.phases;
  if (options.load.warmup > absl::ZeroDuration()) {
    phases.insert(phases.begin(),
                  Phase(phases.front().per_second, options.load.warmup));
  }
  return phases;
}

absl::Duration LengthOf(const std::vector<Phase>& phases) {
  absl::Duration length;
  for (const Phase& phase : phases) length += phase.length;
  return length;
}

// What one worker does.
class OpenLoop final : public PacedLoad {
 public:
  OpenLoop(const OpenLoopOptions& options, const WorkerShare& share)
      : options_(options),
        share_(share),
        phases_(WithWarmUp(options)),
        warm_ups_(phases_.size() - options.phases.size()),
        length_(LengthOf(options.phases)),
        meter_(phases_, length_, share.workers),
        opening_(options.load, share) {
    if (options.load.short_connections) {
      target_ = std::make_unique<ShortPool>(options, share, meter_);
    } else {
      target_ =
          std::make_unique<PacedConnections>(options, share, opening_, meter_);
    }
  }

  Task<absl::Status> Main() {
    co_await target_->Open();
    Task<absl::StatusOr<MonotonicTime>> start =
        WaitForStart(share_.start, share_.worker);
    absl::StatusOr<MonotonicTime> begin = co_await std::move(start);
    absl::Status paced = begin.status();
    if (paced.ok()) {
      Task<absl::Status> pace = Pace(phases_, ArrivalsOfShare(), *begin, *this);
      paced = co_await std::move(pace);
    }
    if (paced.ok()) paced = co_await Drain();
    co_await target_->Close();
    co_return paced;
  }

  OpenTally TakeTally() const;

  // PacedLoad:
  void BeginPhase(size_t phase, MonotonicTime now) override;
  void Offer(const PacedRequest& request, MonotonicTime now) override {
    meter_.RecordOffered(request, now);
    target_->Offer(request);
  }
  void OnOffered(MonotonicTime now) override;
  void EndPhase(size_t phase, MonotonicTime now) override;
  bool stopped() const override {
    return !target_->alive() || options_.load.stopped();
  }

 private:
  Arrivals ArrivalsOfShare() const {
    return Arrivals(phases_, options_.arrivals, options_.seed, share_.worker,
                    share_.workers);
  }
  // Waits for the last replies.
  Task<absl::Status> Drain();
  void ReadCpuClocks(absl::Duration& client, absl::Duration& server) const;

  const OpenLoopOptions& options_;
  const WorkerShare& share_;
  const std::vector<Phase> phases_;
  const size_t warm_ups_;        // phases that are not measured
  const absl::Duration length_;  // of the others
  OpenMeter meter_;
  Opening opening_;
  std::unique_ptr<PacedTarget> target_;
  size_t begun_ = 0;  // phases
  MonotonicTime measured_since_;
  MonotonicTime progress_at_ = MonotonicTime::Infinite();
  absl::Duration client_cpu_at_begin_;
  absl::Duration server_cpu_at_begin_;
  absl::Duration client_cpu_;
  absl::Duration server_cpu_;
};

void OpenLoop::BeginPhase(size_t phase, MonotonicTime now) {
  if (phase == warm_ups_) {
    ReadCpuClocks(client_cpu_at_begin_, server_cpu_at_begin_);
    measured_since_ = now;
    meter_.StartSeries(now);
    if (options_.load.on_progress) progress_at_ = now + kProgressInterval;
  }
  meter_.BeginPhase(phase, now);
  begun_ = phase + 1;
}

void OpenLoop::OnOffered(MonotonicTime now) {
  meter_.Sample(now);
  if (now < progress_at_) return;
  progress_at_ = now + kProgressInterval;
  Progress progress;
  progress.elapsed = now - measured_since_;
  progress.left = std::max(length_ - progress.elapsed, absl::ZeroDuration());
  for (size_t phase = warm_ups_; phase < begun_; ++phase)
    progress.requests += meter_.counts(phase).answers;
  progress.errors = meter_.errors().total();
  progress.recent_ns = meter_.series().Recent(now);
  options_.load.on_progress(progress);
}

void OpenLoop::EndPhase(size_t phase, MonotonicTime now) {
  meter_.EndPhase(now, options_.server_memory.has_value()
                           ? options_.server_memory->ResidentBytes()
                           : 0);
  if (phase < warm_ups_) return;
  ReadCpuClocks(client_cpu_, server_cpu_);
  client_cpu_ -= client_cpu_at_begin_;
  server_cpu_ -= server_cpu_at_begin_;
}

Task<absl::Status> OpenLoop::Drain() {
  const Clock& clock = CurrentLoop().backend().clock();
  const MonotonicTime end = clock.Now() + options_.load.patience;
  absl::Status slept;
  while (slept.ok() && meter_.unanswered() > 0 && !stopped() &&
         clock.Now() < end) {
    slept = co_await Sleep(kDrainInterval);
  }
  co_return slept;
}

void OpenLoop::ReadCpuClocks(absl::Duration& client,
                             absl::Duration& server) const {
  client = CpuClock::OfThisProcess().Now();
  if (options_.load.server_cpu.has_value())
    server = options_.load.server_cpu->Now();
}

OpenTally OpenLoop::TakeTally() const {
  OpenTally tally(meter_.series());
  for (size_t phase = warm_ups_; phase < begun_; ++phase)
    tally.phases.push_back(meter_.counts(phase));
  tally.unanswered = meter_.unanswered();
  tally.opening = opening_.counts();
  tally.errors = meter_.errors();
  tally.client_cpu = client_cpu_;
  if (options_.load.server_cpu.has_value()) tally.server_cpu = server_cpu_;
  return tally;
}

OpenTally RunShare(Executor& executor, const OpenLoopOptions& options,
                   const WorkerShare& share) {
  OpenLoop loop(options, share);
  const absl::Status run = executor.Run(loop.Main());
  OpenTally tally = loop.TakeTally();
  if (!run.ok()) tally.errors.Record(/*connection=*/0, run);
  return tally;
}

OpenLoopResult ResultOf(const OpenTally& tally) {
  OpenLoopResult result;
  result.phases = tally.phases;
  for (const PhaseCounts& phase : tally.phases) result.total.Add(phase);
  result.series = tally.series.Rows(result.total.took);
  result.unanswered = tally.unanswered;
  result.opening = tally.opening;
  result.errors = tally.errors;
  result.client_cpu = tally.client_cpu;
  result.server_cpu = tally.server_cpu;
  return result;
}

}  // namespace

OpenLoopResult RunOpenLoop(Executor& executor, const OpenLoopOptions& options) {
  StartLine line(1);
  return ResultOf(RunShare(executor, options, WorkerShare(0, 1, line)));
}

absl::StatusOr<OpenLoopResult> RunOpenLoopOnWorkers(
    const OpenLoopOptions& options) {
  ProgressBoard board(options.load.workers, options.load.on_progress);
  absl::StatusOr<OpenTally> tally = RunOnWorkers<OpenTally>(
      options.load.workers, options.load.first_cpu,
      [&](Executor& executor, const WorkerShare& share) {
        // Wakes the pacer when a request is due and not up to 50 us later.
        prctl(PR_SET_TIMERSLACK, 1);
        OpenLoopOptions mine = options;
        if (options.load.on_progress)
          mine.load.on_progress = board.For(share.worker);
        return RunShare(executor, mine, share);
      });
  if (!tally.ok()) return tally.status();
  return ResultOf(*tally);
}

}  // namespace ringway::loadgen
