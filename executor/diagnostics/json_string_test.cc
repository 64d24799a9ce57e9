// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/json_string.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(JsonString, EscapesWhatJsonReserves) {
  EXPECT_EQ(JsonString(""), R"("")");
  EXPECT_EQ(JsonString("a b"), R"("a b")");
  EXPECT_EQ(JsonString("\"\\/"), R"("\"\\/")");
  EXPECT_EQ(JsonString(std::string_view("\0\n\x1f\x7f", 4)),
            "\"\\u0000\\u000a\\u001f\x7f\"");
}

TEST(JsonString, KeepsUtf8) {
  for (const char* text : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                           "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf", "\xe0\xa0\x80"})
    EXPECT_EQ(JsonString(text), std::string("\"") + text + "\"");
}

TEST(JsonString, ReplacesEachByteThatIsNoUtf8) {
  EXPECT_EQ(JsonString("a\xc3"), R"("a\ufffd")");
  EXPECT_EQ(JsonString("\x80z"), R"("\ufffdz")");
  EXPECT_EQ(JsonString("\xe2\x82"), R"("\ufffd\ufffd")");
  EXPECT_EQ(JsonString("\xe2\x82z"), R"("\ufffd\ufffdz")");
  EXPECT_EQ(JsonString("\xff"), R"("\ufffd")");
  // Overlong forms, a surrogate, beyond U+10FFFF.
  EXPECT_EQ(JsonString("\xc0\x80"), R"("\ufffd\ufffd")");
  EXPECT_EQ(JsonString("\xe0\x9f\xbf"), R"("\ufffd\ufffd\ufffd")");
  EXPECT_EQ(JsonString("\xf0\x8f\xbf\xbf"), R"("\ufffd\ufffd\ufffd\ufffd")");
  EXPECT_EQ(JsonString("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");
  EXPECT_EQ(JsonString("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
}

}  // namespace
}  // namespace ringway
