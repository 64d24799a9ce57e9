// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/simulation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ringway::simulation {
namespace {

constexpr uint32_t kFirstHost = 10u << 24 | 1;
constexpr absl::Duration kPatience = absl::Minutes(30);
constexpr uint64_t kMaxTurns = 300'000;

// Small, so that queues are met when they are full.
BackendOptions SmallBackend() {
  BackendOptions options;
  options.submission_entries = 8;
  options.completion_entries = 64;
  options.receive_buffer_count = 8;
  options.receive_buffer_bytes = 1024;
  return options;
}

}  // namespace

Node::Node(sim::World& world, uint32_t host)
    : Node(world.MakeBackend(SmallBackend(), host), host) {}

Node::Node(std::unique_ptr<sim::SimBackend> backend, uint32_t host)
    : host_(host), backend_(*backend) {
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  options.loop.ready_budget = 16;
  executor_ = std::make_unique<Executor>(
      std::make_unique<Loop>(std::move(backend), options.loop), options);
}

bool Node::Turn() {
  Inbox& inbox = *loop().inbox();
  inbox.WokeUp();
  executor_->Turn(MonotonicTime::Infinite());
  return inbox.FallAsleep();
}

Simulation::Simulation(const Options& options)
    : bug_(options.bug),
      faults_(options.faults),
      small_(options.small),
      world_(options.seed) {
  sim::Environment& environment = world_.environment();
  environment.survives_misuse = true;  // to be told, not to die of it
  environment.trace.set_writer(options.trace);
  environment.failure = options.failure;
  if (!faults_) return;
  environment.faults = sim::Faults::All();
  environment.network = sim::NetworkConditions::Bad();
}

Node& Simulation::AddNode() {
  const uint32_t host = kFirstHost + static_cast<uint32_t>(nodes_.size());
  nodes_.push_back(std::make_unique<Node>(world_, host));
  Node& node = *nodes_.back();
  scheduler_.Add(node.backend(), [&node] { return node.Turn(); });
  return node;
}

absl::Status Simulation::RunUntil(absl::FunctionRef<bool()> done) {
  absl::Status ended =
      scheduler_.Run(done, world_.environment().now() + kPatience, kMaxTurns);
  if (ended.ok()) return ended;
  // Who waits in vain may do so for want of what somebody has forgotten.
  return absl::Status(ended.code(),
                      absl::StrCat(ended.message(), "open:\n", world_.leaks()));
}

absl::Status Simulation::RunFor(absl::Duration time,
                                absl::FunctionRef<bool()> done) {
  const absl::Status ended =
      scheduler_.Run(done, world_.environment().now() + time, kMaxTurns);
  return absl::IsDeadlineExceeded(ended) ? absl::OkStatus() : ended;
}

absl::Status Simulation::CheckWorld() const {
  if (!world_.errors().empty()) {
    return absl::InternalError(absl::StrJoin(world_.errors(), "\n"));
  }
  if (const std::string leaks = world_.leaks(); !leaks.empty()) {
    return absl::InternalError(absl::StrCat("left open:\n", leaks));
  }
  return absl::OkStatus();
}

}  // namespace ringway::simulation
