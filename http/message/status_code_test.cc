// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/message/status_code.h"

#include <string_view>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace ringway::http {
namespace {

TEST(ReasonPhrase, IsThatOfTheStandard) {
  EXPECT_EQ(ReasonPhrase(100), "Continue");
  EXPECT_EQ(ReasonPhrase(200), "OK");
  EXPECT_EQ(ReasonPhrase(413), "Content Too Large");
  EXPECT_EQ(ReasonPhrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(ReasonPhrase(505), "HTTP Version Not Supported");
}

TEST(ReasonPhrase, IsOneLineForAnyCode) {
  for (int code = -1; code < 1000; ++code) {
    const std::string_view phrase = ReasonPhrase(code);
    EXPECT_FALSE(phrase.empty()) << code;
    for (const char c : phrase) EXPECT_TRUE(c >= ' ' && c < '\x7f') << code;
  }
  EXPECT_EQ(ReasonPhrase(599), "Unknown");
}

TEST(HasNoBody, IsTrueOfFewCodes) {
  for (int code = 100; code < 600; ++code)
    EXPECT_EQ(HasNoBody(code), code < 200 || code == 204 || code == 304);
}

TEST(StatusCodeOf, IsAnErrorUnlessTheStatusIsOk) {
  EXPECT_EQ(StatusCodeOf(absl::OkStatus()), 200);
  EXPECT_EQ(StatusCodeOf(absl::NotFoundError("")), 404);
  EXPECT_EQ(StatusCodeOf(absl::InvalidArgumentError("")), 400);
  EXPECT_EQ(StatusCodeOf(absl::InternalError("")), 500);
  for (int code = 1; code < 30; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "");
    EXPECT_GE(StatusCodeOf(status), 400) << code;
    EXPECT_NE(ReasonPhrase(StatusCodeOf(status)), "Unknown") << code;
  }
}

}  // namespace
}  // namespace ringway::http
