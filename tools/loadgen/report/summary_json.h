// SPDX-License-Identifier: Apache-2.0
//
// Summaries as JSON: what is added to the objects that the load generator
// prints, and such objects read again.

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_SUMMARY_JSON_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_SUMMARY_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringway/tools/loadgen/report/summary.h"

namespace ringway::loadgen {

// `object` is what FormatJson() or FormatOpenJson() returned. Adds "server",
// "load", "mean_us", "p9999_us", "percentiles": [[50, 12.5], ...] in
// microseconds, and "series", a list of objects.
std::string WithSummary(std::string object, const Summary& summary);

// Reads such an object. One without percentiles, as earlier versions wrote it,
// has those that have members of their own.
//
// Errors: InvalidArgument if it is no JSON, or lacks what every run has.
absl::StatusOr<Summary> ParseSummary(std::string_view json);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_SUMMARY_JSON_H_
