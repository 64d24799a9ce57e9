// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/utf8_checker.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

using std::string_view_literals::operator""sv;

// As a whole, byte by byte, and behind text that is skipped fast.
bool IsUtf8(std::string_view text) {
  Utf8Checker whole;
  const bool valid = whole.Add(text) && whole.complete();
  Utf8Checker pieces;
  bool valid_in_pieces = true;
  for (const char c : text)
    valid_in_pieces = valid_in_pieces && pieces.Add(std::string_view(&c, 1));
  EXPECT_EQ(valid, valid_in_pieces && pieces.complete());
  const std::string behind = std::string(21, 'a').append(text).append(9, 'b');
  Utf8Checker long_text;
  EXPECT_EQ(valid, long_text.Add(behind) && long_text.complete());
  return valid;
}

// What is encoded as the Unicode standard draws it, without its limits.
std::string Encode(uint32_t c, int n_bytes) {
  if (n_bytes == 1) return {static_cast<char>(c)};
  std::string text;
  for (int i = n_bytes - 1; i > 0; --i) {
    text.insert(text.begin(), static_cast<char>(0x80 | (c & 0x3f)));
    c >>= 6;
  }
  const unsigned marker = n_bytes == 2 ? 0xc0 : n_bytes == 3 ? 0xe0 : 0xf0;
  text.insert(text.begin(), static_cast<char>(marker | c));
  return text;
}

TEST(Utf8CheckerTest, TakesEveryCharacterInItsShortestFormOnly) {
  for (uint32_t c = 0; c < 0x200000; ++c) {
    const bool exists = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
    const int shortest = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int n = shortest; n <= 4; ++n) {
      Utf8Checker utf8;
      const std::string text = Encode(c, n);
      ASSERT_EQ(utf8.Add(text) && utf8.complete(), exists && n == shortest)
          << c << " in " << n;
    }
  }
}

TEST(Utf8CheckerTest, RefusesWhatIsNoCharacter) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z\0"sv));
  EXPECT_FALSE(IsUtf8("\x80"));
  EXPECT_FALSE(IsUtf8("\xc3"));
  EXPECT_FALSE(IsUtf8("\xc3\xc3\xa4"));
  EXPECT_FALSE(IsUtf8("\xe2\x82"));
  EXPECT_FALSE(IsUtf8("\xf8\x88\x80\x80\x80"));
  EXPECT_FALSE(IsUtf8("\xff"));
}

// So a peer is told early.
TEST(Utf8CheckerTest, RefusesAtTheFirstByteThatShowsIt) {
  for (const std::string_view begin :
       {"\xed\xa0"sv, "\xf4\x90"sv, "\xe0\x80"sv, "\xf0\x80"sv, "\xc0"sv}) {
    Utf8Checker utf8;
    EXPECT_FALSE(utf8.Add(begin));
  }
}

TEST(Utf8CheckerTest, BeginsAgain) {
  Utf8Checker utf8;
  EXPECT_TRUE(utf8.Add("\xe2\x82"));
  EXPECT_FALSE(utf8.complete());
  utf8.Reset();
  EXPECT_TRUE(utf8.complete());
  EXPECT_TRUE(utf8.Add("a"));
}

}  // namespace
}  // namespace ringway::http::internal
