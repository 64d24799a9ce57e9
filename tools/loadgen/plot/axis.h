// SPDX-License-Identifier: Apache-2.0
//
// Axis: which values a side of a plot shows, and where.

#ifndef RINGWAY_TOOLS_LOADGEN_PLOT_AXIS_H_
#define RINGWAY_TOOLS_LOADGEN_PLOT_AXIS_H_

#include <vector>

namespace ringway::loadgen {

class Axis {
 public:
  // From 0 to a round value that is at least `highest`, with about `n_ticks`
  // round ticks. Values that are no number count as 0, and an axis always has
  // a length.
  static Axis Linear(double highest, int n_ticks);
  // From 0 to `end` exactly.
  static Axis LinearTo(double end, int n_ticks);

  // From a round value that is at most `lowest` to one that is at least
  // `highest`, with ticks at 1, 2 and 5 or, where that would be many, at
  // powers of ten. Values that are not positive count as the smallest.
  static Axis Logarithmic(double lowest, double highest);

  // Of 1 / (1 - p) for percentiles: from 1 to `end` exactly, with ticks at 2,
  // the median, and at the powers of ten.
  static Axis Nines(double end);

  // Logarithmic if the values differ by more than a factor of 20, as those of
  // most latencies do.
  static Axis ForLatencies(double lowest, double highest, int n_ticks);

  // From 0 for the begin to 1 for the end; values outside are moved there.
  double Position(double value) const;

  bool is_logarithmic() const { return is_logarithmic_; }
  double low() const { return low_; }
  double high() const { return high_; }
  // Ascending, from low() to high().
  const std::vector<double>& ticks() const { return ticks_; }

 private:
  Axis(bool is_logarithmic, double low, double high)
      : is_logarithmic_(is_logarithmic), low_(low), high_(high) {}

  bool is_logarithmic_;
  double low_;
  double high_;
  std::vector<double> ticks_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_PLOT_AXIS_H_
