// SPDX-License-Identifier: Apache-2.0
//
// WrittenFlags: the values of the load generator's flags as they are written,
// and which of them have a meaning together.

#ifndef RINGWAY_TOOLS_LOADGEN_WRITTEN_FLAGS_H_
#define RINGWAY_TOOLS_LOADGEN_WRITTEN_FLAGS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ringway/tools/loadgen/connection/mode.h"

namespace ringway::loadgen {

inline constexpr int kMostQueue = 1'000'000;

struct WrittenFlags {
  WrittenFlags() {}

  std::string connect = "127.0.0.1:7878";
  std::string protocol = "echo";
  absl::Duration loss_timeout = absl::Seconds(1);
  std::string path = "/";
  std::string method = "GET";
  std::vector<std::string> headers;
  int body_size = 0;
  bool compare_bodies = false;
  int connections = 32;
  int size = 64;
  int pipeline = 1;
  int streams = 32;
  int rate = 0;
  std::string phases;
  std::string arrivals = "uniform";
  int seed = 0;
  int queue = 1024;
  absl::Duration duration = absl::Seconds(5);
  bool tls = false;
  std::string ca;
  bool insecure = false;
  std::string tls_name;
  bool tls_resume = true;
  bool verify = true;
  int workers = 1;
  int pin = -1;
  bool short_connections = false;
  absl::Duration ramp;
  absl::Duration warmup = absl::Milliseconds(500);
  int server_pid = 0;
  std::vector<std::string> fail_if;
  std::string compare;  // in the help only: RunCompare() comes first

  bool is_url() const;
  bool open_loop() const { return rate > 0 || !phases.empty(); }
  // A URL is of http1 unless another protocol is named; none: it is unknown.
  std::optional<Protocol> ChosenProtocol() const;
};

// The first flag that has no meaning beside the others, or would need too much
// memory, explained; empty if there is none.
std::string WhyFlagsAreWrong(const WrittenFlags& written);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_WRITTEN_FLAGS_H_
