// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/served_clients.h"

#include <algorithm>

#include "absl/time/time.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"

namespace ringway::simulation {
namespace {

constexpr int kClientNodes = 2;
constexpr absl::Duration kLongestCut = absl::Milliseconds(500);

int ClientsPerNode(const Simulation& simulation) {
  return simulation.small() ? 1 : 4;
}

template <typename T>
bool AllDone(const std::vector<JoinHandle<T>>& tasks) {
  return std::all_of(tasks.begin(), tasks.end(),
                     [](const auto& task) { return task.done(); });
}

}  // namespace

// Tasks that a bug has left waiting go before what they wait for.
ServedClients::~ServedClients() {
  running_.clear();
  serving_.clear();
  cutting_.Detach();
  simulation_.DestroyNodes();
}

absl::Status ServedClients::Run() {
  StartServers();
  absl::Status status = simulation_.RunUntil([this] { return AllListening(); });
  if (!status.ok()) return status;
  StartClients();
  const bool faults = simulation_.faults();
  if (faults) cutting_ = simulation_.node(0).executor().Spawn(CutTheNetwork());
  // With faults the servers may be stopped while they are busy.
  const uint64_t all_sessions =
      clients_.size() * EchoClient::SessionsIn(simulation_);
  const uint64_t last_session =
      faults ? simulation_.rng().Between(1, 3 * all_sessions / 2)
             : all_sessions + 1;
  status = simulation_.RunUntil(
      [&] { return ClientsDone() || front().accepted() >= last_session; });
  if (!status.ok()) return status;
  for (JoinHandle<absl::Status>& server : serving_) server.Cancel();
  status = simulation_.RunUntil([this] { return EverybodyDone(); });
  if (!status.ok()) return status;
  return Judge();
}

void ServedClients::StartServers() {
  for (size_t i = 0; i < servers_.size(); ++i) {
    serving_.push_back(
        simulation_.node(i).executor().Spawn(servers_[i]->Serve()));
  }
}

void ServedClients::StartClients() {
  for (int i = 0; i < kClientNodes; ++i) {
    Node& node = simulation_.AddNode();
    for (int j = 0; j < ClientsPerNode(simulation_); ++j) {
      clients_.push_back(std::make_unique<EchoClient>(
          simulation_, front().address(), clients_.size()));
      running_.push_back(node.executor().Spawn(clients_.back()->Run()));
    }
  }
}

// Cuts the server in front off from another machine, now and then.
Task<void> ServedClients::CutTheNetwork() {
  sim::Rng& rng = simulation_.rng();
  const size_t front_node = servers_.size() - 1;
  for (int i = 0; i < 2; ++i) {
    static_cast<void>(
        co_await Sleep(rng.Between(absl::ZeroDuration(), kLongestCut)));
    size_t other = rng.Below(simulation_.node_count() - 1);
    if (other >= front_node) ++other;
    simulation_.world().network().Partition(simulation_.node(front_node).host(),
                                            simulation_.node(other).host());
    static_cast<void>(
        co_await Sleep(rng.Between(absl::ZeroDuration(), kLongestCut)));
    simulation_.world().network().Heal();
  }
}

bool ServedClients::AllListening() const {
  return std::all_of(servers_.begin(), servers_.end(),
                     [](const auto& server) { return server->listening(); });
}

bool ServedClients::ClientsDone() const { return AllDone(running_); }

bool ServedClients::EverybodyDone() const {
  return AllDone(serving_) && AllDone(running_) && cutting_.done() &&
         std::all_of(servers_.begin(), servers_.end(),
                     [](const auto& server) { return server->idle(); });
}

absl::Status ServedClients::Judge() {
  for (auto* tasks : {&running_, &serving_}) {
    for (JoinHandle<absl::Status>& task : *tasks) {
      if (absl::Status s = task.TakeResult(); !s.ok()) return s;
    }
  }
  return simulation_.CheckWorld();
}

}  // namespace ringway::simulation
