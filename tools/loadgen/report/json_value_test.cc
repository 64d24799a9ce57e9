// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/json_value.h"

#include <string>

#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

TEST(JsonValueTest, ParsesEveryKind) {
  const absl::StatusOr<JsonValue> json = JsonValue::Parse(
      " {\"a\": [1, -2.5e3, []], \"b\": {\"c\": null, \"d\": true},\n"
      "  \"e\": \"x\\n\\\"\\u00e9\\u20ac\", \"f\": false, \"g\": {}} ");
  ASSERT_TRUE(json.ok()) << json.status();
  const JsonValue::List& a = *json->Find("a")->as_list();
  ASSERT_EQ(a.size(), 3u);
  EXPECT_EQ(*a[0].as_number(), 1);
  EXPECT_EQ(*a[1].as_number(), -2500);
  EXPECT_TRUE(a[2].as_list()->empty());
  EXPECT_EQ(json->Find("b")->Find("c")->as_number(), nullptr);
  EXPECT_TRUE(*json->Find("b")->Find("d")->as_bool());
  EXPECT_EQ(*json->Find("e")->as_string(), "x\n\"\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(json->Find("h"), nullptr);
  EXPECT_EQ(json->NumberOf("e"), std::nullopt);
  EXPECT_EQ(a[0].NumberOf("x"), std::nullopt);
}

TEST(JsonValueTest, NamesTheByteThatIsWrong) {
  for (const char* text :
       {"{\"a\": 1,}", "{\"a\" 1}", "{a: 1}", "[1 2]", "[1] 2", "nul", "NaN",
        "{\"a\": inf}", "1e999", "+1", ".5", "\"\n\"", "[\"\\x\"]", "]"}) {
    const absl::StatusOr<JsonValue> json = JsonValue::Parse(text);
    EXPECT_FALSE(json.ok()) << text;
    EXPECT_TRUE(json.status().message().starts_with("no JSON at byte "))
        << text << ": " << json.status();
  }
  EXPECT_EQ(JsonValue::Parse("[1 2]").status().message(), "no JSON at byte 3");
}

TEST(JsonValueTest, RefusesWhatIsCutOff) {
  const std::string whole = "{\"a\": [1, {\"b\": \"c\\u00e9\"}], \"d\": true}";
  ASSERT_TRUE(JsonValue::Parse(whole).ok());
  for (size_t n = 0; n < whole.size(); ++n)
    EXPECT_FALSE(JsonValue::Parse(whole.substr(0, n)).ok()) << n;
}

TEST(JsonValueTest, RefusesWhatIsNestedTooDeeply) {
  const auto nested = [](size_t n) {
    return std::string(n, '[') + std::string(n, ']');
  };
  EXPECT_TRUE(JsonValue::Parse(nested(30)).ok());
  EXPECT_FALSE(JsonValue::Parse(nested(100'000)).ok());
}

}  // namespace
}  // namespace ringway::loadgen
