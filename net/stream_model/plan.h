// SPDX-License-Identifier: Apache-2.0
//
// Plan: the content of a seed: the workers, their options, the pairs of
// streams and the programs of their ends.

#ifndef RINGWAY_NET_STREAM_MODEL_PLAN_H_
#define RINGWAY_NET_STREAM_MODEL_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "ringway/backends/backend_options.h"
#include "ringway/executor/task/executor.h"

namespace ringway::net::model {

// The main activity of a round's ends.
enum class Theme : uint8_t {
  kMixed,    // everything
  kBulk,     // much, both directions at once, to the end
  kResets,   // peers that close early
  kCancels,  // reads and writes that are cancelled
  kHolds,    // buffers that are kept, and few of them
};
inline constexpr Theme kThemes[] = {Theme::kMixed, Theme::kBulk, Theme::kResets,
                                    Theme::kCancels, Theme::kHolds};
std::string_view ThemeName(Theme theme);

enum class Transport : uint8_t { kTcp4, kTcp6, kUnix, kAdopted };

// What is laid over the transport.
enum class Security : uint8_t { kNone, kTls12, kTls13 };

enum class Leave : uint8_t { kNever, kDrop, kClose, kReset };

// The plan of one end of a pair.
struct EndPlan {
  uint64_t seed = 0;     // of its programs
  uint64_t n_bytes = 0;  // that it sends unless interrupted
  uint64_t largest_write = 1;
  Leave leave = Leave::kNever;
  uint64_t leave_at = 0;  // after this many bytes of one direction
  bool leave_by_reader = false;
  // One in this many steps; 0: never.
  uint32_t cancelled_reads = 0;
  uint32_t cancelled_writes = 0;
  uint32_t pauses = 0;
  uint32_t holds = 0;
  uint32_t messages = 0;
  // Of ten reads, how many are by Receive() and not by Read().
  uint32_t receives = 5;
};

struct PairPlan {
  Transport transport = Transport::kTcp4;
  Security security = Security::kNone;
  bool small_send_buffer = false;
  size_t workers[2] = {0, 0};
  EndPlan ends[2];
};

struct PlanLimits {
  PlanLimits() {}

  uint64_t n_bytes = 8u << 20;  // of all directions
  size_t n_pairs = 24;
  size_t workers = 0;      // 0: one or two
  bool tls = false;        // all pairs are TLS streams
  BackendOptions backend;  // options that the seed does not decide
};

struct Plan {
  uint64_t seed = 0;
  Theme theme = Theme::kMixed;
  size_t workers = 1;
  ExecutorOptions options;
  std::vector<PairPlan> pairs;
  // If positive, the first worker ends after that time, with everything in
  // flight.
  absl::Duration cut_after;

  std::string Describe() const;
};

// The seed also decides the theme if none is given.
Plan PlanOf(uint64_t seed, const PlanLimits& limits);
Plan PlanOf(uint64_t seed, Theme theme, const PlanLimits& limits);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_PLAN_H_
