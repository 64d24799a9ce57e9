// SPDX-License-Identifier: Apache-2.0
//
// LiveLine: how a run goes, for the terminal of a person who waits for it.

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_LIVE_LINE_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_LIVE_LINE_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "ringway/tools/loadgen/load_options.h"

namespace ringway::loadgen {

class LiveLine {
 public:
  // "  3 s  98.1k/s  p50 310 us  p99 1.2 ms  0 errors  2 s left": the rate and
  // the latencies since the call before, the errors since the begin. Fits into
  // 80 columns.
  std::string Text(const Progress& progress);

 private:
  absl::Duration elapsed_before_;
  uint64_t requests_before_ = 0;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_LIVE_LINE_H_
