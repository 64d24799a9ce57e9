// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/closed_loop/closed_loop.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/closed_loop/closed_sources.h"
#include "ringway/tools/loadgen/closed_loop/closed_tally.h"
#include "ringway/tools/loadgen/closed_loop/meter.h"
#include "ringway/tools/loadgen/connection/connection.h"
#include "ringway/tools/loadgen/connection/make_connection.h"
#include "ringway/tools/loadgen/connection/one_exchange.h"
#include "ringway/tools/loadgen/workers/progress_board.h"
#include "ringway/tools/loadgen/workers/worker_share.h"

namespace ringway::loadgen {
namespace {

// After an error of a short connection: a server that refuses them all would
// otherwise get connections as fast as this thread can make them.
constexpr absl::Duration kPauseAfterError = absl::Milliseconds(1);

// The interval of checks for a stop.
constexpr absl::Duration kCheckInterval = absl::Milliseconds(50);

constexpr absl::Duration kProgressInterval = absl::Seconds(1);

// What one worker does.
class ClosedLoop {
 public:
  ClosedLoop(const Clock& clock, const LoadOptions& options,
             const WorkerShare& share)
      : clock_(clock),
        options_(options),
        share_(share),
        opening_(options, share),
        sources_(static_cast<size_t>(share.CountOf(options.connections))),
        running_(share.CountOf(options.connections)) {}

  Task<absl::Status> Main();
  ClosedTally TakeTally() const;

  Meter& meter() { return meter_; }

 private:
  bool stopped() const { return running_ == 0 || options_.stopped(); }

  Task<void> RunConnection(int index);
  Task<absl::Status> RunStaying(int index);
  Task<absl::Status> RunShort(int index);
  std::unique_ptr<ClosedSource> MakeSource(int index);
  Task<void> Measure(MonotonicTime begin);
  void ShowProgress(MonotonicTime begin, MonotonicTime now) const;
  // Sleeps, less long when stopped.
  Task<void> PauseUntil(MonotonicTime end);
  Task<void> EndConnections(std::vector<JoinHandle<void>>& connections);

