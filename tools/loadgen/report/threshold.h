// SPDX-License-Identifier: Apache-2.0
//
// Threshold: a limit on a figure of a run, such as p99>2ms, for a program that
// has to decide whether a server is good enough.
//
//   absl::StatusOr<std::vector<Threshold>> thresholds =
//       ParseThresholds("p99>2ms,errors>0");
//   for (const std::string& crossed : Crossed(*thresholds, summary)) ...

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_THRESHOLD_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_THRESHOLD_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/tools/loadgen/report/summary.h"

namespace ringway::loadgen {

// Figures by what they are limited by.
enum class FigureKind : uint8_t {
  kLatency,  // a time; per cent: of the first of two runs
  kRate,     // requests per second; per cent: of those offered, or of the first
  kCount,    // of requests; per cent: of all of them
  kCpu,      // a time per request; per cent: of a core, or of the first
};

enum class Comparison : uint8_t { kMore, kAtLeast, kLess, kAtMost };

struct Threshold {
  Threshold() {}

  std::string text;    // as it was written
  std::string figure;  // "p99"
  FigureKind kind = FigureKind::kLatency;
  Comparison comparison = Comparison::kMore;
  double limit = 0;  // times in microseconds
  bool per_cent = false;
};

// Parses thresholds that are separated by commas: FIGURE, one of > >= < <=, and
// a number with its unit. Latencies and the CPU time of a request need one (ns,
// us, ms, s, or %), rates and counts have none, or %.
//
// Errors: InvalidArgument with the threshold that is wrong and what it lacks.
absl::StatusOr<std::vector<Threshold>> ParseThresholds(std::string_view text);

// Which figures a run will have.
struct Measurable {
  Measurable() {}

  bool open_loop = false;
  bool datagrams = false;  // which may be lost
  bool server_cpu = false;
  bool two_runs = false;  // compared
};

// Errors: InvalidArgument with a threshold on what is not measured, and how it
//         would be.
absl::Status CheckMeasurable(const std::vector<Threshold>& thresholds,
                             const Measurable& measurable);

// The thresholds that `run` has crossed, each with its value: "p99>2ms: it is
// 3.1 ms". With `first`, the run that `run` is compared with, per cent are of
// that; a figure that either of them lacks is a crossed threshold, too.
std::vector<std::string> Crossed(const std::vector<Threshold>& thresholds,
                                 const Summary& run,
                                 const Summary* first = nullptr);

// True if one of them is on the errors: then that decides how many are too
// many.
bool LimitsErrors(const std::vector<Threshold>& thresholds);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_THRESHOLD_H_
