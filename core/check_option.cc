// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/check_option.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"

namespace ringway {
namespace {

absl::Status OutOfRange(std::string_view name, std::string_view value,
                        std::string_view limits) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is ", value, ", must be ", limits));
}

}  // namespace

absl::Status CheckOption(std::string_view name, uint64_t value, uint64_t low,
                         uint64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return OutOfRange(name, absl::StrCat(value), absl::StrCat(low, " to ", high));
}

absl::Status CheckOption(std::string_view name, absl::Duration value,
                         absl::Duration low, absl::Duration high) {
  if (value >= low && value <= high) return absl::OkStatus();
  const std::string least = absl::FormatDuration(low);
  return OutOfRange(
      name, absl::FormatDuration(value),
      high == absl::InfiniteDuration()
          ? absl::StrCat("at least ", least)
          : absl::StrCat(least, " to ", absl::FormatDuration(high)));
}

void RequireValid(const absl::Status& status) {
  RINGWAY_CHECK(status.ok(), "%s", std::string(status.message()).c_str());
}

}  // namespace ringway
