// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/samples/copy/progress_line.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ringway::copy {
namespace {

constexpr int kBarWidth = 28;

std::string Bar(double share) {
  const int filled = static_cast<int>(share * kBarWidth);
  return absl::StrCat("[", std::string(static_cast<size_t>(filled), '#'),
                      std::string(static_cast<size_t>(kBarWidth - filled), ' '),
                      "]");
}

std::string ShortTime(double seconds) {
  const auto s = static_cast<int64_t>(std::ceil(seconds));
  if (s < 60) return absl::StrCat(s, " s");
  if (s < 3600) return absl::StrFormat("%d:%02d min", s / 60, s % 60);
  return absl::StrFormat("%d:%02d h", s / 3600, s / 60 % 60);
}

}  // namespace

std::string ShortBytes(double n_bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; n_bytes >= 1023.5 && unit + 1 < std::size(kUnits); ++unit)
    n_bytes /= 1024;
  const bool fraction = unit > 0 && n_bytes < 9.95;
  return absl::StrFormat("%.*f %s", fraction ? 1 : 0, n_bytes, kUnits[unit]);
}

std::string ProgressLine(int64_t done, int64_t total, absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const std::string speed = absl::StrCat(ShortBytes(rate), "/s");
  const std::string so_far = ShortBytes(static_cast<double>(done));
  if (total <= 0) return absl::StrCat(so_far, "  ", speed);
  // A file may have grown since it was counted.
  const double share =
      std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  std::string line = absl::StrFormat(
      "%s %3.0f %%  %s of %s  %s", Bar(share), std::floor(share * 100), so_far,
      ShortBytes(static_cast<double>(total)), speed);
  if (rate > 0 && done < total) {
    absl::StrAppend(&line, "  ",
                    ShortTime(static_cast<double>(total - done) / rate),
                    " left");
  }
  return line;
}

}  // namespace ringway::copy
