// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/open_loop.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/open_loop/paced_connections.h"
#include "ringway/tools/loadgen/open_loop/paced_target.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"
#include "ringway/tools/loadgen/open_loop/short_pool.h"

namespace ringway::loadgen {
namespace {

// The interval of checks whether the last replies have come.
constexpr absl::Duration kDrainInterval = absl::Milliseconds(10);

constexpr absl::Duration kProgressInterval = absl::Seconds(1);

PacedTargetOptions TargetOptionsOf(const OpenLoopOptions& options) {
  PacedTargetOptions target;
  target.target = options.load.target;
  target.connections = options.load.connections;
  target.request_bytes = options.load.client.size;
  target.verify = options.load.client.verify;
  target.queue = options.queue;
  target.patience = options.patience;
  return target;
}

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

class OpenLoop final : public PacedLoad {
 public:
  explicit OpenLoop(const OpenLoopOptions& options)
      : options_(options),
        target_options_(TargetOptionsOf(options)),
        phases_(WithWarmUp(options)),
        warm_ups_(phases_.size() - options.phases.size()),
        length_(LengthOf(options.phases)),
        meter_(phases_, length_) {
    if (options.load.short_connections) {
      target_ = std::make_unique<ShortPool>(target_options_, meter_);
    } else {
      target_ = std::make_unique<PacedConnections>(target_options_, meter_);
    }
  }

  Task<absl::Status> Main() {
    co_await target_->Open();
    absl::Status paced =
        co_await Pace(phases_, options_.arrivals, options_.seed, *this);
    if (paced.ok()) paced = co_await Drain();
    co_await target_->Close();
    co_return paced;
  }

  OpenLoopResult TakeResult();

  // PacedLoad:
  void BeginPhase(size_t phase, MonotonicTime now) override;
  void Offer(const PacedRequest& request, MonotonicTime now) override {
    meter_.RecordOffered(request, now);
    target_->Offer(request);
  }
  void OnOffered(MonotonicTime now) override;
  void EndPhase(size_t phase, MonotonicTime now) override;
  bool stopped() const override {
    const std::atomic<bool>* stop = options_.load.stop;
    return !target_->alive() ||
           (stop != nullptr && stop->load(std::memory_order_relaxed));
  }

 private:
  // Waits for the last replies.
  Task<absl::Status> Drain();
  void ReadCpuClocks(absl::Duration& client, absl::Duration& server) const;

  const OpenLoopOptions& options_;
  const PacedTargetOptions target_options_;
  const std::vector<Phase> phases_;
  const size_t warm_ups_;        // phases that are not measured
  const absl::Duration length_;  // of the others
  OpenMeter meter_;
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
  const MonotonicTime end = clock.Now() + options_.patience;
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

OpenLoopResult OpenLoop::TakeResult() {
  OpenLoopResult result;
  for (size_t phase = warm_ups_; phase < begun_; ++phase) {
    result.phases.push_back(meter_.counts(phase));
    result.total.Add(result.phases.back());
  }
  result.series = meter_.series().Rows(result.total.took);
  result.unanswered = meter_.unanswered();
  result.errors = meter_.errors();
  result.client_cpu = client_cpu_;
  if (options_.load.server_cpu.has_value()) result.server_cpu = server_cpu_;
  return result;
}

}  // namespace

OpenLoopResult RunOpenLoop(Executor& executor, const OpenLoopOptions& options) {
  OpenLoop loop(options);
  const absl::Status run = executor.Run(loop.Main());
  OpenLoopResult result = loop.TakeResult();
  if (!run.ok()) result.errors.Record(/*connection=*/0, run);
  return result;
}

}  // namespace ringway::loadgen
