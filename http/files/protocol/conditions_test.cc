// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/conditions.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/http/message/date.h"

namespace ringway::http::internal {
namespace {

constexpr char kBefore[] = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr char kThen[] = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr char kAfter[] = "Sun, 06 Nov 1994 08:49:38 GMT";

const absl::Time kModified =
    absl::FromUnixSeconds(784111777) + absl::Milliseconds(900);
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

using Fields = std::vector<std::pair<std::string, std::string>>;

Headers MakeHeaders(const Fields& fields) {
  Headers headers;
  for (const auto& [name, value] : fields) headers.Add(name, value);
  EXPECT_TRUE(headers.status().ok());
  return headers;
}

Validators Current(bool weak = false) {
  return {{"\"a\"", weak}, kModified, kThen};
}

std::string Describe(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += name + ": " + value + "\n";
  return text;
}

TEST(Conditions, AreEvaluatedInTheOrderOfTheRfc) {
  struct Row {
    Fields fields;
    Verdict verdict;
  };
  constexpr Verdict kSend = Verdict::kSend;
  constexpr Verdict kSame = Verdict::kNotModified;
  constexpr Verdict kFailed = Verdict::kPreconditionFailed;
  const Row rows[] = {
      {{}, kSend},
      {{{"If-Match", "\"a\""}}, kSend},
      {{{"If-Match", "*"}}, kSend},
      {{{"If-Match", "\"b\", \"a\""}}, kSend},
      {{{"If-Match", "\"b\""}, {"If-Match", "\"a\""}}, kSend},
      {{{"If-Match", "\"b\""}}, kFailed},
      {{{"If-Match", "W/\"a\""}}, kFailed},
      {{{"If-Unmodified-Since", kThen}}, kSend},
      {{{"If-Unmodified-Since", kAfter}}, kSend},
      {{{"If-Unmodified-Since", kBefore}}, kFailed},
      {{{"If-Unmodified-Since", "yesterday"}}, kSend},
      {{{"If-Unmodified-Since", kBefore}, {"If-Unmodified-Since", kBefore}},
       kSend},
      // If-Match makes If-Unmodified-Since void.
      {{{"If-Match", "\"a\""}, {"If-Unmodified-Since", kBefore}}, kSend},
      {{{"If-None-Match", "\"a\""}}, kSame},
      {{{"If-None-Match", "W/\"a\""}}, kSame},
      {{{"If-None-Match", "\"b\", W/\"c\", \"a\""}}, kSame},
      {{{"If-None-Match", "*"}}, kSame},
      {{{"If-None-Match", "\"b\""}}, kSend},
      {{{"If-None-Match", "a"}}, kSend},
      {{{"If-Modified-Since", kThen}}, kSame},
      {{{"If-Modified-Since", kAfter}}, kSame},
      {{{"If-Modified-Since", kBefore}}, kSend},
      {{{"If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"}}, kSame},
      {{{"If-Modified-Since", "Sun Nov  6 08:49:37 1994"}}, kSame},
      {{{"If-Modified-Since", "0"}}, kSend},
      // If-None-Match makes If-Modified-Since void.
      {{{"If-None-Match", "\"b\""}, {"If-Modified-Since", kAfter}}, kSend},
      {{{"If-None-Match", "\"a\""}, {"If-Modified-Since", kBefore}}, kSame},
      // Preconditions of the first kind go first.
      {{{"If-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, kFailed},
      {{{"If-Match", "\"a\""}, {"If-None-Match", "\"a\""}}, kSame},
      {{{"If-Unmodified-Since", kBefore}, {"If-Modified-Since", kThen}},
       kFailed},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(EvaluateConditions(MakeHeaders(row.fields), Current(), kNow),
              row.verdict)
        << Describe(row.fields);
  }
}

TEST(Conditions, OfAWeakTag) {
  const Headers match = MakeHeaders({{"If-Match", "W/\"a\", \"a\""}});
  EXPECT_EQ(EvaluateConditions(match, Current(/*weak=*/true), kNow),
            Verdict::kPreconditionFailed);
  const Headers none = MakeHeaders({{"If-None-Match", "\"a\""}});
  EXPECT_EQ(EvaluateConditions(none, Current(/*weak=*/true), kNow),
            Verdict::kNotModified);
}

TEST(Conditions, IfRangeNamesTheCurrentVersion) {
  struct Row {
    Fields fields;
    bool applies;
  };
  const Row rows[] = {
      {{}, true},
      {{{"If-Range", "\"a\""}}, true},
      {{{"If-Range", "W/\"a\""}}, false},
      {{{"If-Range", "\"b\""}}, false},
      {{{"If-Range", "\"a\", \"b\""}}, false},
      {{{"If-Range", "*"}}, false},
      {{{"If-Range", "\"a\""}, {"If-Range", "\"a\""}}, false},
      {{{"If-Range", kThen}}, true},
      {{{"If-Range", kBefore}}, false},
      {{{"If-Range", kAfter}}, false},
      {{{"If-Range", "nonsense"}}, false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(RangeApplies(MakeHeaders(row.fields), Current(), kNow),
              row.applies)
        << Describe(row.fields);
  }
  const Headers tag = MakeHeaders({{"If-Range", "\"a\""}});
  EXPECT_FALSE(RangeApplies(tag, Current(/*weak=*/true), kNow));
}

// Within a second of a change the date is that of several versions.
TEST(Conditions, ADateOfThisSecondIsNoStrongValidator) {
  const Headers date = MakeHeaders({{"If-Range", kThen}});
  const absl::Time whole = absl::FromUnixSeconds(784111777);
  EXPECT_FALSE(RangeApplies(date, Current(), whole + absl::Milliseconds(999)));
  EXPECT_TRUE(RangeApplies(date, Current(), whole + absl::Seconds(1)));
}

}  // namespace
}  // namespace ringway::http::internal
