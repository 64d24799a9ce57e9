// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/flags.h"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_options.h"
#include "ringway/tools/command_line/command_line.h"

namespace ringway::loadgen {
namespace {

// The limit of the connections' buffers, and of their queues.
constexpr uint64_t kMaxMemory = uint64_t{4} << 30;

constexpr int kDefaultQueue = 1024;
constexpr int kMostQueue = 1'000'000;

// The values as they are written.
struct Written {
  std::string connect = "127.0.0.1:7878";
  std::string protocol = "echo";
  absl::Duration loss_timeout = Mode().loss_timeout;
  int connections = 32;
  int size = 64;
  int pipeline = 1;
  int rate = 0;
  std::string phases;
  std::string arrivals = "uniform";
  int seed = 0;
  int queue = kDefaultQueue;
  absl::Duration duration = absl::Seconds(5);
  bool tls = false;
  std::string ca;
  bool insecure = false;
  std::string tls_name;
  bool tls_resume = true;
  std::vector<std::string> fail_if;
  std::string compare;  // in the help only: RunCompare() comes first
};

void Declare(CommandLine& line, Written& written, Flags& flags) {
  LoadOptions& load = flags.open.load;
  line.Add("connect",
           "address of the server: 127.0.0.1:7878, [::1]:7878, unix:/path or "
           "unix:@name",
           &written.connect);
  line.Add("protocol",
           "echo: by TCP, a Unix stream or --tls; udp: echo by datagrams",
           &written.protocol);
  line.Add("connections",
           "connections of all workers, each a closed loop without --rate",
           &written.connections, 1, 100'000);
  line.Add("workers", "threads, each with its share of connections and rate",
           &load.workers, 1, 1024);
  line.Add("ramp",
           "open the connections evenly over this time, before the warm-up; "
           "0: all at once",
           &load.ramp);
  line.Add("short",
           "a connection for each request, --connections of them at once",
           &load.short_connections);
  line.Add("size", "bytes of a request", &written.size, 1, 64 << 20);
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
  line.Add("warmup", "how long to run before that", &load.warmup);
  line.Add("loss-timeout",
           "UDP: a request without a reply for this long is lost",
           &written.loss_timeout);
  line.Add("pin",
           "CPU of the first worker, the next ones follow; -1 pins nothing",
           &load.first_cpu, -1, 4095);
  line.Add("verify", "compare every byte of every reply", &load.mode.verify);
  line.Add("server-pid",
           "process whose CPU time, and memory after each phase, to measure, "
           "too; 0 measures none",
           &flags.server_pid, 0, 1 << 22);
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

// The first flag that has no meaning beside the others; empty if there is none.
std::string Contradiction(const Written& written, const LoadOptions& load) {
  const bool open = written.rate > 0 || !written.phases.empty();
  if (written.rate > 0 && !written.phases.empty())
    return "--phases has the rates: leave --rate out";
  if (!written.phases.empty() && written.duration != Written().duration)
    return "--phases has the durations: leave --duration out";
  if (written.pipeline > 1 && open)
    return "--pipeline is for a closed loop: leave --rate and --phases out";
  if (written.pipeline > 1 && load.short_connections)
    return "--pipeline is for connections that stay: leave --short out";
  if (load.workers > written.connections)
    return "--workers is more than --connections";
  if (load.ramp > absl::ZeroDuration() && load.short_connections)
    return "--ramp is for connections that stay: leave --short out";
  if (!open && written.arrivals != Written().arrivals)
    return "--arrivals needs --rate or --phases";
  if (!open && written.queue != kDefaultQueue)
    return "--queue needs --rate or --phases";
  if (written.seed != 0 && written.arrivals != "poisson")
    return "--seed needs --arrivals=poisson";
  if (!written.tls && (!written.ca.empty() || written.insecure ||
                       !written.tls_name.empty() || !written.tls_resume)) {
    return "--ca, --insecure, --tls-name and --tls-resume need --tls";
  }
  if (written.insecure && !written.ca.empty())
    return "--insecure accepts every certificate: leave --ca out";
  return "";
}

// The same, of those that have to do with the protocol.
std::string ContradictionOfProtocol(const Written& written,
                                    const LoadOptions& load) {
  const bool udp = written.protocol == ProtocolName(Protocol::kUdp);
  if (!udp && written.protocol != ProtocolName(Protocol::kEcho))
    return absl::StrCat("--protocol is echo or udp, not '", written.protocol,
                        "'");
  if (!udp && written.loss_timeout != Written().loss_timeout)
    return "--loss-timeout needs --protocol=udp";
  if (!udp) return "";
  if (written.loss_timeout <= absl::ZeroDuration())
    return "--loss-timeout must be positive";
  if (written.tls) return "--tls is for streams: leave --protocol=udp out";
  if (load.short_connections)
    return "--short is for streams: leave --protocol=udp out";
  if (absl::StartsWith(written.connect, "unix:"))
    return "--protocol=udp needs an IP address";
  if (written.size < static_cast<int>(kLeastDatagram) ||
      written.size > static_cast<int>(kMostDatagram)) {
    return absl::StrCat("--size by UDP is from ", kLeastDatagram, " to ",
                        kMostDatagram);
  }
  return "";
}

// Why it would need too much memory; empty if not.
std::string Excess(const Written& written) {
  const auto connections = static_cast<uint64_t>(written.connections);
  if (2 * connections * static_cast<uint64_t>(written.size) *
          static_cast<uint64_t>(written.pipeline) >
      kMaxMemory) {
    return "--connections times --size times --pipeline is more than 2 GiB";
  }
  if (connections * static_cast<uint64_t>(written.queue) *
          sizeof(PacedRequest) >
      kMaxMemory) {
    return "--connections times --queue is more than 268435456";
  }
  return "";
}

absl::StatusOr<std::vector<Phase>> PhasesOf(const Written& written) {
  if (!written.phases.empty()) return ParsePhases(written.phases);
  std::vector<Phase> phases;
  if (written.rate > 0) {
    phases.emplace_back(static_cast<uint64_t>(written.rate), written.duration);
  }
  return phases;
}

// The address without its port and brackets.
absl::StatusOr<std::string> TlsNameOf(const Written& written,
                                      const net::SocketAddress& address) {
  if (!written.tls_name.empty()) return written.tls_name;
  if (address.is_unix()) {
    return absl::InvalidArgumentError(
        "a Unix address has no name: --tls needs --tls-name");
  }
  const std::string text = address.ToString();
  std::string_view host = std::string_view(text).substr(0, text.rfind(':'));
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return std::string(host);
}

absl::StatusOr<TlsTarget> TlsTargetOf(const Written& written,
                                      const net::SocketAddress& address) {
  absl::StatusOr<std::string> host = TlsNameOf(written, address);
  if (!host.ok()) return host.status();
  net::TlsClientOptions options;
  options.verify = !written.insecure;
  if (!written.ca.empty()) options.roots = net::TlsPem::File(written.ca);
  if (!written.tls_resume) options.session_cache_size = 0;
  absl::StatusOr<net::TlsContext> context =
      net::TlsContext::Client(std::move(options));
  if (!context.ok()) return context.status();
  return TlsTarget{*std::move(context), *std::move(host)};
}

absl::StatusOr<std::vector<Threshold>> ThresholdsOf(const Written& written,
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

absl::Status Convert(const Written& written, OpenLoopOptions& open) {
  absl::StatusOr<net::SocketAddress> address =
      net::SocketAddress::Parse(written.connect);
  if (!address.ok()) return address.status();
  absl::StatusOr<ArrivalKind> arrivals = ParseArrivalKind(written.arrivals);
  if (!arrivals.ok()) return arrivals.status();
  absl::StatusOr<std::vector<Phase>> phases = PhasesOf(written);
  if (!phases.ok()) return phases.status();
  Mode& mode = open.load.mode;
  mode.target.address = *address;
  if (written.protocol == ProtocolName(Protocol::kUdp))
    mode.protocol = Protocol::kUdp;
  mode.loss_timeout = written.loss_timeout;
  if (written.tls) {
    absl::StatusOr<TlsTarget> tls = TlsTargetOf(written, *address);
    if (!tls.ok()) return tls.status();
    mode.target.tls = *std::move(tls);
  }
  open.load.connections = written.connections;
  mode.size = static_cast<size_t>(written.size);
  mode.depth = static_cast<size_t>(written.pipeline);
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
  Written written;
  CommandLine line("loadgen",
                   "keeps an echo server busy and checks what comes back");
  Declare(line, written, flags);
  if (std::optional<int> code = line.Parse(argc, argv)) return code;
  std::string wrong = Contradiction(written, flags.open.load);
  if (wrong.empty()) wrong = ContradictionOfProtocol(written, flags.open.load);
  if (wrong.empty()) wrong = Excess(written);
  if (!wrong.empty()) return line.Complain(wrong);
  absl::Status converted = Convert(written, flags.open);
  if (!converted.ok()) return line.Complain(converted.message());
  absl::StatusOr<std::vector<Threshold>> fail_if = ThresholdsOf(written, flags);
  if (!fail_if.ok()) return line.Complain(fail_if.status().message());
  flags.fail_if = *std::move(fail_if);
  return std::nullopt;
}

}  // namespace ringway::loadgen
