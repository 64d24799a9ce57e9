// SPDX-License-Identifier: Apache-2.0
//
// Two runs side by side.

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_COMPARISON_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_COMPARISON_H_

#include <string>

#include "ringway/tools/loadgen/report/summary.h"

namespace ringway::loadgen {

struct NamedRun {
  NamedRun() {}

  std::string name;  // for people: that of its file
  Summary summary;
};

// A table with a row for each figure that both runs have: its two values, and
// the second divided by the first. "-" where a run lacks it, or the ratio has
// no meaning.
std::string FormatComparison(const NamedRun& a, const NamedRun& b);

// Runs whose loads differ measure different things: a line that warns of it,
// otherwise empty.
std::string DifferenceWarning(const NamedRun& a, const NamedRun& b);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_COMPARISON_H_
