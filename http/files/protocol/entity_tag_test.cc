// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/entity_tag.h"

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

constexpr EntityTag kA = {"\"a\"", false};
constexpr EntityTag kWeakA = {"\"a\"", true};

TEST(EntityTag, HasSizeTimeAndInode) {
  const absl::Time time = absl::FromUnixNanos(0x1234567890);
  EXPECT_EQ(FormatEntityTag(255, time, 16), "\"ff-1234567890-10\"");
  EXPECT_EQ(FormatEntityTag(0, time, 0), "\"0-1234567890\"");
  const std::string early = FormatEntityTag(1, absl::FromUnixSeconds(-5), 1);
  std::string_view rest = early;
  EXPECT_TRUE(TakeEntityTag(rest).has_value());
  EXPECT_EQ(rest, "");
}

TEST(EntityTag, DiffersByANanosecond) {
  const absl::Time time = absl::FromUnixSeconds(1'700'000'000);
  EXPECT_NE(FormatEntityTag(1, time, 1),
            FormatEntityTag(1, time + absl::Nanoseconds(1), 1));
}

TEST(EntityTag, IsTakenOffText) {
  std::string_view text = "W/\"a,b\", x";
  const std::optional<EntityTag> tag = TakeEntityTag(text);
  ASSERT_TRUE(tag.has_value());
  EXPECT_EQ(*tag, (EntityTag{"\"a,b\"", true}));
  EXPECT_EQ(text, ", x");
}

TEST(EntityTag, IsRefusedIfMalformed) {
  for (std::string_view text : {"", "a", "\"", "\"a", "W/", "W/a", "w/\"a\"",
                                "\"a b\"", "'a'", "\"a\x7f\""}) {
    const std::string_view before = text;
    EXPECT_FALSE(TakeEntityTag(text).has_value()) << before;
    EXPECT_EQ(text, before);
  }
}

TEST(EntityTag, ComparesAsTheRfcSays) {
  // The table of RFC 9110, section 8.8.3.2.
  struct Row {
    EntityTag a;
    EntityTag b;
    bool strong;
    bool weak;
  };
  const EntityTag one = {"\"1\"", false};
  const EntityTag weak_one = {"\"1\"", true};
  const EntityTag weak_two = {"\"2\"", true};
  const Row rows[] = {
      {weak_one, weak_one, false, true},
      {weak_one, weak_two, false, false},
      {weak_one, one, false, true},
      {one, one, true, true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Matches(row.a, row.b, Comparison::kStrong), row.strong);
    EXPECT_EQ(Matches(row.a, row.b, Comparison::kWeak), row.weak);
  }
}

TEST(EntityTag, IsFoundInLists) {
  struct Row {
    std::string_view list;
    bool strong;
    bool weak;
  };
  const Row rows[] = {
      {"*", true, true},
      {" * ", true, true},
      {"\"a\"", true, true},
      {"W/\"a\"", false, true},
      {"\"b\", \"a\"", true, true},
      {"\"b\",W/\"a\" , \"c\"", false, true},
      {",, \"a\" ,", true, true},
      {"\"b\"", false, false},
      {"\"A\"", false, false},
      {"", false, false},
      {"a", false, false},
      {"\"b\" \"a\"", false, false},
      {"\"b\"\"a\"", false, false},
      {"\"a", false, false},
      {"\"b\", *", false, false},
      {"\"x,\"a\"", false, false},
      {"nonsense, \"a\"", false, false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(ListHas(row.list, kA, Comparison::kStrong), row.strong)
        << row.list;
    EXPECT_EQ(ListHas(row.list, kA, Comparison::kWeak), row.weak) << row.list;
  }
  EXPECT_FALSE(ListHas("\"a\"", kWeakA, Comparison::kStrong));
  EXPECT_TRUE(ListHas("\"a\"", kWeakA, Comparison::kWeak));
}

}  // namespace
}  // namespace ringway::http::internal