  const Clock& clock_;
  const LoadOptions& options_;
  const WorkerShare& share_;
  Meter meter_;
  Opening opening_;
  ClosedTally tally_;  // what is not in the meter
  // By WorkerShare::IndexOf(). Each is its task's; null: it is not open.
  std::vector<ClosedSource*> sources_;
  int running_;
  bool ending_ = false;
  Event all_ended_;
};

Task<absl::Status> ClosedLoop::Main() {
  std::vector<JoinHandle<void>> connections;
  opening_.Begin();
  for (int i = 0; i < share_.CountOf(options_.connections); ++i)
    connections.push_back(Spawn(RunConnection(share_.IndexOf(i))));
  if (!options_.short_connections) {
    absl::Status opened = co_await opening_.Wait();
    if (!opened.ok()) co_return opened;
  }
  Task<absl::StatusOr<MonotonicTime>> start =
      WaitForStart(share_.start, share_.worker);
  absl::StatusOr<MonotonicTime> begin = co_await std::move(start);
  if (!begin.ok()) co_return begin.status();
  co_await PauseUntil(*begin + options_.warmup);
  if (!stopped()) co_await Measure(*begin + options_.warmup);
  co_await EndConnections(connections);
  co_return absl::OkStatus();
}

Task<void> ClosedLoop::RunConnection(int index) {
  Task<absl::Status> run =
      options_.short_connections ? RunShort(index) : RunStaying(index);
  absl::Status status = co_await std::move(run);
  if (absl::IsCancelled(status)) {
    status = absl::DeadlineExceededError(absl::StrCat(
        "no reply within ", absl::FormatDuration(options_.patience)));
  }
  if (!status.ok()) meter_.RecordError(index, status, clock_.Now());
  if (--running_ == 0) all_ended_.Set();
}

Task<absl::Status> ClosedLoop::RunStaying(int index) {
  const std::unique_ptr<Connection> connection =
      MakeConnection(options_.mode, static_cast<uint32_t>(index));
  Task<absl::Status> open = opening_.Open(*connection, index);
  absl::Status opened = co_await std::move(open);
  // The run was stopped before its time to be opened.
  if (absl::IsCancelled(opened) && ending_) co_return absl::OkStatus();
  if (!opened.ok()) co_return opened;
  const std::unique_ptr<ClosedSource> source = MakeSource(index);
  ClosedSource*& entry = sources_[static_cast<size_t>(index / share_.workers)];
  entry = source.get();
  if (ending_) source->End();
  Task<absl::Status> run = connection->Run(*source);
  absl::Status ran = co_await std::move(run);
  entry = nullptr;
  Task<absl::Status> close = connection->Close();
  absl::Status closed = co_await std::move(close);
  co_return ran.ok() ? closed : ran;
}

std::unique_ptr<ClosedSource> ClosedLoop::MakeSource(int index) {
  if (AnswersInOrder(options_.mode.protocol)) {
    return std::make_unique<BatchSource>(clock_, index, options_.mode.depth,
                                         meter_);
  }
  return std::make_unique<WindowSource>(clock_, index, options_.mode.depth,
                                        meter_);
}

Task<absl::Status> ClosedLoop::RunShort(int index) {
  OneExchange exchange(options_.mode, static_cast<uint32_t>(index));
  while (!ending_) {
    const MonotonicTime begin = clock_.Now();
    Task<absl::StatusOr<MonotonicTime>> run = exchange.Run(options_.patience);
    absl::StatusOr<MonotonicTime> answered = co_await std::move(run);
    if (answered.ok()) {
      meter_.RecordReplies(begin, *answered, 1);
      continue;
    }
    if (absl::IsCancelled(answered.status())) co_return answered.status();
    meter_.RecordError(index, answered.status(), clock_.Now());
    absl::Status slept = co_await Sleep(kPauseAfterError);
    if (!slept.ok()) co_return slept;
  }
  co_return absl::OkStatus();
}

Task<void> ClosedLoop::Measure(MonotonicTime begin) {
  const CpuClock client_cpu = CpuClock::OfThisProcess();
  const absl::Duration client_before = client_cpu.Now();
  absl::Duration server_before;
  if (options_.server_cpu.has_value())
    server_before = options_.server_cpu->Now();
  meter_.Start(begin);
  const MonotonicTime end = begin + options_.duration;
  MonotonicTime now = clock_.Now();
  while (!stopped() && now < end) {
    co_await PauseUntil(std::min(end, now + kProgressInterval));
    now = clock_.Now();
    if (options_.on_progress) ShowProgress(begin, now);
  }
  meter_.Stop();
  tally_.measured = clock_.Now() - begin;
  // The processes are measured once, not by each worker.
  if (share_.worker != 0) co_return;
  tally_.client_cpu = client_cpu.Now() - client_before;
  if (options_.server_cpu.has_value())
    tally_.server_cpu = options_.server_cpu->Now() - server_before;
}

void ClosedLoop::ShowProgress(MonotonicTime begin, MonotonicTime now) const {
  Progress progress;
  progress.elapsed = now - begin;
  progress.left =
      std::max(options_.duration - progress.elapsed, absl::ZeroDuration());
  progress.requests = meter_.requests();
  progress.errors = meter_.errors().total();
  progress.recent_ns = meter_.series()->Recent(now);
  options_.on_progress(progress);
}

Task<void> ClosedLoop::PauseUntil(MonotonicTime end) {
  while (!stopped()) {
    const MonotonicTime now = clock_.Now();
    if (now >= end) break;
    absl::Status slept =
        co_await SleepUntil(std::min(end, now + kCheckInterval));
    if (!slept.ok()) break;
  }
}

Task<void> ClosedLoop::EndConnections(
    std::vector<JoinHandle<void>>& connections) {
  ending_ = true;
  for (ClosedSource* source : sources_)
    if (source != nullptr) source->End();
  // Those that were to be opened later, or are being opened, when the run was
  // stopped.
  const bool opened =
      options_.short_connections ||
      opening_.counts().opened + opening_.counts().failed == connections.size();
  absl::Duration patience = options_.patience;
  if (options_.mode.protocol == Protocol::kUdp)
    patience += options_.mode.loss_timeout;
  absl::Status ended = absl::CancelledError();
  if (opened) ended = co_await WithTimeout(patience, all_ended_.Wait());
  for (size_t i = 0; i < connections.size(); ++i) {
    if (!ended.ok()) connections[i].Cancel();
    absl::Status joined = co_await connections[i];
    if (!joined.ok()) {
      meter_.RecordError(share_.IndexOf(static_cast<int>(i)), joined,
                         clock_.Now());
    }
  }
}

ClosedTally ClosedLoop::TakeTally() const {
  ClosedTally tally = tally_;
  tally.requests = meter_.requests();
  tally.lost = meter_.lost();
  tally.strays = meter_.strays();
  tally.reopened = meter_.reopened();
  tally.errors = meter_.errors();
  tally.series = meter_.series();
  tally.opening = opening_.counts();
  return tally;
}

ClosedTally RunShare(Executor& executor, const LoadOptions& options,
                     const WorkerShare& share) {
  ClosedLoop loop(executor.loop().backend().clock(), options, share);
  loop.meter().Prepare(options.duration);
  absl::Status run = executor.Run(loop.Main());
  ClosedTally tally = loop.TakeTally();
  if (!run.ok()) tally.errors.Record(/*connection=*/0, run);
  return tally;
}

ClosedLoopResult ResultOf(const ClosedTally& tally) {
  ClosedLoopResult result;
  result.requests = tally.requests;
  result.lost = tally.lost;
  result.strays = tally.strays;
  result.reopened = tally.reopened;
  result.errors = tally.errors;
  result.opening = tally.opening;
  result.measured = tally.measured;
  result.client_cpu = tally.client_cpu;
  result.server_cpu = tally.server_cpu;
  result.latency_ns = tally.series->Total();
  result.series = tally.series->Rows(tally.measured);
  return result;
}

}  // namespace

ClosedLoopResult RunClosedLoop(Executor& executor, const LoadOptions& options) {
  StartLine line(1);
  return ResultOf(RunShare(executor, options, WorkerShare(0, 1, line)));
}

absl::StatusOr<ClosedLoopResult> RunClosedLoopOnWorkers(
    const LoadOptions& options) {
  ProgressBoard board(options.workers, options.on_progress);
  absl::StatusOr<ClosedTally> tally = RunOnWorkers<ClosedTally>(
      options.workers, options.first_cpu,
      [&](Executor& executor, const WorkerShare& share) {
        LoadOptions mine = options;
        if (options.on_progress) mine.on_progress = board.For(share.worker);
        return RunShare(executor, mine, share);
      });
  if (!tally.ok()) return tally.status();
  return ResultOf(*tally);
}

}  // namespace ringway::loadgen
