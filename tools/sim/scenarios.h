// SPDX-License-Identifier: Apache-2.0
//
// The scenarios by name, and running one over many seeds.

#ifndef RINGWAY_TOOLS_SIM_SCENARIOS_H_
#define RINGWAY_TOOLS_SIM_SCENARIOS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/tools/sim/scenario.h"
#include "ringway/tools/sim/served/served_clients.h"

namespace ringway::simulation {

// A datagram server and six clients. Every request is answered eventually; no
// datagram arrives twice or with a wrong byte.
Verdict RunUdp(const Options& options);

// The copy of a file, and messages between four loops: see there.
Verdict RunCopy(const Options& options);
Verdict RunPing(const Options& options);

struct NamedScenario {
  std::string_view name;
  std::string_view purpose;
  Scenario run;
};

std::span<const NamedScenario> AllScenarios();

struct SweepResult {
  uint64_t seeds_run = 0;
  uint64_t turns = 0;
  // The first failed seed, and its failure.
  std::optional<uint64_t> failed_seed;
  absl::Status failure;
};

// Runs `scenario` with `n_seeds` seeds from options.seed on, until one fails.
// `progress`, which may be null, is called after each.
SweepResult Sweep(Scenario scenario, Options options, uint64_t n_seeds,
                  const std::function<void(const SweepResult&)>& progress);

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SCENARIOS_H_
