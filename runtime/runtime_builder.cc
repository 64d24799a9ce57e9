// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/runtime_builder.h"

#include <sched.h>
#include <sys/socket.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/runtime/print_tasks.h"
#include "ringway/runtime/runtime_config.h"

namespace ringway {
namespace {

constexpr std::string_view kInherited = "inherited:";

}  // namespace

RuntimeBuilder::Config::Config(std::unique_ptr<internal::RuntimeConfig> config)
    : config_(std::move(config)) {}
RuntimeBuilder::Config::Config(Config&&) noexcept = default;
RuntimeBuilder::Config::~Config() = default;

internal::RuntimeConfig& RuntimeBuilder::Config::operator*() const {
  RINGWAY_CHECK(config_ != nullptr,
                "a Runtime::Builder was used after it was moved from");
  return *config_;
}

RuntimeBuilder::RuntimeBuilder()
    : config_(std::make_unique<internal::RuntimeConfig>()) {}
RuntimeBuilder::RuntimeBuilder(RuntimeBuilder&&) noexcept = default;
RuntimeBuilder::~RuntimeBuilder() = default;

RuntimeBuilder& RuntimeBuilder::Workers(int n) {
  config_->workers = n;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::Pin(int first) {
  config_->first_cpu = first;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::PinToCores(size_t offset) {
  config_->core_offset = offset;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::Options(const ExecutorOptions& options) {
  config_->executor = options;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::BlockingPool(const ThreadPoolOptions& options) {
  config_->pools.blocking = options;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::Resolver(const HostResolverOptions& options) {
  config_->pools.resolver = options;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::Listen(std::string_view address,
                                       ConnectionHandler handler,
                                       const ListenerOptions& options) {
  if (absl::StartsWith(address, kInherited)) {
    absl::Status status =
        ListenInherited(address.substr(kInherited.size()), handler, options);
    config_->inherited_status.Update(status);
    return *this;
  }
  config_->listen.push_back(
      {std::string(address),
       nullptr,
       options,
       {std::move(handler),
        options.name.empty() ? std::string(address) : options.name}});
  return *this;
}

absl::Status RuntimeBuilder::ListenInherited(std::string_view name,
                                             const ConnectionHandler& handler,
                                             const ListenerOptions& options) {
  absl::StatusOr<std::vector<InheritedSocket>> sockets =
      TakeInherited(name, SOCK_STREAM);
  if (!sockets.ok()) return sockets.status();
  ListenerOptions named = options;
  if (named.name.empty()) named.name = std::string(name);
  for (InheritedSocket& socket : *sockets)
    ListenFd(std::move(socket.fd), handler, named);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<InheritedSocket>> RuntimeBuilder::TakeInherited(
    std::string_view name, int type) {
  absl::StatusOr<ServiceManager*> manager = ReadManager();
  if (!manager.ok()) return manager.status();
  return (*manager)->Take(name, type);
}

// Once for a builder.
absl::StatusOr<ServiceManager*> RuntimeBuilder::ReadManager() {
  if (config_->manager == nullptr) {
    absl::StatusOr<ServiceManager> manager = ServiceManager::FromEnvironment();
    if (!manager.ok()) return manager.status();
    config_->manager = std::make_shared<ServiceManager>(*std::move(manager));
  }
  return config_->manager.get();
}

RuntimeBuilder& RuntimeBuilder::ListenFd(UniqueFd fd, ConnectionHandler handler,
                                         const ListenerOptions& options) {
  const std::string address = absl::StrCat("fd ", fd.get());
  config_->listen.push_back(
      {address,
       std::make_shared<const UniqueFd>(std::move(fd)),
       options,
       {std::move(handler), options.name.empty() ? address : options.name}});
  return *this;
}

RuntimeBuilder& RuntimeBuilder::BindUdp(std::string_view address,
                                        DatagramHandler handler,
                                        const UdpListenerOptions& options) {
  if (absl::StartsWith(address, kInherited)) {
    absl::Status status =
        BindInherited(address.substr(kInherited.size()), handler, options);
    config_->inherited_status.Update(status);
    return *this;
  }
  config_->udp.push_back(
      {std::string(address),
       nullptr,
       options.socket,
       {std::move(handler),
        options.name.empty() ? std::string(address) : options.name,
        options.drains}});
  return *this;
}

absl::Status RuntimeBuilder::BindInherited(std::string_view name,
                                           const DatagramHandler& handler,
                                           const UdpListenerOptions& options) {
  absl::StatusOr<std::vector<InheritedSocket>> sockets =
      TakeInherited(name, SOCK_DGRAM);
  if (!sockets.ok()) return sockets.status();
  for (InheritedSocket& socket : *sockets) {
    const std::string address = absl::StrCat("fd ", socket.fd.get());
    config_->udp.push_back(
        {address,
         std::make_shared<const UniqueFd>(std::move(socket.fd)),
         options.socket,
         {handler, options.name.empty() ? std::string(name) : options.name,
          options.drains}});
  }
  return absl::OkStatus();
}

RuntimeBuilder& RuntimeBuilder::Balance(Balancing balancing, size_t chunk) {
  config_->balancing = balancing;
  config_->chunk = chunk;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::OnStart(StartHandler handler,
                                        OnStartFailure failure) {
  auto& handlers = failure == OnStartFailure::kReport ? config_->on_start
                                                      : config_->required_start;
  if (handler) handlers.push_back(std::move(handler));
  return *this;
}

RuntimeBuilder& RuntimeBuilder::OnStop(StartHandler handler) {
  if (handler) config_->on_stop.push_back(std::move(handler));
  return *this;
}

RuntimeBuilder& RuntimeBuilder::OnTick(absl::Duration period,
                                       std::function<void()> handler) {
  if (handler) config_->on_tick.push_back({period, std::move(handler)});
  return *this;
}

RuntimeBuilder& RuntimeBuilder::OnConnectionEnd(
    std::function<void(const ConnectionEnd&)> handler) {
  config_->server.on_connection_end = std::move(handler);
  return *this;
}

RuntimeBuilder& RuntimeBuilder::MaxConnections(size_t n, WhenFull when_full) {
  config_->server.max_connections = n;
  config_->limits_connections = true;
  config_->server.when_full = when_full;
  config_->server.when_out_of_fds = when_full;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::MemoryHighWater(uint64_t bytes_per_worker) {
  config_->server.memory_high_water = bytes_per_worker;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::LameDuck(absl::Duration duration) {
  config_->server.lame_duck = duration;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::DrainDeadline(absl::Duration deadline) {
  config_->server.drain_deadline = deadline;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::StallBudget(absl::Duration budget) {
  config_->stall_budget = budget;
  return *this;
}

RuntimeBuilder& RuntimeBuilder::Trace(std::string_view path) {
  config_->trace = std::string(path);
  return *this;
}

RuntimeBuilder& RuntimeBuilder::DumpTasksOnQuit() {
  return OnStart(&internal::PrintTasksOnQuit);
}

RuntimeBuilder& RuntimeBuilder::Metrics(std::string_view address) {
  config_->metrics = std::string(address);
  return *this;
}

}  // namespace ringway
