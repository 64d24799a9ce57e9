// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/open_tally.h"

#include <algorithm>
#include <cstddef>

namespace ringway::loadgen {

void OpenTally::Merge(const OpenTally& other) {
  // A worker whose connections have all failed ends early.
  const size_t both = std::min(phases.size(), other.phases.size());
  for (size_t i = 0; i < both; ++i) phases[i].Merge(other.phases[i]);
  for (size_t i = both; i < other.phases.size(); ++i)
    phases.push_back(other.phases[i]);
  unanswered += other.unanswered;
  series.Merge(other.series);
  opening.Merge(other.opening);
  errors.Merge(other.errors);
}

}  // namespace ringway::loadgen
