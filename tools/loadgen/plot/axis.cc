// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/plot/axis.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ringway::loadgen {
namespace {

// Beyond these an axis has no use, and its arithmetic no precision.
constexpr double kSmallest = 1e-3;
constexpr double kLargest = 1e15;

constexpr double kWideRange = 20;

constexpr std::array<double, 3> kRound = {1, 2, 5};

// Ticks at 1, 2 and 5 are for at most this many powers of ten.
constexpr double kMostFineDecades = 2.1;

double Usable(double value) {
  if (!std::isfinite(value)) return 0;
  return std::clamp(value, 0.0, kLargest);
}

// 1, 2 or 5 times a power of ten: the smallest that is at least `value`, but
// for rounding.
double RoundUp(double value) {
  const double decade = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : kRound)
    if (factor * decade >= value * (1 - 1e-9)) return factor * decade;
  return 10 * decade;
}

// The largest that is at most `value`.
double RoundDown(double value) {
  const double decade = std::pow(10, std::floor(std::log10(value) + 1e-9));
  double round = decade;
  for (const double factor : kRound)
    if (factor * decade <= value * (1 + 1e-9)) round = factor * decade;
  return round;
}

double StepOf(double length, int n_ticks) {
  return RoundUp(length / std::max(1, n_ticks));
}

}  // namespace

Axis Axis::Linear(double highest, int n_ticks) {
  const double used = Usable(highest) > 0 ? Usable(highest) : 1;
  const double step = StepOf(used, n_ticks);
  return LinearTo(step * std::ceil(used / step - 1e-9), n_ticks);
}

Axis Axis::LinearTo(double end, int n_ticks) {
  const double used = std::max(Usable(end), kSmallest);
  Axis axis(/*is_logarithmic=*/false, 0, used);
  const double step = StepOf(used, n_ticks);
  for (int i = 0; step * i <= used * (1 + 1e-9); ++i)
    axis.ticks_.push_back(step * i);
  return axis;
}

Axis Axis::Logarithmic(double lowest, double highest) {
  const double from = std::max(Usable(lowest), kSmallest);
  const double to = std::max(Usable(highest), from);
  const double low = RoundDown(from);
  double high = RoundUp(to);
  if (high < 2 * low) high = RoundUp(1.5 * low);
  Axis axis(/*is_logarithmic=*/true, low, high);
  const bool fine = std::log10(high / low) <= kMostFineDecades;
  for (double decade = std::pow(10, std::floor(std::log10(low) + 1e-9));
       decade <= high * (1 + 1e-9); decade *= 10) {
    for (const double factor : kRound) {
      const double tick = factor * decade;
      if ((fine || factor == 1) && tick >= low * (1 - 1e-9) &&
          tick <= high * (1 + 1e-9))
        axis.ticks_.push_back(tick);
    }
  }
  return axis;
}

Axis Axis::Nines(double end) {
  Axis axis(/*is_logarithmic=*/true, 1, std::max(Usable(end), 10.0));
  axis.ticks_ = {1, 2};
  for (double tick = 10; tick <= axis.high_; tick *= 10)
    axis.ticks_.push_back(tick);
  return axis;
}

Axis Axis::ForLatencies(double lowest, double highest, int n_ticks) {
  const double low = std::max(Usable(lowest), kSmallest);
  return Usable(highest) > kWideRange * low ? Logarithmic(low, highest)
                                            : Linear(highest, n_ticks);
}

double Axis::Position(double value) const {
  const double inside =
      std::clamp(std::isfinite(value) ? value : low_, low_, high_);
  if (!is_logarithmic_) return (inside - low_) / (high_ - low_);
  return std::log(inside / low_) / std::log(high_ / low_);
}

}  // namespace ringway::loadgen
