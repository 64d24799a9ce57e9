// SPDX-License-Identifier: Apache-2.0
//
// What a scenario is given, what it works with and what it comes to.

#ifndef RINGWAY_TOOLS_SIM_SCENARIO_H_
#define RINGWAY_TOOLS_SIM_SCENARIO_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/executor/testing/simulation.h"
#include "ringway/net/socket_address.h"
#include "ringway/tools/sim/faulty_backend.h"

namespace ringway::simulation {

// Mistakes planted in the scenarios, to see that they are found.
enum class Bug : uint8_t {
  kNone,
  // Of the programs.
  kLostWakeUp,           // an event is reset after it was looked at
  kDoubleClose,          // the fd of a stream that failed is closed once more
  kLeakOnCancel,         // a cancelled task forgets its duplicate of a socket
  kReusedSlot,           // a late reply goes to whoever has the slot now
  kBufferReturnedTwice,  // a receive buffer is given back once more
  kEndsBothHalves,       // a proxy ends both directions at the end of one
  // Of what is below them: see BackendFault.
  kForgottenWrite,
  kBlockingAccept,
  kLostEnd,
};

struct Options {
  Options() {}

  uint64_t seed = 1;
  bool faults = true;
  Bug bug = Bug::kNone;
  // Few clients, for runs that are repeated with every operation failing.
  bool small = false;
  // Besides, or instead of, faults at random: one that is chosen.
  sim::SingleFailure failure;
  // Is given a line for everything that happens. Null: none.
  std::function<void(const std::string& line)> trace;
};

// What came of one run of a scenario.
struct Verdict {
  absl::Status status;  // not OK: the program, or the simulator, is wrong
  uint64_t trace_hash = 0;
  uint64_t turns = 0;
  // Options::failure has come.
  bool failure_happened = false;
};

using Scenario = Verdict (*)(const Options& options);

// A simulation for one run of a scenario, and the judgement of what its
// programs meet in it.
class Trial {
 public:
  explicit Trial(const Options& options);

  Simulation& simulation() { return simulation_; }
  sim::World& world() { return simulation_.world(); }
  sim::Rng& rng() { return simulation_.rng(); }
  bool has(Bug bug) const { return bug_ == bug; }
  bool faults() const { return faults_; }
  bool small() const { return small_; }
  // Whether an operation may fail that is none of the program's mistakes.
  bool may_fail() { return faults_ || failure().n > 0; }
  // The one that was chosen, and whether it has come.
  const sim::SingleFailure& failure() { return world().environment().failure; }

  // A worker on a machine of its own, or on that of another one.
  SimulatedHost& AddMachine() { return AddHost(/*address=*/0); }
  SimulatedHost& AddWorkerBeside(const SimulatedHost& other) {
    return AddHost(other.address());
  }

  // `what` has come to `status`: OK if it did, or did not by bad luck; else
  // Internal, with the reason.
  absl::Status Judge(std::string_view what, const absl::Status& status);
  // The same for a task whose result is not looked at.
  void Report(std::string_view what, const absl::Status& status);

  // When all tasks have ended: OK if everything is closed in a moment, as what
  // a task has dropped is when nothing is in flight on it, and no rule was
  // broken.
  absl::Status Finish();

 private:
  SimulatedHost& AddHost(uint32_t address);

  const Bug bug_;
  const bool faults_;
  const bool small_;
  FaultyBackend::Group faulty_backends_;
  Simulation simulation_;
};

// True for an errno that only a wrong program gets.
bool IsMistake(int errnum);
// The same of a status. A status that no errno stands behind is a mistake, and
// so is a cancel: let them be judged that should not have come.
bool IsMistake(const absl::Status& status);

net::SocketAddress AddressOf(const SimulatedHost& host, uint16_t port);

// Runs a scenario, which is made from its options.
template <typename ScenarioRun>
Verdict VerdictOf(const Options& options) {
  Trial trial(options);
  ScenarioRun run(trial);
  Verdict verdict;
  verdict.status = run.Run();
  verdict.trace_hash = trial.simulation().trace_hash();
  verdict.turns = trial.simulation().turns();
  verdict.failure_happened = trial.failure().happened;
  return verdict;
}

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SCENARIO_H_
