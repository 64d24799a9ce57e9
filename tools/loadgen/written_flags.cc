// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/written_flags.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ringway/tools/loadgen/open_loop/pacer.h"

namespace ringway::loadgen {
namespace {

// The limit of the connections' buffers, and of their queues.
constexpr uint64_t kMaxMemory = uint64_t{4} << 30;

constexpr absl::Duration kLongest = absl::Hours(24);

// About what a connection of HTTP needs besides bodies.
constexpr uint64_t kHttpBytes = 32 * 1024;

std::string WrongWithPacing(const WrittenFlags& written) {
  const WrittenFlags defaults;
  const bool open = written.open_loop();
  if (written.rate > 0 && !written.phases.empty())
    return "--phases has the rates: leave --rate out";
  if (!written.phases.empty() && written.duration != defaults.duration)
    return "--phases has the durations: leave --duration out";
  if (written.pipeline > 1 && open)
    return "--pipeline is for a closed loop: leave --rate and --phases out";
  if (written.pipeline > 1 && written.short_connections)
    return "--pipeline is for connections that stay: leave --short out";
  if (written.workers > written.connections)
    return "--workers is more than --connections";
  for (const absl::Duration time :
       {written.ramp, written.warmup, written.duration}) {
    if (time > kLongest)
      return "--ramp, --warmup and --duration are at most 24h";
  }
  if (written.ramp > absl::ZeroDuration() && written.short_connections)
    return "--ramp is for connections that stay: leave --short out";
  if (!open && written.arrivals != defaults.arrivals)
    return "--arrivals needs --rate or --phases";
  if (!open && written.queue != defaults.queue)
    return "--queue needs --rate or --phases";
  if (written.seed != 0 && written.arrivals != "poisson")
    return "--seed needs --arrivals=poisson";
  return "";
}

std::string WrongWithTls(const WrittenFlags& written) {
  const bool plain = absl::StartsWith(written.connect, "http://");
  if (plain && written.tls) return "--tls contradicts http://: write https://";
  const bool tls = written.tls || absl::StartsWith(written.connect, "https://");
  if (!tls && (!written.ca.empty() || written.insecure ||
               !written.tls_name.empty() || !written.tls_resume)) {
    return "--ca, --insecure, --tls-name and --tls-resume need --tls or "
           "https://";
  }
  if (written.insecure && !written.ca.empty())
    return "--insecure accepts every certificate: leave --ca out";
  return "";
}

std::string WrongWithUdp(const WrittenFlags& written) {
  if (written.loss_timeout <= absl::ZeroDuration())
    return "--loss-timeout must be positive";
  if (written.tls) return "--tls is for streams: leave --protocol=udp out";
  if (written.short_connections)
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

std::string WrongWithHttp(const WrittenFlags& written) {
  if (written.size != WrittenFlags().size)
    return "--size is for echo: write --body-size";
  if (written.is_url() && written.path != WrittenFlags().path)
    return "the URL has a path: leave --path out";
  if (!absl::StartsWith(written.path, "/")) return "--path must begin with /";
  if (written.compare_bodies && !written.verify)
    return "--compare-bodies needs --verify";
  return "";
}

std::string WrongWithProtocol(const WrittenFlags& written) {
  const WrittenFlags defaults;
  const std::optional<Protocol> protocol = written.ChosenProtocol();
  if (!protocol.has_value()) {
    return absl::StrCat("--protocol is ",
                        absl::StrJoin(kProtocols, " or ",
                                      [](std::string* out, Protocol one) {
                                        out->append(ProtocolName(one));
                                      }),
                        ", not '", written.protocol, "'");
  }
  if (written.is_url() && !IsHttp(*protocol))
    return absl::StrCat("--protocol=", written.protocol, " has no URL");
  if (*protocol != Protocol::kHttp2 && written.streams != defaults.streams)
    return "--streams needs --protocol=h2";
  if (*protocol == Protocol::kHttp2 && written.pipeline != defaults.pipeline)
    return "--pipeline is for others: --protocol=h2 has --streams";
  if (*protocol != Protocol::kUdp &&
      written.loss_timeout != defaults.loss_timeout) {
    return "--loss-timeout needs --protocol=udp";
  }
  if (!IsHttp(*protocol) &&
      (written.path != defaults.path || written.method != defaults.method ||
       !written.headers.empty() || written.body_size != 0 ||
       written.compare_bodies)) {
    return "--path, --method, --header, --body-size and --compare-bodies need "
           "HTTP";
  }
  if (*protocol == Protocol::kUdp) return WrongWithUdp(written);
  return IsHttp(*protocol) ? WrongWithHttp(written) : "";
}

std::string Excess(const WrittenFlags& written) {
  const auto connections = static_cast<uint64_t>(written.connections);
  const bool http = IsHttp(*written.ChosenProtocol());
  const uint64_t bytes =
      http ? static_cast<uint64_t>(written.body_size) + kHttpBytes
           : static_cast<uint64_t>(written.size);
  if (2 * connections * bytes * static_cast<uint64_t>(written.pipeline) >
      kMaxMemory) {
    return http ? "--connections times --pipeline, with --body-size, need more "
                  "than 2 GiB"
                : "--connections times --size times --pipeline is more than "
                  "2 GiB";
  }
  if (connections * static_cast<uint64_t>(written.queue) *
          sizeof(PacedRequest) >
      kMaxMemory) {
    return "--connections times --queue is more than 268435456";
  }
  return "";
}

}  // namespace

bool WrittenFlags::is_url() const { return absl::StrContains(connect, "://"); }

std::optional<Protocol> WrittenFlags::ChosenProtocol() const {
  if (is_url() && protocol == WrittenFlags().protocol) return Protocol::kHttp1;
  for (const Protocol one : kProtocols)
    if (protocol == ProtocolName(one)) return one;
  return std::nullopt;
}

std::string WhyFlagsAreWrong(const WrittenFlags& written) {
  for (const auto check :
       {&WrongWithPacing, &WrongWithTls, &WrongWithProtocol, &Excess}) {
    std::string wrong = check(written);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace ringway::loadgen
