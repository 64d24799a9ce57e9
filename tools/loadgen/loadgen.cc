// SPDX-License-Identifier: Apache-2.0
//
// A closed-loop load generator for echo servers, built on Ringway: one thread,
// one task per connection, every reply compared byte for byte.

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket_address.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/loadgen/cpu_clock.h"
#include "ringway/tools/loadgen/load.h"
#include "ringway/tools/loadgen/report.h"

namespace {

using ringway::loadgen::CpuClock;
using ringway::loadgen::LoadOptions;
using ringway::loadgen::LoadResult;

// The limit of the connections' buffers.
constexpr uint64_t kMaxMemory = uint64_t{4} << 30;

std::atomic<bool> interrupted{false};

// The first SIGINT ends the run with the figures so far, the second the
// process.
void HandleSigint() {
  struct sigaction action = {};
  action.sa_handler = [](int) {
    interrupted.store(true, std::memory_order_relaxed);
  };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

absl::Status PinTo(int cpu) {
  if (cpu < 0) return absl::OkStatus();
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus) == 0) return absl::OkStatus();
  return ringway::ErrnoToStatus(errno, absl::StrCat("pinning to CPU ", cpu));
}

void ShowProgress(absl::Duration elapsed, uint64_t requests, uint64_t errors) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  fprintf(stderr, "\r  %.0f s: %.0f requests/s, %llu errors   ", seconds,
          static_cast<double>(requests) / seconds,
          static_cast<unsigned long long>(errors));
}

int CannotRun(const absl::Status& why) {
  fprintf(stderr, "loadgen: %s\n", std::string(why.message()).c_str());
  return 1;
}

// Runs and reports; the exit code.
int Measure(LoadOptions options, bool json) {
  absl::StatusOr<std::unique_ptr<ringway::Executor>> executor =
      ringway::Executor::Create();
  if (!executor.ok()) return CannotRun(executor.status());
  HandleSigint();
  const bool terminal = isatty(STDERR_FILENO) == 1;
  options.stop = &interrupted;
  if (terminal) options.on_progress = &ShowProgress;
  const LoadResult result = ringway::loadgen::RunLoad(**executor, options);
  if (terminal) fprintf(stderr, "\r\x1b[K");
  // More useful than a table of zeros.
  if (result.requests == 0) {
    return CannotRun(absl::UnavailableError(
        result.errors == 0 ? "no reply came while it was measured"
                           : absl::StrCat("no reply came, and ", result.errors,
                                          " connections failed; the first: ",
                                          result.first_error)));
  }
  const std::string report =
      json ? ringway::loadgen::FormatJson(options, result) + "\n"
           : ringway::loadgen::FormatTable(options, result);
  fputs(report.c_str(), stdout);
  return result.errors == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string connect = "127.0.0.1:7878";
  int connections = 32;
  int size = 64;
  int pipeline = 1;
  int pin = -1;
  int server_pid = 0;
  bool json = false;
  LoadOptions options;
  ringway::CommandLine flags(
      "loadgen", "keeps an echo server busy and checks what comes back");
  flags.Add("connect", "address of the server", &connect);
  flags.Add("connections", "connections, each a closed loop", &connections, 1,
            100'000);
  flags.Add("size", "bytes of a request", &size, 1, 64 << 20);
  flags.Add("pipeline", "requests that a connection writes before it waits",
            &pipeline, 1, 65'536);
  flags.Add("duration", "how long to measure", &options.duration);
  flags.Add("warmup", "how long to run before that", &options.warmup);
  flags.Add("pin", "CPU to run on; -1 any", &pin, -1, 4095);
  flags.Add("verify", "compare every byte of every reply",
            &options.client.verify);
  flags.Add("server-pid",
            "process whose CPU time to measure, too; 0 measures none",
            &server_pid, 0, 1 << 22);
  flags.Add("json", "print one JSON object instead of a table", &json);
  if (std::optional<int> code = flags.Parse(argc, argv)) return *code;

  absl::StatusOr<ringway::net::SocketAddress> address =
      ringway::net::SocketAddress::Parse(connect);
  if (!address.ok()) return flags.Complain(address.status().message());
  const uint64_t memory = uint64_t{2} * static_cast<uint64_t>(connections) *
                          static_cast<uint64_t>(size) *
                          static_cast<uint64_t>(pipeline);
  if (memory > kMaxMemory) {
    return flags.Complain(
        "--connections times --size times --pipeline is more than 2 GiB");
  }
  options.address = *address;
  options.connections = connections;
  options.client.size = static_cast<size_t>(size);
  options.client.pipeline = static_cast<size_t>(pipeline);
  if (server_pid > 0) {
    absl::StatusOr<CpuClock> server = CpuClock::Of(server_pid);
    if (!server.ok()) return CannotRun(server.status());
    options.server_cpu = *server;
  }
  if (absl::Status pinned = PinTo(pin); !pinned.ok()) return CannotRun(pinned);
  return Measure(std::move(options), json);
}
