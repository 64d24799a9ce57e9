// SPDX-License-Identifier: Apache-2.0
//
// The options, the environment and the result of a scenario.

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

// Bugs planted in the scenarios, to check that they are found.
enum class Bug : uint8_t {
  kNone,
  // In the programs.
  kLostWakeUp,           // an event is reset after it was checked
  kDoubleClose,          // the fd of a stream that failed is closed once more
  kLeakOnCancel,         // a cancelled task forgets its duplicate of a socket
  kReusedSlot,           // a late reply goes to the slot's new session
  kBufferReturnedTwice,  // a receive buffer is returned twice
  kEndsBothHalves,       // a proxy ends both directions at the end of one
  // In the backend: see BackendFault.
  kForgottenWrite,
  kBlockingAccept,
  kLostEnd,
};

struct Options {
  Options() {}

  uint64_t seed = 1;
  bool faults = true;
  Bug bug = Bug::kNone;
  // Few clients, for runs that are repeated with each operation failing.
  bool small = false;
  // A chosen fault, in addition to or instead of random ones.
  sim::SingleFailure failure;
  // Receives a line for every event. Null: none.
  std::function<void(const std::string& line)> trace;
};

// The result of one run of a scenario.
struct Verdict {
  absl::Status status;  // not OK: a bug in the program or the simulator
  uint64_t trace_hash = 0;
  uint64_t turns = 0;
  // Options::failure has happened.
  bool failure_happened = false;
};

using Scenario = Verdict (*)(const Options& options);

// A simulation for one run of a scenario, and the check of its programs'
// results.
class Trial {
 public:
  explicit Trial(const Options& options);

  Simulation& simulation() { return simulation_; }
  sim::World& world() { return simulation_.world(); }
  Rng& rng() { return simulation_.rng(); }
  bool has(Bug bug) const { return bug_ == bug; }
  bool faults() const { return faults_; }
  bool small() const { return small_; }
  // Whether operations may fail without a bug in the program.
  bool may_fail() { return faults_ || failure().n > 0; }
  // The chosen fault, and whether it has happened.
  const sim::SingleFailure& failure() { return world().environment().failure; }

  // Adds a worker on a new machine, or on that of another one.
  SimulatedHost& AddMachine() { return AddHost(/*address=*/0); }
  SimulatedHost& AddWorkerBeside(const SimulatedHost& other) {
    return AddHost(other.address());
  }

  // Judges the result `status` of `what`: OK if it succeeded or failed by an
  // injected fault; else Internal, with the reason.
  absl::Status Judge(std::string_view what, const absl::Status& status);
  // The same for a task whose result is not used.
  void Report(std::string_view what, const absl::Status& status);

  // After all tasks have ended: OK if everything is closed shortly
  // afterwards, as dropped sockets are when their operations have ended, and
  // there was no violation.
  absl::Status Finish();

 private:
  SimulatedHost& AddHost(uint32_t address);

  const Bug bug_;
  const bool faults_;
  const bool small_;
  FaultyBackend::Group faulty_backends_;
  Simulation simulation_;
};

// True for an errno that only a program with a bug gets.
bool IsMistake(int errnum);
// The same for a status. A status without an errno is a mistake, and so is a
// cancel: pass only those that should not occur.
bool IsMistake(const absl::Status& status);

net::SocketAddress AddressOf(const SimulatedHost& host, uint16_t port);

// Runs a scenario, which is constructed from its options.
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
