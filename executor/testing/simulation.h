// SPDX-License-Identifier: Apache-2.0
//
// Simulation: several machines in a simulated world, each with its own
// executor, all on one thread, and a check of their end state.
//
//   Simulation simulation(/*seed=*/7);
//   simulation.TurnEverythingBad();
//   SimulatedHost& server = simulation.AddHost();
//   SimulatedHost& client = simulation.AddHost();
//   auto serving = server.executor().Spawn(Serve(server.loop()));
//   auto asking = client.executor().Spawn(Ask());
//   EXPECT_EQ(simulation.RunUntil([&] { return asking.done(); }),
//             absl::OkStatus());
//   ...
//   EXPECT_EQ(simulation.Check(), absl::OkStatus());

#ifndef RINGWAY_EXECUTOR_TESTING_SIMULATION_H_
#define RINGWAY_EXECUTOR_TESTING_SIMULATION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/sim/scheduler.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"

namespace ringway {

struct HostOptions {
  // Small limits, so that full queues are tested.
  HostOptions();

  ExecutorOptions executor;
  // IPv4, in host byte order; hosts with the same address are workers of one
  // machine. 0: a new machine, 10.0.0.1, 10.0.0.2, ...
  uint32_t address = 0;
  // Wraps the simulated backend: takes ownership of it and returns the
  // backend for the executor, such as a faulty one. Null: no wrapper.
  std::function<std::unique_ptr<Backend>(std::unique_ptr<Backend>)> decorate;
};

// One executor on one machine.
class SimulatedHost {
 public:
  // `options.address` is set.
  SimulatedHost(sim::World& world, const HostOptions& options);

  Executor& executor() { return *executor_; }
  Loop& loop() { return executor_->loop(); }
  // The simulated backend, below `decorate`.
  sim::SimBackend& backend() { return backend_; }
  // IPv4, in the host's byte order.
  uint32_t address() const { return address_; }

  // Runs one turn. False if there is work that the backend cannot know of.
  // Between turns the host counts as blocked, so a message notifies its
  // backend.
  bool Turn();

 private:
  SimulatedHost(std::unique_ptr<sim::SimBackend> backend,
                const HostOptions& options);

  const uint32_t address_;
  sim::SimBackend& backend_;
  std::unique_ptr<Executor> executor_;
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  sim::World& world() { return world_; }
  Rng& rng() { return world_.environment().rng; }
  MonotonicTime now() { return world_.environment().now(); }

  // Faults of every kind, and a network that is slow, loses datagrams and
  // resets connections.
  void TurnEverythingBad();

  SimulatedHost& AddHost(HostOptions options = HostOptions());
  size_t host_count() const { return hosts_.size(); }
  SimulatedHost& host(size_t i) { return *hosts_[i]; }

  // Turns the hosts until `done`. Errors: as Scheduler::Run(), with bounds
  // far beyond any correct program: half an hour, 300,000 turns.
  absl::Status RunUntil(absl::FunctionRef<bool()> done);
  // Turns the hosts for `time`, or until `done`.
  absl::Status RunFor(absl::Duration time, absl::FunctionRef<bool()> done);

  // Ends all hosts, as if their power had failed; world().Crash() is what that
  // does to their disk. Others can be added afterwards.
  void DestroyHosts();

  // Returns the program's violations, such as a leaked fd or one closed
  // twice, one a line.
  absl::Status Check() const;

  uint64_t turns() const { return scheduler_.turns(); }
  uint64_t trace_hash() { return world_.environment().trace.hash(); }

 private:
  sim::World world_;
  std::vector<std::unique_ptr<SimulatedHost>> hosts_;
  uint32_t next_address_ = 10u << 24 | 1;
  sim::Scheduler scheduler_{world_};
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TESTING_SIMULATION_H_
