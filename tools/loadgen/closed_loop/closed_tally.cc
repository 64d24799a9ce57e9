// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/closed_loop/closed_tally.h"

#include <algorithm>

namespace ringway::loadgen {

void ClosedTally::Merge(const ClosedTally& other) {
  requests += other.requests;
  lost += other.lost;
  strays += other.strays;
  reopened += other.reopened;
  errors.Merge(other.errors);
  if (series.has_value() && other.series.has_value()) {
    series->Merge(*other.series);
  } else if (!series.has_value()) {
    series = other.series;
  }
  opening.Merge(other.opening);
  measured = std::max(measured, other.measured);
}

}  // namespace ringway::loadgen
