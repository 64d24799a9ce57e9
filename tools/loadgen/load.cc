// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/load.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_stream.h"
#include "ringway/tools/loadgen/meter.h"
#include "ringway/tools/loadgen/short_client.h"

namespace ringway::loadgen {
namespace {

// The time limit for connecting, and for the last replies.
constexpr absl::Duration kPatience = absl::Seconds(5);

// After an error of a short connection: a server that refuses them all would
// otherwise get connections as fast as this thread can make them.
constexpr absl::Duration kPauseAfterError = absl::Milliseconds(1);

// The interval of checks for a stop.
constexpr absl::Duration kLookAround = absl::Milliseconds(50);

Task<absl::Status> WaitFor(Event& event) { co_return co_await event.Wait(); }

class Load {
 public:
  explicit Load(const LoadOptions& options)
      : options_(options),
        connecting_(options.connections),
        running_(options.connections) {}

  Task<absl::Status> Main();
  LoadResult TakeResult() const;

 private:
  bool stopped() const {
    return running_ == 0 || (options_.stop != nullptr &&
                             options_.stop->load(std::memory_order_relaxed));
  }

  Task<void> RunConnection(int index);
  template <typename Stream>
  Task<absl::Status> Exchange(int index);
  Task<absl::Status> ExchangeShort(int index);
  Task<void> Measure();
  void ShowProgress(MonotonicTime start, MonotonicTime now) const;
  // Sleeps, less long when stopped.
  Task<void> Pause(absl::Duration duration);
  Task<void> EndConnections(std::vector<JoinHandle<void>>& connections);

  const LoadOptions& options_;
  Meter meter_;
  LoadResult result_;
  int connecting_;
  int running_;
  bool ending_ = false;
  Event all_connected_;  // or failed to
  Event all_ended_;
};

Task<absl::Status> Load::Main() {
  std::vector<JoinHandle<void>> connections;
  for (int i = 0; i < options_.connections; ++i)
    connections.push_back(Spawn(RunConnection(i)));
  absl::Status connected = co_await all_connected_.Wait();
  if (!connected.ok()) co_return connected;
  co_await Pause(options_.warmup);
  if (!stopped()) co_await Measure();
  co_await EndConnections(connections);
  co_return absl::OkStatus();
}

Task<void> Load::RunConnection(int index) {
  absl::Status status;
  if (options_.short_connections) {
    status = co_await ExchangeShort(index);
  } else {
    Task<absl::Status> exchange = options_.target.tls.has_value()
                                      ? Exchange<net::TlsStream>(index)
                                      : Exchange<net::TcpStream>(index);
    status = co_await std::move(exchange);
  }
  if (absl::IsCancelled(status)) {
    status = absl::DeadlineExceededError(
        absl::StrCat("no reply within ", absl::FormatDuration(kPatience)));
  }
  if (!status.ok()) meter_.RecordError(index, status);
  if (--running_ == 0) all_ended_.Set();
}

template <typename Stream>
Task<absl::Status> Load::Exchange(int index) {
  Task<absl::StatusOr<Stream>> open =
      OpenStream<Stream>(options_.target, kPatience);
  absl::StatusOr<Stream> stream = co_await std::move(open);
  if (--connecting_ == 0) all_connected_.Set();
  if (!stream.ok()) co_return stream.status();
  Client client(index, options_.client, meter_);
  absl::Status status = co_await client.Run(*stream, ending_);
  absl::Status closed = co_await stream->Close();
  co_return status.ok() ? closed : status;
}

Task<absl::Status> Load::ExchangeShort(int index) {
  if (--connecting_ == 0) all_connected_.Set();
  ShortClient client(static_cast<uint32_t>(index), options_.target,
                     options_.client.size, options_.client.verify);
  while (!ending_) {
    const MonotonicTime begin = Clock::Real().Now();
    absl::StatusOr<MonotonicTime> answered =
        co_await client.Exchange(kPatience);
    if (answered.ok()) {
      meter_.RecordReplies(begin, *answered, 1);
      continue;
    }
    if (absl::IsCancelled(answered.status())) co_return answered.status();
    meter_.RecordError(index, answered.status());
    absl::Status slept = co_await Sleep(kPauseAfterError);
    if (!slept.ok()) co_return slept;
  }
  co_return absl::OkStatus();
}

Task<void> Load::Measure() {
  meter_.Prepare(options_.duration);  // not at the cost of what is measured
  const CpuClock client_cpu = CpuClock::OfThisProcess();
  const absl::Duration client_before = client_cpu.Now();
  absl::Duration server_before;
  if (options_.server_cpu.has_value())
    server_before = options_.server_cpu->Now();
  const MonotonicTime start = Clock::Real().Now();
  meter_.Start(start);
  while (!stopped()) {
    const absl::Duration elapsed = Clock::Real().Now() - start;
    if (elapsed >= options_.duration) break;
    co_await Pause(std::min(options_.duration - elapsed, absl::Seconds(1)));
    if (options_.on_progress) ShowProgress(start, Clock::Real().Now());
  }
  meter_.Stop();
  result_.measured = Clock::Real().Now() - start;
  result_.client_cpu = client_cpu.Now() - client_before;
  if (options_.server_cpu.has_value())
    result_.server_cpu = options_.server_cpu->Now() - server_before;
}

void Load::ShowProgress(MonotonicTime start, MonotonicTime now) const {
  Progress progress;
  progress.elapsed = now - start;
  progress.left =
      std::max(options_.duration - progress.elapsed, absl::ZeroDuration());
  progress.requests = meter_.requests();
  progress.errors = meter_.errors().total();
  progress.recent_ns = meter_.series()->Recent(now);
  options_.on_progress(progress);
}

Task<void> Load::Pause(absl::Duration duration) {
  const MonotonicTime end = Clock::Real().Now() + duration;
  while (!stopped()) {
    const absl::Duration left = end - Clock::Real().Now();
    if (left <= absl::ZeroDuration()) break;
    absl::Status slept = co_await Sleep(std::min(left, kLookAround));
    if (!slept.ok()) break;
  }
}

Task<void> Load::EndConnections(std::vector<JoinHandle<void>>& connections) {
  ending_ = true;
  absl::Status ended = co_await WithTimeout(kPatience, WaitFor(all_ended_));
  for (size_t i = 0; i < connections.size(); ++i) {
    if (!ended.ok()) connections[i].Cancel();
    absl::Status joined = co_await connections[i];
    if (!joined.ok()) meter_.RecordError(static_cast<int>(i), joined);
  }
}

LoadResult Load::TakeResult() const {
  LoadResult result = result_;
  result.requests = meter_.requests();
  result.errors = meter_.errors();
  if (meter_.series().has_value()) {
    result.latency_ns = meter_.series()->Total();
    result.series = meter_.series()->Rows(result.measured);
  }
  return result;
}

}  // namespace

LoadResult RunLoad(Executor& executor, const LoadOptions& options) {
  Load load(options);
  absl::Status run = executor.Run(load.Main());
  LoadResult result = load.TakeResult();
  if (!run.ok()) result.errors.Record(/*connection=*/0, run);
  return result;
}

}  // namespace ringway::loadgen
