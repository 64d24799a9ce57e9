// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/message/date.h"

#include "absl/strings/str_cat.h"

namespace ringway::http {

namespace {

// Day names are not compared with the date.
constexpr char kFixDate[] = "%a, %d %b %E4Y %H:%M:%S GMT";
constexpr char kRfc850Date[] = "%A, %d-%b-%y %H:%M:%S GMT";
constexpr char kAsctimeDate[] = "%a %b %e %H:%M:%S %E4Y";

// With the latest year of the same two digits that is at most 50 years ahead.
absl::Time WithYearNear(absl::Time time, absl::Time now) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::CivilSecond civil = absl::ToCivilSecond(time, utc);
  const absl::CivilSecond now_civil = absl::ToCivilSecond(now, utc);
  const auto in_year = [&](absl::civil_year_t year,
                           const absl::CivilSecond& of) {
    return absl::CivilSecond(year, of.month(), of.day(), of.hour(), of.minute(),
                             of.second());
  };
  const absl::CivilSecond latest = in_year(now_civil.year() + 50, now_civil);
  auto year = latest.year() - latest.year() % 100 + civil.year() % 100;
  if (in_year(year, civil) > latest) year -= 100;
  return absl::FromCivil(in_year(year, civil), utc);
}

}  // namespace

std::string FormatDate(absl::Time time) {
  return absl::FormatTime(kFixDate, time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ParseDate(std::string_view text, absl::Time now) {
  absl::Time time;
  const auto has_form = [&](const char* form) {
    std::string error;
    if (!absl::ParseTime(form, text, &time, &error)) return false;
    // It takes signs before a year, and "infinite-future" in any form.
    const auto year = absl::ToCivilYear(time, absl::UTCTimeZone()).year();
    return year >= 0 && year <= 9999;
  };
  if (text.size() == kDateBytes && has_form(kFixDate)) return time;
  if (has_form(kRfc850Date)) return WithYearNear(time, now);
  if (has_form(kAsctimeDate)) return time;
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text.substr(0, 100), "\" is no date"));
}

}  // namespace ringway::http
