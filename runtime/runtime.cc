// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/runtime.h"

#include <sched.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/check.h"
#include "ringway/core/leak_in_child.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/runtime/start_up.h"
#include "ringway/runtime/unix_path.h"
#include "ringway/runtime/worker.h"

namespace ringway {
namespace {

// All but ended_by_code.
constexpr uint64_t RuntimeReport::*kCounters[] = {
    &RuntimeReport::accepted,
    &RuntimeReport::refused,
    &RuntimeReport::ended_ok,
    &RuntimeReport::ended_error,
    &RuntimeReport::ended_throw,
    &RuntimeReport::start_failed,
    &RuntimeReport::listeners_failed,
    &RuntimeReport::exceptions,
    &RuntimeReport::cut,
    &RuntimeReport::system_calls,
    &RuntimeReport::operations,
    &RuntimeReport::turns,
    &RuntimeReport::spins,
};
static_assert(sizeof(RuntimeReport) ==
              std::size(kCounters) * sizeof(uint64_t) +
                  sizeof(RuntimeReport::ended_by_code));

[[gnu::cold, gnu::noinline]] void Add(RuntimeReport& sum,
                                      const RuntimeReport& one) {
  for (uint64_t RuntimeReport::*counter : kCounters)
    sum.*counter += one.*counter;
  for (size_t i = 0; i < sum.ended_by_code.size(); ++i)
    sum.ended_by_code[i] += one.ended_by_code[i];
}

}  // namespace

Runtime::Builder::Config::Config(
    std::unique_ptr<internal::RuntimeConfig> config)
    : config_(std::move(config)) {}
Runtime::Builder::Config::Config(Config&&) noexcept = default;
Runtime::Builder::Config::~Config() = default;

internal::RuntimeConfig& Runtime::Builder::Config::operator*() const {
  RINGWAY_CHECK(config_ != nullptr,
                "a Runtime::Builder was used after it was moved from");
  return *config_;
}

Runtime::Builder::Builder()
    : config_(std::make_unique<internal::RuntimeConfig>()) {}
Runtime::Builder::Builder(Builder&&) noexcept = default;
Runtime::Builder::~Builder() = default;

Runtime::Builder& Runtime::Builder::Workers(int n) {
  config_->workers = n;
  return *this;
}

Runtime::Builder& Runtime::Builder::Pin(int first) {
  config_->first_cpu = first;
  return *this;
}

Runtime::Builder& Runtime::Builder::Options(const ExecutorOptions& options) {
  config_->executor = options;
  return *this;
}

Runtime::Builder& Runtime::Builder::Listen(std::string_view address,
                                           ConnectionHandler handler) {
  config_->listen.push_back({std::string(address), std::move(handler)});
  return *this;
}

Runtime::Builder& Runtime::Builder::OnStart(StartHandler handler,
                                            OnStartFailure failure) {
  auto& handlers = failure == OnStartFailure::kReport ? config_->on_start
                                                      : config_->required_start;
  if (handler) handlers.push_back(std::move(handler));
  return *this;
}

Runtime::Builder& Runtime::Builder::MaxConnections(size_t n) {
  config_->max_connections = n;
  return *this;
}

Runtime::Builder& Runtime::Builder::DrainDeadline(absl::Duration deadline) {
  config_->drain_deadline = deadline;
  return *this;
}

namespace {

absl::Status OutOfRange(std::string_view option, const absl::AlphaNum& is,
                        const absl::AlphaNum& range) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, " is ", is, ", must be ", range));
}

