// SPDX-License-Identifier: Apache-2.0
//
// ProgressLine: how far a copy is, in one line.
//
//   [############                ]  42 %  1.2 GiB of 2.9 GiB  312 MiB/s  5 s
//   left

#ifndef RINGWAY_TOOLS_SAMPLES_COPY_PROGRESS_LINE_H_
#define RINGWAY_TOOLS_SAMPLES_COPY_PROGRESS_LINE_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace ringway::copy {

// "17 B", "1.2 KiB", "312 MiB".
std::string ShortBytes(double n_bytes);

// `total`: 0 or less while it is not known. The rate is that of the whole time.
std::string ProgressLine(int64_t done, int64_t total, absl::Duration elapsed);

}  // namespace ringway::copy

#endif  // RINGWAY_TOOLS_SAMPLES_COPY_PROGRESS_LINE_H_
