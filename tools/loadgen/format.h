// SPDX-License-Identifier: Apache-2.0
//
// What the reports of the load generator are made of: numbers and rows as text,
// members of JSON objects.

#ifndef RINGWAY_TOOLS_LOADGEN_FORMAT_H_
#define RINGWAY_TOOLS_LOADGEN_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "ringway/core/histogram.h"
#include "ringway/tools/loadgen/error_counts.h"

namespace ringway::loadgen {

// A JSON string literal.
std::string JsonString(std::string_view text);

// "1,234,567".
std::string Grouped(uint64_t n);
std::string Grouped(double n);

// 0 if no time has passed.
double PerSecond(double amount, absl::Duration time);

// The percentile of a histogram of nanoseconds.
double Microseconds(const Histogram& ns, double percentile);

// "1.25 us per request, 40 % of a core".
std::string CpuText(absl::Duration cpu, uint64_t requests,
                    absl::Duration measured);

// "  name          value\n".
void AppendRow(std::string& table, std::string_view name,
               std::string_view value);
// The rows p50 to max of a histogram of nanoseconds.
void AppendLatencyRows(std::string& table, const Histogram& ns);
// The row of all errors; if there are some, one for each kind.
void AppendErrorRows(std::string& table, const ErrorCounts& errors);

// "p50_us": 1.5, ... "max_us": 9.1, without a comma around.
std::string LatencyMembers(const Histogram& ns);
// ", NAME_cpu_us_per_request": ..., "NAME_cpu_share": ...; empty without `cpu`.
std::string CpuMembers(std::string_view name, std::optional<absl::Duration> cpu,
                       uint64_t requests, absl::Duration measured);
// ", "errors": 2, "first_error": ..., "errors_by_kind": {...}".
std::string ErrorMembers(const ErrorCounts& errors);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_FORMAT_H_
