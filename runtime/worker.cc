// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/worker.h"

#include <pthread.h>
#include <sched.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/interval.h"
#include "ringway/executor/task/shield.h"
#include "ringway/net/tcp.h"
#include "ringway/net/udp_socket.h"
#include "ringway/runtime/serving/status_of_exception.h"

namespace ringway {
namespace {

thread_local internal::Worker* current_worker = nullptr;

// Without text, which would have to be allocated.
absl::Status NoMemory() {
  return absl::Status(absl::StatusCode::kResourceExhausted, "");
}

// A child forked by a worker runs on a copy of its thread. The acceptor is no
// worker.
bool OnAWorker() {
  return current_worker != nullptr && current_worker->index() >= 0 &&
         !current_worker->forked();
}

Task<absl::Status> Call(const StartHandler& handler) {
  try {
    Task<absl::Status> task = handler();
    co_return co_await std::move(task);
  } catch (...) {
    co_return internal::StatusOfException();
  }
}

}  // namespace

int CurrentWorker() { return OnAWorker() ? current_worker->index() : -1; }

std::span<const ExecutorHandle> CurrentWorkers() {
  if (!OnAWorker()) return {};
  return current_worker->workers();
}

Runtime* Runtime::Current() {
  return OnAWorker() ? &current_worker->runtime() : nullptr;
}

namespace internal {

Worker::Worker(Runtime& runtime, const RuntimeConfig& config, Role role)
    : runtime_(runtime), config_(config), role_(std::move(role)) {}

Worker::~Worker() {
  RINGWAY_CHECK(!thread_.joinable(),
                "a worker was destroyed while its thread runs");
}

bool Worker::IsThisThread() const { return current_worker == this; }

bool Worker::IsOnAny() {
  return current_worker != nullptr && !current_worker->forked();
}

void Worker::StartThread() noexcept {
  try {
    thread_ = std::thread([this] { ThreadMain(); });
    return;
  } catch (const std::system_error& e) {
    start_errno_ = e.code().value();
  } catch (const std::bad_alloc&) {
    start_errno_ = ENOMEM;
  }
  started_.set_value(NoMemory());
}

void Worker::WaitUntilStarted() noexcept {
  start_status_ = started_.get_future().get();
  if (!start_status_.ok()) Join();
}

absl::Status Worker::start_status() const {
  if (start_errno_ != 0)
    return ErrnoToStatus(start_errno_, absl::StrCat("starting ", role_.name));
  if (!start_status_.ok() && start_status_.message().empty()) {
    return absl::Status(
        start_status_.code(),
        absl::StrCat("starting ", role_.name, ": there is no memory for it"));
  }
  return start_status_;
}

void Worker::Join() {
  std::lock_guard<std::mutex> lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

// --- Any thread

void Worker::Send(Order& order) noexcept {
  if (order.sent.exchange(true, std::memory_order_relaxed)) return;
  // Refused once the worker has ended, when there is nothing left to do.
  static_cast<void>(handle_.Send(order));
}

void Worker::Order::Received(InboxMessage& message, bool accepted) {
  Order& order = static_cast<Order&>(message);
  if (accepted) (order.worker.*order.act)();
}

void Worker::Arrange(std::span<const ExecutorHandle> workers,
                     WorkerSockets sockets, bool expects_admits) noexcept {
  workers_ = workers;
  sockets_ = std::move(sockets);
  expects_admits_ = expects_admits;
  Send(arrange_);
}

absl::Status Worker::WaitUntilArranged() {
  absl::Status status = arranged_.get_future().get();
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(role_.name, ": ",
                                   status.message().empty()
                                       ? "there is no memory for its listeners"
                                       : status.message()));
}

// --- The worker's thread

void Worker::ThreadMain() {
  current_worker = this;
  pthread_setname_np(pthread_self(), role_.name.substr(0, 15).c_str());
  absl::Status failed;
  try {
    failed = Prepare();
    // If there is memory for Main(), it begins, and then nothing throws.
    if (failed.ok()) executor_->Run(Main()).IgnoreError();
  } catch (const std::bad_alloc&) {
    failed = NoMemory();
  }
  if (!failed.ok()) {
    watch_ = StallDetector::Watch();
    if (executor_ != nullptr) executor_->SetTrace(nullptr);
    executor_.reset();
    started_.set_value(failed);
    return;
  }
  FillReport();
  watch_ = StallDetector::Watch();
  executor_->SetTrace(nullptr);
  executor_.reset();
  ended_.store(true, std::memory_order_release);
  if (config_.on_worker_end != nullptr) config_.on_worker_end();
}

absl::Status Worker::Prepare() {
  if (role_.cpu >= 0) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (role_.cpu < CPU_SETSIZE) CPU_SET(role_.cpu, &cpus);
    if (int errnum =
            pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
        errnum != 0) {
      return ErrnoToStatus(
          errnum, absl::StrCat("pinning ", role_.name, " to CPU ", role_.cpu));
    }
  }
  absl::StatusOr<std::unique_ptr<Executor>> executor =
      Executor::Create(config_.executor);
  if (!executor.ok()) return executor.status();
  executor_ = *std::move(executor);
  if (role_.pools != nullptr) role_.pools->GiveTo(*executor_);
  if (runs_handlers() && !config_.trace.empty()) {
    trace_ = std::make_unique<TraceRecorder>(role_.name);
    executor_->SetTrace(trace_.get());
  }
  if (runs_handlers() && !config_.metrics.empty()) {
    times_ = std::make_unique<TurnTimes>();
    executor_->SetTurnTimes(times_.get());
  }
  if (role_.stall_detector != nullptr)
    watch_ = role_.stall_detector->Attach(*executor_, role_.name);
  ServerOptions options = role_.server;
  // The worker's tasks are all there for its connections.
  options.cut_grace = config_.executor.shutdown_grace;
  options.on_cut = [this] { executor_->CancelAll(); };
  server_ = std::make_unique<Server>(*executor_, options);
  handle_ = ExecutorHandle(*executor_);
  const Backend& backend = executor_->loop().backend();
  backend_description_ = std::string(backend.description());
  backend_name_ = std::string(backend.name());
  sockets_of_backend_ = &backend.sockets();
  return absl::OkStatus();
}

void Worker::FillReport() {
  const ExecutorStats stats = executor_->stats();
  static_cast<ConnectionCounts&>(report_) = server_->counts();
  if (!runs_handlers()) {  // the workers count what it has accepted
    report_.accepted = report_.accepted_late = 0;
    report_.ended_ok = report_.ended_error = 0;
    report_.ended_by_code = {};
  }
  report_.exceptions = stats.detached_exceptions + stats.loop.post_exceptions;
  report_.system_calls = stats.loop.backend.system_calls;
  report_.operations =
      stats.loop.backend.completed + stats.loop.backend.deliveries;
  report_.turns = stats.loop.turns;
  report_.spins = stats.loop.spins_paid + stats.loop.spins_unpaid;
}

// Also by messages that arrive while the executor ends: `executor_` is null
// then.
WorkerSnapshot Worker::Snapshot() const {
  WorkerSnapshot snapshot;
  snapshot.backend = backend_name_;
  snapshot.executor = CurrentExecutor().stats();
  const ConnectionCounts& counts = server_->counts();
  snapshot.counters.accepted = counts.accepted;
  snapshot.counters.accepted_late = counts.accepted_late;
  snapshot.counters.refused = counts.refused;
  snapshot.counters.ended_by_code = counts.ended_by_code;
  snapshot.counters.ended_throw = counts.ended_throw;
  snapshot.counters.cut = counts.cut;
  snapshot.counters.forced = counts.forced;
  snapshot.counters.accept_pauses = counts.accept_pauses;
  snapshot.counters.listeners_failed = counts.listeners_failed;
  snapshot.counters.start_failed = report_.start_failed;
  snapshot.counters.connections_now = server_->connections();
  snapshot.counters.max_connections = role_.server.max_connections;
  snapshot.counters.max_tasks = config_.executor.max_tasks;
  if (times_ != nullptr) {
    auto histograms = std::make_shared<WorkerHistograms>();
    histograms->turn = times_->turn;
    histograms->task_run = times_->task_run;
    histograms->ready_delay = times_->ready_delay;
    histograms->accept_to_handler = server_->accept_to_handler();
    snapshot.histograms = std::move(histograms);
  }
  return snapshot;
}

WorkerSnapshot Worker::SnapshotOfThisOne() {
  RINGWAY_CHECK(OnAWorker(), "a snapshot of a worker on another thread");
  return current_worker->Snapshot();
}

void Worker::DoArrange() {
  absl::Status status;
  try {
    status = ServeSockets();
  } catch (const std::bad_alloc&) {
    status = NoMemory();
  }
  arranged_.set_value(status);
}

// The tasks spawned here wait for serving_, or for the server's start.
absl::Status Worker::ServeSockets() {
  if (expects_admits_) server_->ExpectAdmits();
  if (runs_handlers()) SpawnHandlers();
  for (BoundSocket& socket : sockets_.listening) {
    net::TcpListener listener =
        net::TcpListener::Adopt(executor_->loop(), std::move(socket.fd));
    absl::Status listens =
        server_->Listen(std::move(listener), *socket.endpoint);
    if (!listens.ok()) return listens;
  }
  for (BoundUdpSocket& socket : sockets_.udp) {
    net::UdpSocket udp =
        net::UdpSocket::Adopt(executor_->loop(), std::move(socket.fd));
    absl::Status serves = server_->ServeUdp(std::move(udp), *socket.endpoint);
    if (!serves.ok()) return serves;
  }
  return absl::OkStatus();
}

void Worker::SpawnHandlers() {
  for (const StartHandler& handler : config_.on_start)
    Start({&handler, 1}, /*required=*/false);
  for (const TickConfig& tick : config_.on_tick)
    executor_->Spawn(TickFor(tick), "OnTick").Detach();
}

void Worker::StartUpFor(StartUp& start_up) noexcept {
  start_up_ = &start_up;
  Send(begin_);
}

void Worker::DoStartUp() {
  try {
    Start(config_.required_start, /*required=*/true);
  } catch (const std::bad_alloc&) {
    start_up_->Report(NoMemory());
  }
}

void Worker::DoServe() {
  server_->Start();  // now, as a shutdown may follow in the same turn
  serving_.Set();
}

void Worker::DoShutdown() {
  shutting_down_ = true;
  server_->Shutdown();
  serving_.Set();
}

void Worker::DoCut() {
  server_->Cut();
  DoShutdown();
}

void Worker::TakeOver(size_t endpoint, SocketFd fd) {
  server_->Admit(config_.listen[endpoint].endpoint, std::move(fd));
}

// After a shutdown this must not fail: it has made its coroutines before.
Task<void> Worker::Main() {
  Shield shield;  // against handlers that cancel every task
  Task<void> serve = server_->Run();
  Task<void> stop = RunStopHandlers();
  started_.set_value(absl::OkStatus());
  (co_await serving_.Wait()).IgnoreError();
  co_await std::move(serve);
  OnServed();
  co_await std::move(stop);
}

void Worker::Start(std::span<const StartHandler> handlers, bool required) {
  executor_->Spawn(RunStartHandlers(handlers, required), "OnStart").Detach();
}

Task<void> Worker::RunStartHandlers(std::span<const StartHandler> handlers,
                                    bool required) {
  if (!required) {
    (co_await serving_.Wait()).IgnoreError();
    if (shutting_down_) co_return;
  }
  absl::Status status;
  for (const StartHandler& handler : handlers) {
    Task<absl::Status> call = Call(handler);
    status = co_await std::move(call);
    if (!status.ok()) break;
  }
  ReportStart(required, status);
}

void Worker::ReportStart(bool required, const absl::Status& status) {
  if (required) {
    start_up_->Report(status.ok()
                          ? status
                          : absl::Status(status.code(),
                                         absl::StrCat("OnStart on ", role_.name,
                                                      ": ", status.message())));
    return;
  }
  // A shutdown cancels it, which is not a failure.
  if (status.ok() || shutting_down_) return;
  ++report_.start_failed;
  fprintf(stderr, "ringway: %s: OnStart failed: %.*s\n", role_.name.c_str(),
          static_cast<int>(status.message().size()), status.message().data());
}

Task<void> Worker::RunStopHandlers() {
  if (!runs_handlers() || !server_->was_started()) co_return;
  for (const StartHandler& handler : config_.on_stop) {
    absl::Status status;
    try {
      Task<absl::Status> limited =
          WithTimeout(config_.executor.shutdown_grace, Call(handler));
      status = co_await std::move(limited);
    } catch (...) {
      status = StatusOfException();
    }
    if (status.ok()) continue;
    ++report_.stop_failed;
    fprintf(stderr, "ringway: %s: OnStop failed: %.*s\n", role_.name.c_str(),
            static_cast<int>(status.message().size()), status.message().data());
  }
}

// What the handler throws ends the task, and is reported as of any other.
Task<void> Worker::TickFor(const TickConfig& tick) {
  (co_await serving_.Wait()).IgnoreError();
  if (shutting_down_) co_return;
  Interval interval(tick.period);
  while ((co_await interval.Tick()).ok()) tick.handler();
}

}  // namespace internal
}  // namespace ringway
