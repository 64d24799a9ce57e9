// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/live_line.h"

#include "absl/strings/str_format.h"
#include "ringway/tools/loadgen/format.h"
#include "ringway/tools/loadgen/report/text.h"

namespace ringway::loadgen {

std::string LiveLine::Text(const Progress& progress) {
  const double rate =
      PerSecond(static_cast<double>(progress.requests - requests_before_),
                progress.elapsed - elapsed_before_);
  elapsed_before_ = progress.elapsed;
  requests_before_ = progress.requests;
  std::string text =
      absl::StrFormat("  %.0f s  %s/s", absl::ToDoubleSeconds(progress.elapsed),
                      RateText(rate));
  if (progress.recent_ns.count() > 0) {
    absl::StrAppendFormat(&text, "  p50 %s  p99 %s",
                          TimeText(Microseconds(progress.recent_ns, 50)),
                          TimeText(Microseconds(progress.recent_ns, 99)));
  }
  absl::StrAppendFormat(&text, "  %s errors  %.0f s left",
                        Grouped(progress.errors),
                        absl::ToDoubleSeconds(progress.left));
  return text;
}

}  // namespace ringway::loadgen
