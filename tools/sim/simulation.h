// SPDX-License-Identifier: Apache-2.0
//
// Simulation: some machines in a simulated world, each with an executor of its
// own, all on one thread, and the judgement of what became of them.

#ifndef RINGWAY_TOOLS_SIM_SIMULATION_H_
#define RINGWAY_TOOLS_SIM_SIMULATION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/backends/sim/scheduler.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"

namespace ringway::simulation {

// Mistakes planted in the scenarios, to see that they are found.
enum class Bug : uint8_t {
  kNone,
  kLostWakeUp,           // an event is reset after it was looked at
  kDoubleClose,          // a connection that failed is closed twice
  kLeakOnCancel,         // what a cancelled accept brought is forgotten
  kReusedSlot,           // a late reply goes to whoever has the slot now
  kBufferReturnedTwice,  // a receive buffer is given back once more
  kEndsBothHalves        // a proxy ends both directions at the end of one
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

// One executor on one machine.
class Node {
 public:
  Node(sim::World& world, uint32_t host);

  Executor& executor() { return *executor_; }
  Loop& loop() { return executor_->loop(); }
  sim::SimBackend& backend() { return backend_; }
  uint32_t host() const { return host_; }

  // One turn. False if there is something to do that the backend cannot know
  // of. Between turns the node is parked as between the halves of a wait: a
  // message rings its doorbell.
  bool Turn();

 private:
  Node(std::unique_ptr<sim::SimBackend> backend, uint32_t host);

  const uint32_t host_;
  sim::SimBackend& backend_;
  std::unique_ptr<Executor> executor_;
};

class Simulation {
 public:
  explicit Simulation(const Options& options);

  sim::World& world() { return world_; }
  sim::Rng& rng() { return world_.environment().rng; }
  Bug bug() const { return bug_; }
  bool faults() const { return faults_; }
  bool small() const { return small_; }
  // Whether an operation may fail that is none of the program's mistakes.
  bool may_fail() { return faults_ || failure().n > 0; }
  // The one that was chosen, and whether it has come.
  const sim::SingleFailure& failure() { return world_.environment().failure; }

  // A machine of its own: 10.0.0.1, 10.0.0.2, ...
  Node& AddNode();
  size_t node_count() const { return nodes_.size(); }
  Node& node(size_t i) { return *nodes_[i]; }

  // Turns the nodes until `done`. Errors: as Scheduler::Run(), with bounds that
  // no correct scenario comes near.
  absl::Status RunUntil(absl::FunctionRef<bool()> done);
  // Turns the nodes for so long, or until `done`.
  absl::Status RunFor(absl::Duration time, absl::FunctionRef<bool()> done);

  // Ends all nodes, as if their power had failed.
  void DestroyNodes() { nodes_.clear(); }

  // Whether the program has broken a rule: leaked an fd, closed one twice, ...
  absl::Status CheckWorld() const;

  uint64_t turns() const { return scheduler_.turns(); }
  uint64_t trace_hash() { return world_.environment().trace.hash(); }

 private:
  const Bug bug_;
  const bool faults_;
  const bool small_;
  sim::World world_;
  std::vector<std::unique_ptr<Node>> nodes_;
  sim::Scheduler scheduler_{world_};
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

// Runs a scenario, which is made from its options.
template <typename ScenarioRun>
Verdict VerdictOf(const Options& options) {
  ScenarioRun run(options);
  Verdict verdict;
  verdict.status = run.Run();
  verdict.trace_hash = run.simulation().trace_hash();
  verdict.turns = run.simulation().turns();
  verdict.failure_happened = run.simulation().failure().happened;
  return verdict;
}

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SIMULATION_H_
