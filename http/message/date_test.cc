// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/message/date.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "gtest/gtest.h"

namespace ringway::http {
namespace {

absl::Time At(absl::CivilSecond civil) {
  return absl::FromCivil(civil, absl::UTCTimeZone());
}

const absl::Time kNow = At(absl::CivilSecond(2026, 6, 15, 12, 0, 0));
// The example of RFC 9110, section 5.6.7.
const absl::Time kExample = At(absl::CivilSecond(1994, 11, 6, 8, 49, 37));

TEST(FormatDate, WritesTheFixedForm) {
  EXPECT_EQ(FormatDate(kExample), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatDate(kExample + absl::Milliseconds(999)),
            "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatDate(absl::UnixEpoch()), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(FormatDate(kExample).size(), kDateBytes);
}

TEST(ParseDate, ReadsAllThreeForms) {
  for (const std::string_view text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(ParseDate(text, kNow).value(), kExample) << text;
  }
}

// The days and months of a period of the calendar, 400 years, at all times of
// the day.
TEST(ParseDate, ReadsWhatFormatDateWrites) {
  absl::CivilSecond civil(1850, 1, 1, 0, 0, 0);
  while (civil.year() < 2251) {
    const absl::Time time = At(civil);
    const std::string text = FormatDate(time);
    ASSERT_EQ(text.size(), kDateBytes) << text;
    ASSERT_EQ(ParseDate(text, kNow).value(), time) << text;
    const std::string asctime =
        absl::FormatTime("%a %b %e %H:%M:%S %Y", time, absl::UTCTimeZone());
    ASSERT_EQ(ParseDate(asctime, kNow).value(), time) << asctime;
    civil += 11 * 86400 + 40'009;
  }
}

// RFC 9110, section 5.6.7: a year that appears to be more than 50 years in the
// future is the last one with the same digits.
TEST(ParseDate, PutsAYearOfTwoDigitsNotTooFarIntoTheFuture) {
  const auto year = [](int two_digits, absl::Time now) {
    const std::string text =
        absl::StrFormat("Monday, 15-Jun-%02d 11:59:59 GMT", two_digits);
    return absl::ToCivilYear(ParseDate(text, now).value(), absl::UTCTimeZone())
        .year();
  };
  EXPECT_EQ(year(26, kNow), 2026);
  EXPECT_EQ(year(27, kNow), 2027);
  EXPECT_EQ(year(0, kNow), 2000);
  EXPECT_EQ(year(76, kNow), 2076);
  EXPECT_EQ(year(76, kNow - absl::Hours(1)), 1976);
  EXPECT_EQ(year(77, kNow), 1977);
  EXPECT_EQ(year(99, kNow), 1999);
  const absl::Time late = At(absl::CivilSecond(2099, 12, 31, 23, 59, 59));
  EXPECT_EQ(year(99, late), 2099);
  EXPECT_EQ(year(0, late), 2100);
  EXPECT_EQ(year(49, late), 2149);
  EXPECT_EQ(year(50, late), 2050);
  const absl::Time early = At(absl::CivilSecond(2000, 1, 1, 0, 0, 0));
  EXPECT_EQ(year(99, early), 1999);
  EXPECT_EQ(year(0, early), 2000);
  EXPECT_EQ(year(49, early), 2049);
  EXPECT_EQ(year(50, early), 1950);
}

TEST(ParseDate, ReadsALeapDayOfTwoDigits) {
  EXPECT_EQ(ParseDate("Tuesday, 29-Feb-00 00:00:00 GMT", kNow).value(),
            At(absl::CivilSecond(2000, 2, 29, 0, 0, 0)));
  EXPECT_EQ(ParseDate("Friday, 29-Feb-80 00:00:00 GMT", kNow).value(),
            At(absl::CivilSecond(1980, 2, 29, 0, 0, 0)));
}

TEST(ParseDate, RefusesWhatIsNoDate) {
  for (const std::string_view text : {"",
                                      "0",
                                      "now",
                                      "infinite-future",
                                      "infinite-past",
                                      " infinite-future ",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 +0000",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sun, 06 Foo 1994 08:49:37 GMT",
                                      "Foo, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:60:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 GMT+1",
                                      "Sun, 06 Nov 94 08:49:37 GMT",
                                      "06 Nov 1994 08:49:37 GMT",
                                      "Sun Nov  6 08:49:37 1994 GMT",
                                      "1994-11-06T08:49:37Z",
                                      "Sun, 06 Nov -994 08:49:37 GMT"}) {
    EXPECT_FALSE(ParseDate(text, kNow).ok()) << text;
  }
  EXPECT_FALSE(ParseDate(std::string(100'000, ' '), kNow).ok());
}

}  // namespace
}  // namespace ringway::http
