// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/runtime.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/check.h"
#include "ringway/core/leak_in_child.h"
#include "ringway/executor/diagnostics/trace.h"
#include "ringway/net/datagram/make_udp_socket.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/runtime/acceptor.h"
#include "ringway/runtime/host/cpu_topology.h"
#include "ringway/runtime/host/file_limit.h"
#include "ringway/runtime/metrics/ask_each_worker.h"
#include "ringway/runtime/metrics_worker.h"
#include "ringway/runtime/pools/runtime_pools.h"
#include "ringway/runtime/runtime_config.h"
#include "ringway/runtime/start_up.h"
#include "ringway/runtime/unix_path.h"
#include "ringway/runtime/worker.h"

namespace ringway {
namespace {

// The CPU of each worker; negative: it is not pinned.
std::vector<int> CpusOf(const internal::RuntimeConfig& config) {
  std::vector<int> cpus(static_cast<size_t>(*config.workers), -1);
  if (config.core_offset.has_value()) {
    const absl::StatusOr<std::vector<int>> allowed = AllowedCpus();
    if (!allowed.ok()) return cpus;
    const std::vector<int> order = PinningOrder(CpuTopology::Read(*allowed),
                                                *allowed, *config.core_offset);
    for (size_t i = 0; i < cpus.size() && !order.empty(); ++i)
      cpus[i] = order[i % order.size()];
  } else if (config.first_cpu >= 0) {
    std::iota(cpus.begin(), cpus.end(), config.first_cpu);
  }
  return cpus;
}

// Of a ListenConfig or UdpConfig. An inherited socket is asked once it is open.
template <typename SocketConfig>
absl::StatusOr<net::SocketAddress> AddressOf(const SocketConfig& config) {
  if (config.inherited != nullptr) return net::SocketAddress();
  return net::SocketAddress::Parse(config.address);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Runtime>> RuntimeBuilder::Launch() {
  auto config = std::make_unique<internal::RuntimeConfig>(*config_);
  internal::Resolve(*config);
  if (absl::Status s = internal::CheckConfig(*config); !s.ok()) return s;
  for (const internal::ListenConfig& listen : config->listen) {
    if (listen.endpoint.handler) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("Listen(\"", listen.address, "\") has no handler"));
  }
  for (const internal::UdpConfig& udp : config->udp) {
    if (udp.endpoint.handler) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("BindUdp(\"", udp.address, "\") has no handler"));
  }
  std::unique_ptr<Runtime> runtime(new Runtime(std::move(config)));
  if (absl::Status s = runtime->RaiseFileLimit(); !s.ok()) return s;
  // All addresses are valid before anything starts.
  if (absl::Status s = runtime->FindAddresses(); !s.ok()) return s;
  if (absl::Status s = runtime->WatchForStalls(); !s.ok()) return s;
  // On an error the runtime's destructor stops the workers that were started.
  if (absl::Status s = runtime->StartWorkers(); !s.ok()) return s;
  if (absl::Status s = runtime->OpenSockets(); !s.ok()) return s;
  if (absl::Status s = runtime->OpenMetrics(); !s.ok()) return s;
  if (absl::Status s = runtime->RunRequiredStarts(); !s.ok()) return s;
  for (internal::Worker* worker : runtime->threads_) worker->Serve();
  if (runtime->metrics_ != nullptr) runtime->metrics_->Serve();
  return runtime;
}

Runtime::Runtime(std::unique_ptr<internal::RuntimeConfig> config)
    : config_(std::move(config)),
      pools_(std::make_unique<internal::RuntimePools>(config_->pools)) {}

Runtime::~Runtime() {
  if (owner_.forked()) {
    LeakInChild(std::move(metrics_));
    LeakInChild(std::move(acceptor_));
    LeakInChild(std::move(workers_));
    LeakInChild(std::move(stall_detector_));
    LeakInChild(std::move(pools_));
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
      threads_.begin(), threads_.end(),
      [](const auto* worker) { return worker->backend_name() == "epoll"; });
  fprintf(stderr,
          "ringway: using epoll on all %d workers, because io_uring is "
          "unavailable on %d of them\n",
          static_cast<int>(threads_.size()), static_cast<int>(n_epoll));
  for (internal::Worker* worker : threads_) worker->Shutdown();
  for (internal::Worker* worker : threads_) worker->Join();
  handles_.clear();
  threads_.clear();
  acceptor_.reset();
  workers_.clear();
  config_->executor.loop.backend.kind = BackendKind::kEpoll;
  if (absl::Status s = StartEachWorker(); !s.ok()) return s;
  if (OnOneBackend()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "io_uring is unavailable on some workers, and RINGWAY_BACKEND=auto "
      "prevents the use of epoll on all: set it to epoll");
}

int Runtime::n_workers() const { return *config_->workers; }

bool Runtime::OnOneBackend() const {
  return std::all_of(threads_.begin(), threads_.end(), [&](const auto* worker) {
    return worker->backend_name() == threads_[0]->backend_name();
  });
}

absl::Status Runtime::StartEachWorker() {
  handles_.reserve(static_cast<size_t>(n_workers()));
  const std::vector<int> cpus = CpusOf(*config_);
  for (int i = 0; i < n_workers(); ++i) {
    workers_.push_back(std::make_unique<internal::Worker>(
        *this, *config_,
        internal::Worker::Role{absl::StrCat("worker ", i), i,
                               cpus[static_cast<size_t>(i)], config_->server,
                               stall_detector_.get(), pools_.get()}));
    threads_.push_back(workers_.back().get());
  }
  for (size_t i = 0; i < config_->listen.size(); ++i) {
    if (acceptor_ != nullptr || !HasOneAcceptor(i)) continue;
    acceptor_ = std::make_unique<internal::Acceptor>(*this, *config_, workers_);
    threads_.push_back(acceptor_.get());
  }
  // Nothing throws between the first start and the last wait, so no thread is
  // left running.
  for (internal::Worker* worker : threads_) worker->StartThread();
  for (internal::Worker* worker : threads_) worker->WaitUntilStarted();
  for (internal::Worker* worker : threads_) {
    if (absl::Status s = worker->start_status(); !s.ok()) return s;
  }
  for (const std::unique_ptr<internal::Worker>& worker : workers_)
    handles_.push_back(worker->handle());
  backend_description_ = workers_[0]->backend_description();
  return absl::OkStatus();
}

// A limit of connections that was asked for has to be possible.
absl::Status Runtime::RaiseFileLimit() {
  // Of a worker: its backend, its listeners, its pools; and some of the
  // program's own.
  constexpr uint64_t kOthers = 64;
  uint64_t need = kOthers + static_cast<uint64_t>(n_workers()) *
                                (kOthers + config_->server.max_connections);
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (!config_->limits_connections)
    need = std::min<uint64_t>(need, limit.rlim_max);
  return EnsureFileLimit(need);
}

absl::Status Runtime::FindAddresses() {
  for (const internal::ListenConfig& listen : config_->listen) {
    absl::StatusOr<net::SocketAddress> address = AddressOf(listen);
    if (!address.ok()) return address.status();
    addresses_.push_back(*address);
  }
  for (const internal::UdpConfig& udp : config_->udp) {
    absl::StatusOr<net::SocketAddress> address = AddressOf(udp);
    if (!address.ok()) return address.status();
    if (address->is_unix()) {
      return absl::InvalidArgumentError(
          absl::StrCat("BindUdp(\"", udp.address, "\"): no UDP address"));
    }
    udp_addresses_.push_back(*address);
  }
  return absl::OkStatus();
}

// What workers would have to share is accepted by one thread: the kernel wakes
// any one of those that wait, busy or not.
bool Runtime::HasOneAcceptor(size_t listener) const {
  const internal::ListenConfig& listen = config_->listen[listener];
  if (n_workers() == 1) return false;
  if (listen.options.accepting != Accepting::kAuto)
    return listen.options.accepting == Accepting::kOneAcceptor;
  return listen.inherited != nullptr || addresses_[listener].is_unix();
}

absl::Status Runtime::OpenSockets() {
  std::vector<internal::WorkerSockets> sockets(threads_.size());
  if (absl::Status s = OpenListeners(sockets); !s.ok()) return s;
  if (absl::Status s = OpenUdp(sockets); !s.ok()) return s;
  for (size_t t = 0; t < threads_.size(); ++t) {
    const bool is_worker = t < workers_.size();
    threads_[t]->Arrange(handles_, std::move(sockets[t]),
                         is_worker && acceptor_ != nullptr);
  }
  for (internal::Worker* worker : threads_) {
    if (absl::Status s = worker->WaitUntilArranged(); !s.ok()) return s;
  }
  return absl::OkStatus();
}

// Of each worker.
absl::Status Runtime::OpenUdp(std::span<internal::WorkerSockets> sockets) {
  for (size_t i = 0; i < config_->udp.size(); ++i) {
    const internal::UdpConfig& udp = config_->udp[i];
    net::UdpOptions options = udp.socket;
    const bool may_be_shared = options.reuse_port;
    options.reuse_port = may_be_shared || n_workers() > 1;
    for (size_t t = 0; t < workers_.size(); ++t) {
      SocketCalls& calls = workers_[t]->sockets();
      options.claim_port = t == 0 && !may_be_shared;
      absl::StatusOr<SocketFd> fd =
          udp.inherited != nullptr
              ? net::DuplicateUdpSocket(calls, udp.inherited->get())
              : net::MakeUdpSocket(calls, udp_addresses_[i], options);
      if (!fd.ok()) return fd.status();
      if (t == 0) {  // resolves port 0 for the other workers
        absl::StatusOr<net::SocketAddress> bound =
            net::SocketAddress::LocalOf(fd->calls(), fd->get());
        if (!bound.ok()) return bound.status();
        udp_addresses_[i] = *bound;
      }
      sockets[t].udp.push_back({*std::move(fd), &udp.endpoint});
    }
  }
  return absl::OkStatus();
}

absl::Status Runtime::OpenListeners(
    std::span<internal::WorkerSockets> sockets) {
  for (size_t i = 0; i < config_->listen.size(); ++i) {
    const internal::ListenConfig& listen = config_->listen[i];
    net::ListenOptions options = listen.options.socket;
    const bool may_be_shared = options.reuse_port;
    const bool one = HasOneAcceptor(i);
    const size_t first = one ? workers_.size() : 0;
    const size_t last = one ? threads_.size() : workers_.size();
    options.reuse_port = may_be_shared || last - first > 1;
    for (size_t t = first; t < last; ++t) {
      SocketCalls& calls = threads_[t]->sockets();
      options.claim_port = t == first && !may_be_shared;
      absl::StatusOr<SocketFd> fd;
      if (listen.inherited != nullptr) {
        fd = net::DuplicateListenSocket(calls, listen.inherited->get());
      } else if (t > first && addresses_[i].is_unix()) {
        // A Unix path has one socket.
        fd = net::DuplicateSocket(sockets[first].listening.back().fd);
      } else {
        fd = net::MakeListenSocket(calls, addresses_[i], options);
      }
      if (!fd.ok()) return fd.status();
      if (t == first) {  // resolves port 0 for the other workers
        absl::StatusOr<net::SocketAddress> bound =
            net::SocketAddress::LocalOf(fd->calls(), fd->get());
        if (!bound.ok()) return bound.status();
        addresses_[i] = *bound;
        if (bound->is_unix() && listen.inherited == nullptr)
          unix_paths_.emplace_back(*bound);
      }
      sockets[t].listening.push_back(
          {*std::move(fd),
           one ? &acceptor_->EndpointFor(i) : &listen.endpoint});
    }
  }
  return absl::OkStatus();
}

absl::Status Runtime::WatchForStalls() {
  if (config_->stall_budget == absl::ZeroDuration()) return absl::OkStatus();
  StallDetectorOptions options;
  options.budget = config_->stall_budget;
  absl::StatusOr<std::unique_ptr<StallDetector>> detector =
      StallDetector::Create(options);
  if (!detector.ok()) return detector.status();
  stall_detector_ = *std::move(detector);
  return absl::OkStatus();
}

// Once, when all workers have ended.
void Runtime::WriteTrace() {
  std::lock_guard<std::mutex> lock(end_mutex_);
  if (config_->trace.empty() || std::exchange(trace_written_, true)) return;
  std::vector<const TraceRecorder*> recorders;
  for (const internal::Worker* worker : threads_) {
    if (worker->trace() != nullptr) recorders.push_back(worker->trace());
  }
  const absl::Status written = WriteChromeTrace(config_->trace, recorders);
  if (written.ok()) return;
  fprintf(stderr, "ringway: no trace: %s\n",
          std::string(written.message()).c_str());
}

// On the backend of the workers, whose sockets its listener has.
absl::Status Runtime::OpenMetrics() {
  if (config_->metrics.empty()) return absl::OkStatus();
  absl::StatusOr<net::SocketAddress> address =
      net::SocketAddress::Parse(config_->metrics);
  if (!address.ok()) return address.status();
  metrics_ = std::make_unique<internal::MetricsWorker>(*this, *config_);
  metrics_->StartThread();
  metrics_->WaitUntilStarted();
  if (absl::Status s = metrics_->start_status(); !s.ok()) return s;
  absl::StatusOr<SocketFd> fd = net::MakeListenSocket(
      metrics_->sockets(), *address, net::ListenOptions());
  if (!fd.ok()) return fd.status();
  absl::StatusOr<net::SocketAddress> bound =
      net::SocketAddress::LocalOf(fd->calls(), fd->get());
  if (!bound.ok()) return bound.status();
  metrics_address_ = *bound;
  if (bound->is_unix()) unix_paths_.emplace_back(*bound);
  internal::WorkerSockets sockets;
  sockets.listening.push_back({*std::move(fd), &metrics_->endpoint()});
  metrics_->Arrange(handles_, std::move(sockets), /*expects_admits=*/false);
  return metrics_->WaitUntilArranged();
}

absl::Status Runtime::RunRequiredStarts() {
  if (config_->required_start.empty()) return absl::OkStatus();
  start_up_ = std::make_unique<internal::StartUp>(n_workers());
  for (std::unique_ptr<internal::Worker>& worker : workers_)
    worker->StartUpFor(*start_up_);
  return start_up_->Wait();
}

// Called when no listener is left. Each path is removed once.
void Runtime::RemoveUnixSockets() {
  std::lock_guard<std::mutex> lock(end_mutex_);
  for (internal::UnixPath& path : unix_paths_) path.Remove();
}

RuntimeSnapshot Runtime::Snapshot(absl::Duration patience) const {
  RINGWAY_CHECK(!internal::Worker::IsOnAny(),
                "Runtime::Snapshot() on a worker's thread, which it would "
                "block: co_await Runtime::AwaitSnapshot() there");
  return WithPools(AskEachWorkerAndBlock(
      handles_, &internal::Worker::SnapshotOfThisOne, patience));
}

Task<RuntimeSnapshot> Runtime::AwaitSnapshot(absl::Duration patience) const {
  std::vector<std::optional<WorkerSnapshot>> workers = co_await AskEachWorker(
      handles_, &internal::Worker::SnapshotOfThisOne, patience);
  co_return WithPools(std::move(workers));
}

// In a forked child the pools' locks may stay held for ever.
RuntimeSnapshot Runtime::WithPools(
    std::vector<std::optional<WorkerSnapshot>> workers) const {
  RuntimeSnapshot snapshot;
  snapshot.workers = std::move(workers);
  if (!owner_.forked()) pools_->AddTo(snapshot);
  for (const internal::TlsConfig& tls : config_->tls)
    snapshot.tls.push_back({tls.name, tls.statistics()});
  return snapshot;
}

void Runtime::Shutdown() {
  owner_.Check("a Runtime");
  shutting_down_.store(true, std::memory_order_relaxed);
  for (internal::Worker* worker : threads_) worker->Shutdown();
}

void Runtime::Cut() {
  owner_.Check("a Runtime");
  shutting_down_.store(true, std::memory_order_relaxed);
  for (internal::Worker* worker : threads_) worker->Cut();
}

bool Runtime::HasEnded() const {
  return std::all_of(threads_.begin(), threads_.end(),
                     [](const auto* worker) { return worker->has_ended(); });
}

void Runtime::CheckNotOnWorker() const {
  for (const internal::Worker* worker : threads_) {
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
  for (internal::Worker* worker : threads_) {
    worker->Join();
    internal::Add(sum, worker->report());
  }
  pools_->End();
  if (metrics_ != nullptr) {  // it has shown the end
    metrics_->Cut();
    metrics_->Join();
  }
  WriteTrace();
  RemoveUnixSockets();
  return sum;
}

}  // namespace ringway
