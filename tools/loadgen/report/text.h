// SPDX-License-Identifier: Apache-2.0
//
// Times and rates as people write them: "1.25 ms", "98.1k".

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_TEXT_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_TEXT_H_

#include <string>

namespace ringway::loadgen {

// Three digits and the unit that needs the fewest: "0", "850 ns", "12.5 us",
// "1.25 ms", "60 s". Values that are no number are "0".
std::string TimeText(double us);

// "0", "950", "12.5k", "1.2M".
std::string RateText(double per_second);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_TEXT_H_
