// SPDX-License-Identifier: Apache-2.0
//
// Runs whole programs in simulated worlds, one for each seed, until one
// fails; then prints the command that repeats that run.
//
//   bazel run --config=opt //tools/sim -- --scenario=proxy --seeds=10000
//   bazel run --config=opt //tools/sim -- --scenario=echo --seed=4711 --trace

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/sim/scenarios.h"

namespace {

using ringway::CommandLine;
using ringway::simulation::AllScenarios;
using ringway::simulation::NamedScenario;
using ringway::simulation::Options;
using ringway::simulation::Sweep;
using ringway::simulation::SweepResult;
using ringway::simulation::Verdict;

struct Flags {
  std::string scenario = "all";
  int seeds = 1000;
  int seed = 0;  // 0: all of them from 1 on
  bool faults = true;
  bool trace = false;
};

// The command names the Bazel target, because `bazel run` uses a different
// directory.
std::string ReplayCommand(const NamedScenario& scenario, uint64_t seed,
                          const Flags& flags) {
  return absl::StrCat("bazel run //tools/sim -- --scenario=", scenario.name,
                      " --seed=", seed, flags.faults ? "" : " --faults=false",
                      " --trace");
}

Options OptionsFor(const Flags& flags) {
  Options options;
  options.seed = static_cast<uint64_t>(std::max(flags.seed, 1));
  options.faults = flags.faults;
  if (flags.trace) {
    options.trace = [](const std::string& line) { puts(line.c_str()); };
  }
  return options;
}

// Runs one seed and prints the result.
bool RunOne(const NamedScenario& scenario, const Flags& flags) {
  const Verdict verdict = scenario.run(OptionsFor(flags));
  printf("%-5s  seed %d: %s; %llu turns, trace %016llx\n",
         std::string(scenario.name).c_str(), flags.seed,
         verdict.status.ToString().c_str(),
         static_cast<unsigned long long>(verdict.turns),
         static_cast<unsigned long long>(verdict.trace_hash));
  return verdict.status.ok();
}

bool RunMany(const NamedScenario& scenario, const Flags& flags) {
  const bool terminal = isatty(STDERR_FILENO) == 1;
  const absl::Time start = absl::Now();
  const auto rate = [start](uint64_t n) {
    return static_cast<double>(n) / absl::ToDoubleSeconds(absl::Now() - start);
  };
  const auto progress = [&](const SweepResult& so_far) {
    if (!terminal || so_far.seeds_run % 64 != 0) return;
    fprintf(stderr, "\r  %s: %llu of %d seeds, %.0f/s   ",
            std::string(scenario.name).c_str(),
            static_cast<unsigned long long>(so_far.seeds_run), flags.seeds,
            rate(so_far.seeds_run));
  };
  const SweepResult result =
      Sweep(scenario.run, OptionsFor(flags), static_cast<uint64_t>(flags.seeds),
            progress);
  if (terminal) fprintf(stderr, "\r\033[K");
  printf("%-5s  %llu seeds, %.0f/s, %.0f turns each\n",
         std::string(scenario.name).c_str(),
         static_cast<unsigned long long>(result.seeds_run),
         rate(result.seeds_run),
         static_cast<double>(result.turns) /
             static_cast<double>(result.seeds_run));
  if (!result.failed_seed.has_value()) return true;
  printf("seed %llu failed: %s\nto see it again:\n  %s\n",
         static_cast<unsigned long long>(*result.failed_seed),
         result.failure.ToString().c_str(),
         ReplayCommand(scenario, *result.failed_seed, flags).c_str());
  return false;
}

std::string ScenarioHelp() {
  std::string text = "what to run: all";
  for (const NamedScenario& scenario : AllScenarios()) {
    absl::StrAppend(&text, ", or ", scenario.name, " (", scenario.purpose, ")");
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CommandLine line("sim", "Runs programs in simulated worlds full of faults.");
  line.Add("scenario", ScenarioHelp(), &flags.scenario);
  line.Add("seeds", "how many seeds to try, from 1 on", &flags.seeds, 1,
           1'000'000'000);
  line.Add("seed", "one seed to run instead", &flags.seed, 0, 1'000'000'000);
  line.Add("faults", "whether anything goes wrong", &flags.faults);
  line.Add("trace", "with --seed: print everything that happens", &flags.trace);
  if (std::optional<int> code = line.Parse(argc, argv)) return *code;
  if (flags.trace && flags.seed == 0) {
    return line.Complain("--trace needs --seed");
  }
  bool found = false, good = true;
  for (const NamedScenario& scenario : AllScenarios()) {
    if (flags.scenario != "all" && flags.scenario != scenario.name) continue;
    found = true;
    good &=
        flags.seed != 0 ? RunOne(scenario, flags) : RunMany(scenario, flags);
  }
  if (!found) return line.Complain("--scenario: there is none of that name");
  return good ? 0 : 1;
}
