// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/flags.h"

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "ringway/tools/command_line/command_line.h"
#include "ringway/tools/loadgen/mode_of_flags.h"
#include "ringway/tools/loadgen/written_flags.h"

namespace ringway::loadgen {
namespace {

void DeclareLoad(CommandLine& line, WrittenFlags& written) {
  line.Add("connect",
           "address of the server: 127.0.0.1:7878, [::1]:7878, unix:/path, "
           "unix:@name; or a URL of http or https",
           &written.connect);
  line.Add("protocol",
           "echo: by TCP, a Unix stream or --tls; udp: echo by datagrams; "
           "http1: HTTP/1.1, which a URL means, too; h2: HTTP/2",
           &written.protocol);
  line.Add("connections",
           "connections of all workers, each a closed loop without --rate",
           &written.connections, 1, 100'000);
  line.Add("workers", "threads, each with its share of connections and rate",
           &written.workers, 1, 1024);
  line.Add("ramp",
           "open the connections evenly over this time, before the warm-up; "
           "0: all at once",
           &written.ramp);
  line.Add("short",
           "a connection for each request, --connections of them at once",
           &written.short_connections);
  line.Add("size", "echo: bytes of a request", &written.size, 1, 64 << 20);
  line.Add("pipeline",
           "closed loop: requests that a connection writes before it waits; "
           "by UDP those without a reply",
           &written.pipeline, 1, 65'536);
  line.Add("rate",
           "open loop: requests a second in all, however fast the replies "
           "come; 0 is a closed loop",
           &written.rate, 0, static_cast<int>(kHighestRate));
  line.Add("phases",
           "open loop with several rates: RATExDURATION,... such as "
           "20000x5s,180000x60s,20000x5s",
           &written.phases);
  line.Add("arrivals", "open loop: uniform or poisson", &written.arrivals);
  line.Add("seed", "of poisson arrivals; 0 picks and prints one", &written.seed,
           0, INT32_MAX);
  line.Add("queue",
           "open loop: unanswered requests of a connection, beyond which more "
           "are dropped; with --short those that wait to be connected, in all",
           &written.queue, 1, kMostQueue);
  line.Add("duration", "how long to measure", &written.duration);
  line.Add("warmup", "how long to run before that", &written.warmup);
  line.Add("loss-timeout",
           "UDP: a request without a reply for this long is lost",
           &written.loss_timeout);
  line.Add("pin",
           "CPU of the first worker, the next ones follow; -1 pins nothing",
           &written.pin, -1, 4095);
  line.Add(
      "verify",
      "compare every byte of every reply; HTTP: the status must be 2xx, and "
      "the length that of the first",
      &written.verify);
  line.Add("server-pid",
           "process whose CPU time, and memory after each phase, to measure, "
           "too; 0 measures none",
           &written.server_pid, 0, 1 << 22);
}

void DeclareHttp(CommandLine& line, WrittenFlags& written) {
  line.Add("path", "HTTP to an address: what to ask for", &written.path);
  line.Add("method", "HTTP: the method", &written.method);
  line.Add("header", "HTTP: a field, NAME: VALUE; may be repeated",
           &written.headers);
  line.Add("body-size", "HTTP: bytes of the request's body", &written.body_size,
           0, 64 << 20);
  line.Add("streams", "HTTP/2: requests of a connection at one time",
           &written.streams, 1, 65'536);
  line.Add("compare-bodies",
           "HTTP: compare the responses' bodies, not only their lengths",
           &written.compare_bodies);
}

void DeclareTls(CommandLine& line, WrittenFlags& written) {
  line.Add("tls", "TLS; the system's roots must know the server", &written.tls);
  line.Add("ca", "TLS: PEM file with roots instead of the system's",
           &written.ca);
  line.Add("insecure", "TLS: accept every certificate", &written.insecure);
  line.Add("tls-name",
           "TLS: name or IP address of the certificate; the IP address of "
           "--connect without",
           &written.tls_name);
  line.Add("tls-resume", "TLS: resume sessions of earlier connections",
           &written.tls_resume);
}

void DeclareOutput(CommandLine& line, WrittenFlags& written, Flags& flags) {
  line.Add("json", "print one JSON object instead of a table", &flags.json);
  line.Add("output", "also write that JSON object to this file",
           &flags.files.json);
  line.Add("csv", "also write the figures of each interval to this file",
           &flags.files.csv);
  line.Add("plot", "also draw the run into this SVG file", &flags.files.plot);
  line.Add("fail-if",
           "exit with 3 if a threshold is crossed, such as p99>2ms or "
           "rate<1000,errors>1%; may be repeated",
           &written.fail_if);
  line.Add("quiet", "show nothing on a terminal while it runs", &flags.quiet);
  line.Add("compare", "--compare A.json B.json: show two runs side by side",
           &written.compare);
}

absl::StatusOr<std::vector<Phase>> PhasesOf(const WrittenFlags& written) {
  if (!written.phases.empty()) return ParsePhases(written.phases);
  std::vector<Phase> phases;
  if (written.rate > 0) {
    phases.emplace_back(static_cast<uint64_t>(written.rate), written.duration);
  }
  return phases;
}

absl::StatusOr<std::vector<Threshold>> ThresholdsOf(const WrittenFlags& written,
                                                    const Flags& flags) {
  if (written.fail_if.empty()) return std::vector<Threshold>();
  absl::StatusOr<std::vector<Threshold>> thresholds =
      ParseThresholds(absl::StrJoin(written.fail_if, ","));
  if (!thresholds.ok()) return thresholds;
  Measurable measurable;
  measurable.open_loop = !flags.open.phases.empty();
  measurable.datagrams = flags.open.load.mode.protocol == Protocol::kUdp;
  measurable.server_cpu = flags.server_pid > 0;
  absl::Status possible = CheckMeasurable(*thresholds, measurable);
  if (!possible.ok()) return possible;
  return thresholds;
}

absl::Status Convert(const WrittenFlags& written, OpenLoopOptions& open) {
  absl::StatusOr<ArrivalKind> arrivals = ParseArrivalKind(written.arrivals);
  if (!arrivals.ok()) return arrivals.status();
  absl::StatusOr<std::vector<Phase>> phases = PhasesOf(written);
  if (!phases.ok()) return phases.status();
  absl::StatusOr<Mode> mode = ModeOf(written);
  if (!mode.ok()) return mode.status();
  open.load.mode = *std::move(mode);
  open.load.connections = written.connections;
  open.load.workers = written.workers;
  open.load.first_cpu = written.pin;
  open.load.short_connections = written.short_connections;
  open.load.ramp = written.ramp;
  open.load.warmup = written.warmup;
  open.load.duration = written.duration;
  open.phases = *std::move(phases);
  open.arrivals = *arrivals;
  open.seed = written.seed != 0 ? static_cast<uint64_t>(written.seed)
                                : std::random_device()() % INT32_MAX + 1;
  open.queue = static_cast<size_t>(written.queue);
  return absl::OkStatus();
}

}  // namespace

std::optional<int> ParseFlags(int argc, char** argv, Flags& flags) {
  WrittenFlags written;
  CommandLine line("loadgen", "keeps a server busy and checks what comes back");
  DeclareLoad(line, written);
  DeclareHttp(line, written);
  DeclareTls(line, written);
  DeclareOutput(line, written, flags);
  if (std::optional<int> code = line.Parse(argc, argv)) return code;
  const std::string wrong = WhyFlagsAreWrong(written);
  if (!wrong.empty()) return line.Complain(wrong);
  flags.server_pid = written.server_pid;
  absl::Status converted = Convert(written, flags.open);
  if (!converted.ok()) return line.Complain(converted.message());
  absl::StatusOr<std::vector<Threshold>> fail_if = ThresholdsOf(written, flags);
  if (!fail_if.ok()) return line.Complain(fail_if.status().message());
  flags.fail_if = *std::move(fail_if);
  return std::nullopt;
}

}  // namespace ringway::loadgen
