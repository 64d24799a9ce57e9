// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/served/served_clients.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/tools/sim/served/echo_client.h"
#include "ringway/tools/sim/served/echo_server.h"
#include "ringway/tools/sim/served/proxy_server.h"
#include "ringway/tools/sim/served/service.h"
#include "ringway/tools/sim/stream_use.h"

namespace ringway::simulation {
namespace {

constexpr uint16_t kPort = 7;
constexpr size_t kEchoWorkers = 2;
constexpr int kClientMachines = 2;
constexpr absl::Duration kLongestCut = absl::Milliseconds(500);

template <typename T>
bool AllDone(const std::vector<JoinHandle<T>>& tasks) {
  return std::all_of(tasks.begin(), tasks.end(),
                     [](const auto& task) { return task.done(); });
}

// A run of servers, echo clients, and a network between them.
class ServedClients {
 public:
  explicit ServedClients(Trial& trial) : trial_(trial) {}
  ServedClients(const ServedClients&) = delete;
  ServedClients& operator=(const ServedClients&) = delete;
  ~ServedClients();

  // Adds a server of type S on a new machine. The clients talk to the last
  // one added.
  template <typename S, typename... Args>
  const Port& AddServer(size_t n_workers, const Args&... args) {
    SimulatedHost& first = trial_.AddMachine();
    ports_.push_back(std::make_unique<Port>());
    Port& port = *ports_.back();
    port.address = AddressOf(first, kPort);
    port.n_workers = n_workers;
    front_ = services_.size();
    for (size_t i = 0; i < n_workers; ++i) {
      SimulatedHost& host = i == 0 ? first : trial_.AddWorkerBeside(first);
      services_.push_back(std::make_unique<S>(trial_, host, port, args...));
    }
    return port;
  }

  // Runs to the end: OK if there were no failures except injected faults.
  absl::Status Run();

 private:
  void StartServers();
  void StartClients();
  Task<void> CutTheNetwork();
  bool AllListening() const;
  bool ServersIdle() const;
  // The connections accepted by the server that the clients talk to.
  uint64_t accepted() const;
  absl::Status RunUntil(absl::FunctionRef<bool()> done) {
    return trial_.simulation().RunUntil(done);
  }
  absl::Status Judge();

  Trial& trial_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<std::unique_ptr<Service>> services_;
  size_t front_ = 0;  // the first service of the last server
  std::vector<std::unique_ptr<EchoClient>> clients_;
  std::vector<JoinHandle<absl::Status>> serving_;
  std::vector<JoinHandle<absl::Status>> running_;
  JoinHandle<void> cutting_;
};

// Tasks left waiting by a bug are destroyed before the objects they wait for.
ServedClients::~ServedClients() {
  running_.clear();
  serving_.clear();
  cutting_.Detach();
  for (std::unique_ptr<Port>& port : ports_) port->socket.Close();
  trial_.simulation().DestroyHosts();
}

absl::Status ServedClients::Run() {
  StartServers();
  absl::Status status = RunUntil([this] { return AllListening(); });
  if (!status.ok()) return status;
  StartClients();
  if (trial_.faults())
    cutting_ = services_[front_]->host().executor().Spawn(CutTheNetwork());
  // With faults the servers may be stopped while they are busy.
  const uint64_t all_sessions =
      clients_.size() * EchoClient::SessionsIn(trial_);
  const uint64_t last_session =
      trial_.faults() ? trial_.rng().Between(1, 3 * all_sessions / 2)
                      : all_sessions + 1;
  status =
      RunUntil([&] { return AllDone(running_) || accepted() >= last_session; });
  if (!status.ok()) return status;
  for (JoinHandle<absl::Status>& server : serving_) server.Cancel();
  status = RunUntil([this] {
    return AllDone(serving_) && AllDone(running_) && cutting_.done() &&
           ServersIdle();
  });
  if (!status.ok()) return status;
  return Judge();
}

void ServedClients::StartServers() {
  for (const std::unique_ptr<Service>& service : services_)
    serving_.push_back(service->host().executor().Spawn(service->Serve()));
}

void ServedClients::StartClients() {
  const int clients_per_machine = trial_.small() ? 1 : 4;
  for (int i = 0; i < kClientMachines; ++i) {
    SimulatedHost& host = trial_.AddMachine();
    for (int j = 0; j < clients_per_machine; ++j) {
      clients_.push_back(std::make_unique<EchoClient>(
          trial_, ports_.back()->address, clients_.size()));
      running_.push_back(host.executor().Spawn(clients_.back()->Run()));
    }
  }
}

// Sometimes partitions the front server's machine from another.
Task<void> ServedClients::CutTheNetwork() {
  Simulation& simulation = trial_.simulation();
  const uint32_t front = services_[front_]->host().address();
  for (int i = 0; i < 2; ++i) {
    co_await Pause(trial_, kLongestCut);
    uint32_t other = front;
    while (other == front) {
      const size_t chosen = trial_.rng().Below(simulation.host_count());
      other = simulation.host(chosen).address();
    }
    trial_.world().network().Partition(front, other);
    co_await Pause(trial_, kLongestCut);
    trial_.world().network().Heal();
  }
}

bool ServedClients::AllListening() const {
  return std::all_of(services_.begin(), services_.end(),
                     [](const auto& service) { return service->listening(); });
}

bool ServedClients::ServersIdle() const {
  return std::all_of(services_.begin(), services_.end(),
                     [](const auto& service) { return service->idle(); });
}

uint64_t ServedClients::accepted() const {
  uint64_t n = 0;
  for (size_t i = front_; i < services_.size(); ++i)
    n += services_[i]->accepted();
  return n;
}

absl::Status ServedClients::Judge() {
  for (auto* tasks : {&running_, &serving_}) {
    for (JoinHandle<absl::Status>& task : *tasks) {
      if (absl::Status s = task.TakeResult(); !s.ok()) return s;
    }
  }
  return trial_.Finish();
}

class EchoRun : public ServedClients {
 public:
  explicit EchoRun(Trial& trial) : ServedClients(trial) {
    AddServer<EchoServer>(kEchoWorkers);
  }
};

class ProxyRun : public ServedClients {
 public:
  explicit ProxyRun(Trial& trial) : ServedClients(trial) {
    const Port& echo = AddServer<EchoServer>(kEchoWorkers);
    AddServer<ProxyServer>(/*n_workers=*/1, echo.address);
  }
};

}  // namespace

Verdict RunEcho(const Options& options) { return VerdictOf<EchoRun>(options); }

Verdict RunProxy(const Options& options) {
  return VerdictOf<ProxyRun>(options);
}

}  // namespace ringway::simulation
