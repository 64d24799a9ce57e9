// SPDX-License-Identifier: Apache-2.0
//
// The stream model without end: one round after another, each from its own
// seed. See --help.

#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ringway/backends/backend_options.h"
#include "ringway/net/stream_model/plan.h"
#include "ringway/net/stream_model/round.h"
#include "ringway/net/stream_model/simulated_round.h"
#include "ringway/tools/command_line/command_line.h"

namespace ringway::net::model {
namespace {

struct Settings {
  std::string backend = "auto";
  int seed = 1;
  int rounds = 0;
  absl::Duration cpu = absl::Seconds(60);
  int workers = 0;
  bool tls = false;
  int pairs = 24;
  int mebibytes = 32;
  int resident_mebibytes = 1024;
  absl::Duration patience = absl::Seconds(30);
  bool go_on = false;
  bool faults = true;
};

absl::Duration CpuTime() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) +
         absl::DurationFromTimeval(usage.ru_stime);
}

int ResidentMebibytes() {
  int64_t total = 0;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<int>(resident >> 8);  // from pages of 4 KiB
}

// Runs rounds until the time is over. Returns how many failed.
int RunAll(const Settings& settings, const PlanLimits& limits) {
  int failed = 0;
  int64_t n_bytes = 0;
  uint64_t n_stopped = 0;
  absl::Time next_line = absl::Now() + absl::Seconds(10);
  int done = 0;
  const auto time_is_over = [&] {
    return settings.rounds > 0 ? done >= settings.rounds
                               : CpuTime() >= settings.cpu;
  };
  for (uint64_t seed = static_cast<uint64_t>(settings.seed); !time_is_over();
       ++seed, ++done) {
    const Plan plan = PlanOf(seed, limits);
    RoundResult result = settings.backend == "sim"
                             ? RunSimulatedRound(plan, settings.faults)
                             : RunRound(plan, settings.patience);
    n_stopped += result.n_stopped;
    std::vector<std::string>& failures = result.failures;
    if (const int now = ResidentMebibytes(); now > settings.resident_mebibytes)
      failures.push_back(std::to_string(now) + " MiB are resident");
    if (!failures.empty()) {
      ++failed;
      fprintf(stderr, "FAILED %s\n", plan.Describe().c_str());
      for (const std::string& failure : failures)
        fprintf(stderr, "  %s\n", failure.c_str());
      if (!settings.go_on) break;
    }
    for (const PairPlan& pair : plan.pairs) {
      for (const EndPlan& end : pair.ends)
        n_bytes += static_cast<int64_t>(end.n_bytes);
    }
    if (absl::Now() < next_line) continue;
    next_line = absl::Now() + absl::Seconds(10);
    printf(
        "%d rounds, up to %lld MiB, %s of CPU, %d MiB resident, %d failed\n",
        done + 1, static_cast<long long>(n_bytes >> 20),
        absl::FormatDuration(absl::Trunc(CpuTime(), absl::Seconds(1))).c_str(),
        ResidentMebibytes(), failed);
    fflush(stdout);
  }
  printf(
      "%s: %d rounds from seed %d, %llu calls stopped, %d failed, %s of CPU\n",
      settings.backend.c_str(), done, settings.seed,
      static_cast<unsigned long long>(n_stopped), failed,
      absl::FormatDuration(CpuTime()).c_str());
  return failed;
}

int Main(int argc, char** argv) {
  Settings settings;
  CommandLine flags(
      "stream_model",
      "Random pairs of streams, every byte compared. Exits with 1 "
      "after a failure, which names its seed; a hang aborts.");
  flags.Add("backend", "auto, uring, epoll or sim", &settings.backend);
  flags.Add("seed", "of the first round; the next has the next", &settings.seed,
            0, std::numeric_limits<int>::max());
  flags.Add("rounds", "how many; 0: until --cpu", &settings.rounds, 0,
            std::numeric_limits<int>::max());
  flags.Add("cpu", "CPU time after which no round begins", &settings.cpu);
  flags.Add("workers", "of each round; 0: the seed's choice", &settings.workers,
            0, 16);
  flags.Add("tls", "all pairs are TLS streams", &settings.tls);
  flags.Add("pairs", "of a round, at most", &settings.pairs, 1, 1000);
  flags.Add("mebibytes", "that a round sends, at most", &settings.mebibytes, 1,
            4096);
  flags.Add("resident", "MiB of memory that are a failure",
            &settings.resident_mebibytes, 1, 1 << 20);
  flags.Add("patience", "without progress, before a round counts as hung",
            &settings.patience);
  flags.Add("go_on", "after a failure", &settings.go_on);
  flags.Add("faults", "with --backend=sim", &settings.faults);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;
  const absl::StatusOr<BackendKind> kind =
      settings.backend == "sim" ? BackendKind::kAuto
                                : ParseBackendKind(settings.backend);
  if (!kind.ok()) return flags.Complain(kind.status().message());

  PlanLimits limits;
  limits.backend.kind = *kind;
  limits.tls = settings.tls;
  limits.workers = static_cast<size_t>(settings.workers);
  limits.n_pairs = static_cast<size_t>(settings.pairs);
  limits.n_bytes = static_cast<uint64_t>(settings.mebibytes) << 20;
  return RunAll(settings, limits) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ringway::net::model

int main(int argc, char** argv) {
  return ringway::net::model::Main(argc, argv);
}
