// SPDX-License-Identifier: Apache-2.0
//
// CheckOption: refuses an option that is out of range, with its name, its
// value and its range.

#ifndef RINGWAY_CORE_CHECK_OPTION_H_
#define RINGWAY_CORE_CHECK_OPTION_H_

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace ringway {

// OK if `value` is `low` to `high`, both included; otherwise InvalidArgument.
// `name` includes the option's struct: "LoopOptions::spin".
absl::Status CheckOption(std::string_view name, uint64_t value, uint64_t low,
                         uint64_t high);
absl::Status CheckOption(std::string_view name, absl::Duration value,
                         absl::Duration low, absl::Duration high);

// For enums whose values are 0 to `last`, without gaps; a cast can produce
// other values.
template <typename Enum>
requires std::is_enum_v<Enum> absl::Status CheckOption(std::string_view name,
                                                       Enum value, Enum last) {
  return CheckOption(name, static_cast<uint64_t>(value), 0,
                     static_cast<uint64_t>(last));
}

// Aborts with the message of `status` unless it is OK.
void RequireValid(const absl::Status& status);

// Returns `options`; aborts unless `check` finds them valid. For
// constructors, which cannot return a status.
template <typename Options>
Options Valid(Options options, absl::Status (*check)(const Options&)) {
  RequireValid(check(options));
  return options;
}

}  // namespace ringway

#endif  // RINGWAY_CORE_CHECK_OPTION_H_
