// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/file_path.h"

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

using std::string_view_literals::operator""sv;

TEST(FilePath, OfFilesAndFoldersIsServed) {
  for (const std::string_view path :
       {"", "a", "a/b", "a/", "a/b/", "a b", "a..b", "..a..", "a.", "%2e",
        "\xc3\xa4.txt", "~", "a:b", "*", "C:"}) {
    EXPECT_EQ(IsServablePath(path, /*hidden=*/true), true) << path;
  }
  EXPECT_TRUE(IsServablePath("a/b.c", /*hidden=*/false));
}

TEST(FilePath, OfAnythingElseIsNot) {
  for (const std::string_view path :
       {"/"sv,     "/etc/passwd"sv, "//"sv,   "a//b"sv, "a//"sv,
        "."sv,     ".."sv,          "../a"sv, "a/.."sv, "a/../b"sv,
        "a/./b"sv, "./a"sv,         "a/."sv,  "./"sv,   "..\\a"sv,
        "a\\b"sv,  "\0"sv,          "a\0b"sv, "a\nb"sv, "\x7f"sv}) {
    EXPECT_FALSE(IsServablePath(path, /*hidden=*/true)) << path;
  }
}

TEST(FilePath, OfHiddenFilesIsServedOnDemand) {
  for (const std::string_view path :
       {".git/config", ".env", "a/.htaccess", "a/.b/c", "..."}) {
    EXPECT_FALSE(IsServablePath(path, /*hidden=*/false)) << path;
    EXPECT_TRUE(IsServablePath(path, /*hidden=*/true)) << path;
  }
}

TEST(FilePath, MayHaveAnEncodedSlash) {
  EXPECT_TRUE(HasEncodedSlash("/a%2Fb"));
  EXPECT_TRUE(HasEncodedSlash("/%41%2f"));
  EXPECT_FALSE(HasEncodedSlash("/a/b%20c%2"));
  EXPECT_FALSE(HasEncodedSlash("/%252f"));
}

TEST(FilePath, OfAFolderStaysOnTheHost) {
  EXPECT_EQ(FolderLocation("/a", ""), "/a/");
  EXPECT_EQ(FolderLocation("/a%20b", "x=1&y"), "/a%20b/?x=1&y");
  EXPECT_EQ(FolderLocation("//example.com", ""), "");
  EXPECT_EQ(FolderLocation("", ""), "");
  EXPECT_EQ(FolderLocation("*", ""), "");
}

}  // namespace
}  // namespace ringway::http::internal
