// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/testing/simulation.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ringway {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(30);
constexpr uint64_t kMaxTurns = 300'000;

}  // namespace

HostOptions::HostOptions() {
  executor.shutdown_grace = absl::ZeroDuration();
  executor.loop.ready_budget = 16;
  executor.loop.backend.submission_entries = 8;
  executor.loop.backend.completion_entries = 64;
  executor.loop.backend.receive_buffer_count = 8;
  executor.loop.backend.receive_buffer_bytes = 1024;
}

SimulatedHost::SimulatedHost(sim::World& world, const HostOptions& options)
    : SimulatedHost(
          world.MakeBackend(options.executor.loop.backend, options.address),
          options) {}

SimulatedHost::SimulatedHost(std::unique_ptr<sim::SimBackend> backend,
                             const HostOptions& options)
    : address_(options.address), backend_(*backend) {
  std::unique_ptr<Backend> used = std::move(backend);
  if (options.decorate) used = options.decorate(std::move(used));
  executor_ = std::make_unique<Executor>(
      std::make_unique<Loop>(std::move(used), options.executor.loop),
      options.executor);
}

bool SimulatedHost::Turn() {
  Inbox& inbox = *loop().inbox();
  inbox.WokeUp();
  executor_->Turn(MonotonicTime::Infinite());
  return inbox.FallAsleep();
}

Simulation::Simulation(uint64_t seed) : world_(seed) {
  world_.environment().survives_misuse =
      true;  // to report it instead of aborting
}

void Simulation::TurnEverythingBad() {
  world_.environment().faults = sim::Faults::All();
  world_.environment().network = sim::NetworkConditions::Bad();
}

SimulatedHost& Simulation::AddHost(HostOptions options) {
  if (options.address == 0) options.address = next_address_++;
  hosts_.push_back(std::make_unique<SimulatedHost>(world_, options));
  SimulatedHost& host = *hosts_.back();
  scheduler_.Add(host.backend(), [&host] { return host.Turn(); });
  return host;
}

void Simulation::DestroyHosts() {
  hosts_.clear();
  scheduler_.Clear();
}

absl::Status Simulation::RunUntil(absl::FunctionRef<bool()> done) {
  absl::Status ended =
      scheduler_.Run(done, world_.environment().now() + kPatience, kMaxTurns);
  if (ended.ok()) return ended;
  // A wait may hang because of a mistake elsewhere, so report mistakes too.
  return absl::Status(ended.code(),
                      absl::StrCat(ended.message(), "open:\n", world_.leaks()));
}

absl::Status Simulation::RunFor(absl::Duration time,
                                absl::FunctionRef<bool()> done) {
  const absl::Status ended =
      scheduler_.Run(done, world_.environment().now() + time, kMaxTurns);
  return absl::IsDeadlineExceeded(ended) ? absl::OkStatus() : ended;
}

absl::Status Simulation::Check() const {
  if (!world_.errors().empty()) {
    return absl::InternalError(absl::StrJoin(world_.errors(), "\n"));
  }
  if (const std::string leaks = world_.leaks(); !leaks.empty()) {
    return absl::InternalError(absl::StrCat("left open:\n", leaks));
  }
  return absl::OkStatus();
}

}  // namespace ringway
