// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/simulated_round.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/executor/testing/simulation.h"
#include "ringway/net/stream_model/worker.h"
#include "ringway/net/stream_model/world.h"
#include "ringway/net/tls/testing/seeded_random.h"

namespace ringway::net::model {
namespace {

class SimulatedRound {
 public:
  SimulatedRound(const Plan& plan, bool faults)
      : random_(plan.seed), simulation_(plan.seed), world_(plan) {
    world_.has_ipv6 = false;
    if (!faults) return;
    simulation_.TurnEverythingBad();
    sim::Environment& environment = simulation_.world().environment();
    environment.faults.failure = 0;
    environment.network.reset = 0;
  }

  RoundResult Run() {
    absl::Status status = RunWorkers();
    if (!status.ok()) {
      world_.Fail(absl::StrCat(status.ToString(), "\n", world_.Describe()));
      world_.ledger.cut_short = true;  // programs end when they are cancelled
    }
    for (std::unique_ptr<WorkerPart>& part : parts_) part->CloseListeners();
    mains_.clear();
    simulation_.DestroyHosts();
    if (status.ok()) world_.CheckOutcome();
    for (std::unique_ptr<Pair>& pair : world_.pairs) {
      for (SocketFd& fd : pair->adopted) fd.Close();
    }
    if (absl::Status s = simulation_.Check(); !s.ok())
      world_.Fail(s.ToString());
    return world_.ledger.Result();
  }

 private:
  absl::Status RunWorkers() {
    std::vector<Mailboxes> mailboxes = MakeMailboxes(world_.workers.size());
    for (size_t i = 0; i < world_.workers.size(); ++i) {
      parts_.push_back(
          std::make_unique<WorkerPart>(world_, i, std::move(mailboxes[i])));
      HostOptions options;
      options.executor = parts_[i]->Options();
      SimulatedHost& host = simulation_.AddHost(options);
      world_.workers[i].ipv4 = absl::StrCat("10.0.0.", i + 1);
      absl::Status started = parts_[i]->Start(host.executor());
      if (!started.ok()) return started;
    }
    if (absl::Status s = MakeSocketPairs(); !s.ok()) return s;
    for (std::unique_ptr<WorkerPart>& part : parts_)
      mains_.push_back(part->executor().Spawn(part->Main(), "main"));
    absl::Status ended =
        simulation_.RunUntil([this] { return AllDone(mains_); });
    if (!ended.ok() || world_.cut_short()) return ended;
    return Settle();
  }

  absl::Status MakeSocketPairs() {
    SocketCalls& sockets = simulation_.host(0).loop().backend().sockets();
    for (size_t i = 0; i < world_.pairs.size(); ++i) {
      if (world_.plan.pairs[i].transport != Transport::kAdopted) continue;
      int fds[2];
      if (const int error = sockets.Pair(SOCK_STREAM, fds); error != 0)
        return absl::InternalError(absl::StrCat("socketpair: ", error));
      for (size_t side = 0; side < 2; ++side)
        world_.pairs[i]->adopted[side] = SocketFd(sockets, fds[side]);
    }
    return absl::OkStatus();
  }

  absl::Status Settle() {
    for (std::unique_ptr<WorkerPart>& part : parts_) part->CloseListeners();
    mains_.clear();
    absl::Status settled = simulation_.RunUntil([this] {
      return std::all_of(parts_.begin(), parts_.end(),
                         [](const auto& part) { return part->settled(); });
    });
    if (!settled.ok()) return settled;
    std::vector<JoinHandle<absl::Status>> probes;
    for (std::unique_ptr<WorkerPart>& part : parts_)
      probes.push_back(part->executor().Spawn(part->Probe(), "a probe"));
    absl::Status ended = simulation_.RunUntil([&] { return AllDone(probes); });
    for (JoinHandle<absl::Status>& probe : probes) {
      if (ended.ok()) ended = probe.TakeResult();
    }
    return ended;
  }

  template <typename T>
  static bool AllDone(const std::vector<JoinHandle<T>>& tasks) {
    return std::all_of(tasks.begin(), tasks.end(),
                       [](const auto& task) { return task.done(); });
  }

  testing::SeededRandom random_;  // of OpenSSL
  Simulation simulation_;
  World world_;
  std::vector<std::unique_ptr<WorkerPart>> parts_;
  std::vector<JoinHandle<void>> mains_;
};

}  // namespace

RoundResult RunSimulatedRound(const Plan& plan, bool faults) {
  SimulatedRound round(plan, faults);
  return round.Run();
}

}  // namespace ringway::net::model
