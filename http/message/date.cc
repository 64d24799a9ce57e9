// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/message/date.h"

#include <array>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace ringway::http {

namespace {

// Day names are not compared with the date.
constexpr char kFixDate[] = "%a, %d %b %E4Y %H:%M:%S GMT";
constexpr char kRfc850Date[] = "%A, %d-%b-%y %H:%M:%S GMT";
constexpr char kAsctimeDate[] = "%a %b %e %H:%M:%S %E4Y";

absl::Time WithYearNear(absl::Time time, absl::Time now) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  absl::CivilSecond civil = absl::ToCivilSecond(time, utc);
  const auto this_year = absl::ToCivilYear(now, utc).year();
  auto year = this_year - this_year % 100 + civil.year() % 100;
  if (year > this_year + 49) year -= 100;
  if (year < this_year - 50) year += 100;
  civil = absl::CivilSecond(year, civil.month(), civil.day(), civil.hour(),
                            civil.minute(), civil.second());
  return absl::FromCivil(civil, utc);
}

}  // namespace

std::string FormatDate(absl::Time time) {
  return absl::FormatTime(kFixDate, time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ParseDate(std::string_view text, absl::Time now) {
  absl::Time time;
  std::string error;
  if (text.size() == kDateBytes &&
      absl::ParseTime(kFixDate, text, &time, &error)) {
    return time;
  }
  if (absl::ParseTime(kRfc850Date, text, &time, &error))
    return WithYearNear(time, now);
  if (absl::ParseTime(kAsctimeDate, text, &time, &error)) return time;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text.substr(0, 100), "\" is no date"));
}

}  // namespace ringway::http
