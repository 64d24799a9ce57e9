// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/scenarios.h"

namespace ringway::simulation {
namespace {

constexpr NamedScenario kScenarios[] = {
    {"echo", "a server and eight clients over a network that is cut", &RunEcho},
    {"proxy", "the same through a proxy", &RunProxy},
    {"udp", "requests and replies by datagrams", &RunUdp},
    {"copy", "copying a file on a machine that loses power", &RunCopy},
    {"ping", "messages going round between four loops", &RunPing},
};

}  // namespace

std::span<const NamedScenario> AllScenarios() { return kScenarios; }

SweepResult Sweep(Scenario scenario, Options options, uint64_t n_seeds,
                  const std::function<void(const SweepResult&)>& progress) {
  SweepResult result;
  for (uint64_t left = n_seeds; left > 0; --left, ++options.seed) {
    const Verdict verdict = scenario(options);
    ++result.seeds_run;
    result.turns += verdict.turns;
    if (!verdict.status.ok()) {
      result.failed_seed = options.seed;
      result.failure = verdict.status;
      break;
    }
    if (progress) progress(result);
  }
  return result;
}

}  // namespace ringway::simulation
