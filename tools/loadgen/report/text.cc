// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/text.h"

#include <cmath>

#include "absl/strings/str_format.h"

namespace ringway::loadgen {
namespace {

// Three significant digits, and no exponent below a million.
std::string Digits(double value) {
  return std::fabs(value) >= 999.5 ? absl::StrFormat("%.0f", value)
                                   : absl::StrFormat("%.3g", value);
}

}  // namespace

std::string TimeText(double us) {
  // The next unit begins where three digits would round up to it.
  constexpr double kNext = 999.5;
  if (!std::isfinite(us) || us <= 0) return "0";
  if (us < kNext / 1e3) return Digits(us * 1e3) + " ns";
  if (us < kNext) return Digits(us) + " us";
  if (us < kNext * 1e3) return Digits(us / 1e3) + " ms";
  return Digits(us / 1e6) + " s";
}

std::string RateText(double per_second) {
  constexpr double kNext = 999.5;
  if (!std::isfinite(per_second) || per_second <= 0) return "0";
  if (per_second < kNext) return Digits(per_second);
  if (per_second < kNext * 1e3) return Digits(per_second / 1e3) + "k";
  return Digits(per_second / 1e6) + "M";
}

}  // namespace ringway::loadgen
