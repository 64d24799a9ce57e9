// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/message/headers.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringway::http {
namespace {

using ::testing::HasSubstr;

std::string TextOf(const Headers& headers) {
  std::string text;
  for (const Header header : headers)
    text.append(header.name).append("=").append(header.value).append(";");
  return text;
}

TEST(Headers, KeepTheirOrder) {
  Headers headers;
  headers.Add("B", "1");
  headers.Add("A", "2");
  headers.Add("b", "3");
  EXPECT_EQ(TextOf(headers), "B=1;A=2;b=3;");
  EXPECT_EQ(headers.size(), 3u);
  EXPECT_EQ(headers[1].name, "A");
  EXPECT_TRUE(headers.status().ok());
}

TEST(Headers, AreFoundWithoutRegardToCase) {
  Headers headers;
  headers.Add("Content-Type", "a");
  headers.Add("content-TYPE", "b");
  EXPECT_EQ(headers.Find("CONTENT-type"), "a");
  EXPECT_EQ(headers.Count("content-type"), 2u);
  EXPECT_TRUE(headers.Has("content-type"));
  EXPECT_EQ(headers.Find("content-typ"), std::nullopt);
  EXPECT_EQ(headers.Find(""), std::nullopt);
  EXPECT_EQ(headers.Count("x"), 0u);
}

TEST(Headers, ReplaceAllOfTheirName) {
  Headers headers;
  headers.Add("A", "1");
  headers.Add("B", "2");
  headers.Add("a", "3");
  headers.Set("A", "4");
  EXPECT_EQ(TextOf(headers), "B=2;A=4;");
  headers.Remove("b");
  headers.Remove("x");
  EXPECT_EQ(TextOf(headers), "A=4;");
}

TEST(Headers, FindElementsOfLists) {
  Headers headers;
  headers.Add("Connection", "a,\tKeep-Alive , b");
  headers.Add("connection", ",,Close");
  EXPECT_TRUE(headers.HasElement("Connection", "a"));
  EXPECT_TRUE(headers.HasElement("Connection", "keep-alive"));
  EXPECT_TRUE(headers.HasElement("Connection", "B"));
  EXPECT_TRUE(headers.HasElement("Connection", "close"));
  EXPECT_FALSE(headers.HasElement("Connection", "keep"));
  EXPECT_FALSE(headers.HasElement("Connection", "alive , b"));
  EXPECT_FALSE(headers.HasElement("Other", "a"));
}

TEST(Headers, RefuseWhatCannotBeSent) {
  const std::string_view bad_values[] = {
      "a\rb", "a\nb", "a\r\nb", {"a\0b", 3}, "\x01", "\x7f", " a", "a ", "\ta"};
  for (const std::string_view value : bad_values) {
    Headers headers;
    headers.Add("A", value);
    EXPECT_TRUE(headers.empty());
    EXPECT_TRUE(absl::IsInvalidArgument(headers.status()));
  }
  const std::string_view bad_names[] = {"",     "a b", "a:",  "a\r\nb",
                                        "\xc3", "a\t", "(a)", {"a\0", 2}};
  for (const std::string_view name : bad_names) {
    Headers headers;
    headers.Set(name, "a");
    EXPECT_TRUE(headers.empty());
    EXPECT_TRUE(absl::IsInvalidArgument(headers.status()));
  }
}

TEST(Headers, NameTheFirstThatWasRefused) {
  Headers headers;
  headers.Add("A", "\r");
  headers.Add("B", "\n");
  headers.Add("C", "1");
  EXPECT_THAT(headers.status().message(), HasSubstr("A: \\r"));
  EXPECT_EQ(TextOf(headers), "C=1;");
  headers.Clear();
  EXPECT_TRUE(headers.status().ok());
}

TEST(Headers, MayHaveTabsAndBytesBeyondAscii) {
  Headers headers;
  headers.Add("A", "a\tb \xc3\xa9\xff");
  headers.Add("B", "");
  EXPECT_EQ(TextOf(headers), "A=a\tb \xc3\xa9\xff;B=;");
}

// Growing moves the text, of which the value is a part.
TEST(Headers, CanCopyTheirOwnValues) {
  Headers headers;
  const std::string value(100, 'v');
  headers.Add("A", value);
  for (int i = 0; i < 20; ++i) headers.Add("B", *headers.Find("A"));
  for (int i = 0; i < 20; ++i) headers.Set("A", *headers.Find("A"));
  for (int i = 0; i < 20; ++i) headers.Add(headers[0].name, headers[1].value);
  for (const Header header : headers) EXPECT_EQ(header.value, value);
  EXPECT_EQ(headers.Count("B"), 40u);
}

TEST(Headers, AreCopiedAndMoved) {
  Headers headers;
  headers.Add("A", "1");
  Headers copy = headers;
  headers.Add("A", "2");
  EXPECT_EQ(TextOf(copy), "A=1;");
  const Headers moved = std::move(headers);
  EXPECT_EQ(TextOf(moved), "A=1;A=2;");
}

TEST(Headers, KeepTheirMemoryUntilItIsTooMuch) {
  Headers headers;
  headers.Add("A", std::string(1000, 'a'));
  const size_t n_bytes = headers.memory_bytes();
  EXPECT_GE(n_bytes, 1000u);
  headers.Clear();
  headers.Shrink(n_bytes);
  EXPECT_EQ(headers.memory_bytes(), n_bytes);
  headers.Shrink(n_bytes - 1);
  EXPECT_LT(headers.memory_bytes(), 100u);
}

TEST(Headers, TakeFieldsInPieces) {
  Headers headers;
  headers.BeginField();
  headers.AppendToName("Na");
  headers.AppendToName("me");
  headers.AppendToValue(" \ta");
  headers.AppendToValue(" b ");
  headers.EndField();
  headers.BeginField();
  headers.AppendToName("X");
  headers.EndField();
  EXPECT_EQ(TextOf(headers), "Name=a b;X=;");
}

TEST(IsToken, IsForVisibleCharactersButDelimiters) {
  for (int c = 0; c < 256; ++c) {
    const char byte = static_cast<char>(c);
    const bool is = c > 0x20 && c < 0x7f &&
                    std::string_view("\"(),/:;<=>?@[\\]{}").find(byte) ==
                        std::string_view::npos;
    EXPECT_EQ(IsToken({&byte, 1}), is) << c;
  }
  EXPECT_FALSE(IsToken(""));
}

TEST(TrimSpaces, LeavesWhatIsBetweenThem) {
  EXPECT_EQ(TrimSpaces(" \ta b\t "), "a b");
  EXPECT_EQ(TrimSpaces(" \t "), "");
  EXPECT_EQ(TrimSpaces("\x0b"), "\x0b");
}

}  // namespace
}  // namespace ringway::http