// Checks the ranges of all options except the executor's own and the
// addresses.
absl::Status CheckConfig(const internal::RuntimeConfig& config) {
  if (config.workers < 1 || config.workers > 1024)
    return OutOfRange("Workers", config.workers, "1 to 1024");
  const int last_first_cpu = CPU_SETSIZE - config.workers;
  if (config.first_cpu > last_first_cpu) {
    return OutOfRange("Pin", config.first_cpu,
                      absl::StrCat("at most ", last_first_cpu, " with Workers ",
                                   config.workers));
  }
  if (config.max_connections < 1)
    return OutOfRange("MaxConnections", config.max_connections, "at least 1");
  if (config.drain_deadline < absl::ZeroDuration()) {
    return OutOfRange("DrainDeadline",
                      absl::FormatDuration(config.drain_deadline), "0 or more");
  }
  // A server that cannot accept would look like a working one.
  const size_t n_listen = config.listen.size();
  const size_t tasks_needed = 1 + n_listen + (n_listen > 0 ? 1 : 0) +
                              config.on_start.size() +
                              (config.required_start.empty() ? 0 : 1);
  if (config.executor.max_tasks < tasks_needed) {
    return OutOfRange(
        "ExecutorOptions::max_tasks", config.executor.max_tasks,
        absl::StrCat(
            "at least ", tasks_needed,
            ": a worker needs one task of its own, one for each Listen(), one "
            "for each OnStart(), and one for a connection"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Runtime>> Runtime::Builder::Launch() {
  if (absl::Status s = CheckConfig(*config_); !s.ok()) return s;
  std::vector<net::SocketAddress> addresses;
  for (const internal::ListenConfig& listen : config_->listen) {
    absl::StatusOr<net::SocketAddress> address =
        net::SocketAddress::Parse(listen.address);
    if (!address.ok()) return address.status();
    if (!listen.handler) {
      return absl::InvalidArgumentError(
          absl::StrCat("Listen(\"", listen.address, "\") has no handler"));
    }
    addresses.push_back(*address);
  }
  std::unique_ptr<Runtime> runtime(
      new Runtime(std::make_unique<internal::RuntimeConfig>(*config_)));
  runtime->addresses_ = std::move(addresses);
  // On an error the runtime's destructor stops the workers that were started.
  if (absl::Status s = runtime->StartWorkers(); !s.ok()) return s;
  if (absl::Status s = runtime->OpenListeners(); !s.ok()) return s;
  if (absl::Status s = runtime->RunRequiredStarts(); !s.ok()) return s;
  for (std::unique_ptr<internal::Worker>& worker : runtime->workers_)
    worker->Serve();
  return runtime;
}

Runtime::Runtime(std::unique_ptr<internal::RuntimeConfig> config)
    : config_(std::move(config)) {}

Runtime::~Runtime() {
  if (owner_.forked()) {
    LeakInChild(std::move(workers_));
    LeakInChild(std::move(config_));
    return;
  }
  CheckNotOnWorker();
  Shutdown();
  Wait();
}

// All workers of a runtime must be alike: one on another backend would have
// different limits and speed, and the report names only one backend.
absl::Status Runtime::StartWorkers() {
  if (absl::Status s = StartEachWorker(); !s.ok()) return s;
  if (OnOneBackend()) return absl::OkStatus();
  const auto n_epoll = std::count_if(
      workers_.begin(), workers_.end(),
      [](const auto& worker) { return worker->backend_name() == "epoll"; });
  fprintf(stderr,
          "ringway: using epoll on all %d workers, because io_uring is "
          "unavailable on %d of them\n",
          config_->workers, static_cast<int>(n_epoll));
  Shutdown();
  Wait();
  handles_.clear();
  workers_.clear();
  config_->executor.loop.backend.kind = BackendKind::kEpoll;
  if (absl::Status s = StartEachWorker(); !s.ok()) return s;
  if (OnOneBackend()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "io_uring is unavailable on some workers, and RINGWAY_BACKEND=auto "
      "prevents the use of epoll on all: set it to epoll");
}

bool Runtime::OnOneBackend() const {
  return std::all_of(workers_.begin(), workers_.end(), [&](const auto& worker) {
    return worker->backend_name() == workers_[0]->backend_name();
  });
}

absl::Status Runtime::StartEachWorker() {
  workers_.reserve(config_->workers);
  handles_.reserve(config_->workers);
  for (int i = 0; i < config_->workers; ++i)
    workers_.push_back(std::make_unique<internal::Worker>(*config_, i));
  // Nothing throws between the first start and the last wait, so no thread is
  // left running.
  for (std::unique_ptr<internal::Worker>& worker : workers_)
    worker->StartThread();
  for (std::unique_ptr<internal::Worker>& worker : workers_)
    worker->WaitUntilStarted();
  for (const std::unique_ptr<internal::Worker>& worker : workers_) {
    if (absl::Status s = worker->start_status(); !s.ok()) return s;
    handles_.push_back(worker->handle());
  }
  backend_description_ = workers_[0]->backend_description();
  return absl::OkStatus();
}

absl::Status Runtime::OpenListeners() {
  std::vector<std::vector<SocketFd>> sockets(workers_.size());
  net::ListenOptions options;
  options.reuse_port = workers_.size() > 1;
  for (net::SocketAddress& address : addresses_) {
    for (size_t w = 0; w < workers_.size(); ++w) {
      options.claim_port = w == 0;
      // A Unix path has one socket, from which every worker accepts.
      const bool share = w > 0 && address.is_unix();
      absl::StatusOr<SocketFd> fd =
          share
              ? net::DuplicateSocket(sockets[0].back())
              : net::MakeListenSocket(workers_[w]->sockets(), address, options);
      if (!fd.ok()) return fd.status();
      if (w == 0) {  // resolves port 0 for the other workers
        absl::StatusOr<net::SocketAddress> bound =
            net::SocketAddress::LocalOf(fd->calls(), fd->get());
        if (!bound.ok()) return bound.status();
        address = *bound;
        if (address.is_unix()) unix_paths_.emplace_back(address);
      }
      sockets[w].push_back(*std::move(fd));
    }
  }
  for (size_t w = 0; w < workers_.size(); ++w)
    workers_[w]->Arrange(handles_, std::move(sockets[w]));
  for (std::unique_ptr<internal::Worker>& worker : workers_) {
    if (absl::Status s = worker->WaitUntilArranged(); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Runtime::RunRequiredStarts() {
  if (config_->required_start.empty()) return absl::OkStatus();
  start_up_ = std::make_unique<internal::StartUp>(config_->workers);
  for (std::unique_ptr<internal::Worker>& worker : workers_)
    worker->StartUpFor(*start_up_);
  return start_up_->Wait();
}

// Called when no listener is left. Each path is removed once.
void Runtime::RemoveUnixSockets() {
  std::lock_guard<std::mutex> lock(end_mutex_);
  for (internal::UnixPath& path : unix_paths_) path.Remove();
}

void Runtime::Shutdown() {
  owner_.Check("a Runtime");
  for (std::unique_ptr<internal::Worker>& worker : workers_) worker->Shutdown();
}

void Runtime::Cut() {
  owner_.Check("a Runtime");
  for (std::unique_ptr<internal::Worker>& worker : workers_) worker->Cut();
}

bool Runtime::HasEnded() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->has_ended(); });
}

void Runtime::CheckNotOnWorker() const {
  for (const std::unique_ptr<internal::Worker>& worker : workers_) {
    RINGWAY_CHECK(
        !worker->IsThisThread(),
        "Runtime::Wait(), or the destructor of a Runtime, on one of its own "
        "workers, which would wait for its own end (exit() in a handler "
        "destroys a global one there, too: use Shutdown() instead)");
  }
}

RuntimeReport Runtime::Wait() {
  owner_.Check("a Runtime");
  CheckNotOnWorker();
  RuntimeReport sum;
  for (std::unique_ptr<internal::Worker>& worker : workers_) {
    worker->Join();
    Add(sum, worker->report());
  }
  RemoveUnixSockets();
  return sum;
}

}  // namespace ringway
