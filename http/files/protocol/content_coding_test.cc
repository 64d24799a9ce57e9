// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/content_coding.h"

#include <string>

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

std::string Show(const Headers& request) {
  std::string text;
  for (const Coding coding : AcceptedCodings(request)) {
    if (coding == Coding::kIdentity) break;
    if (!text.empty()) text += " ";
    text += CodingName(coding);
  }
  return text;
}

TEST(ContentCoding, IsChosenByWeightAndThenBySize) {
  struct Row {
    std::string_view field;
    std::string_view expected;
  };
  const Row rows[] = {
      {"", ""},
      {"gzip", "gzip"},
      {"x-gzip", "gzip"},
      {"GZIP", "gzip"},
      {"gzip, deflate, br, zstd", "br zstd gzip"},
      {"deflate", ""},
      {"gzip;q=1, br;q=0.5", "gzip br"},
      {"gzip;q=0.5,br;q=0.5", "br gzip"},
      {"gzip ; q=0.001 , br ;q=0.002", "br gzip"},
      {"gzip;Q=0.1", "gzip"},
      {"gzip;q=0", ""},
      {"gzip;q=0.000", ""},
      {"gzip;q=0, br", "br"},
      {"*", "br zstd gzip"},
      {"*;q=0", ""},
      {"*, br;q=0", "zstd gzip"},
      {"gzip, *;q=0.5", "gzip br zstd"},
      {"identity", ""},
      {"identity;q=0, gzip;q=0.1", "gzip"},
      {"identity;q=0", ""},
      {"gzip;q=0.5, identity", ""},
      {"gzip;q=0.5, identity;q=0.5", "gzip"},
      {"br;q=0.2, gzip;q=0.8, identity;q=0.5", "gzip"},
      // A weight that is none.
      {"gzip;q=2", ""},
      {"gzip;q=1.1", ""},
      {"gzip;q=0.1234", ""},
      {"gzip;q=-1", ""},
      {"gzip;q=", ""},
      {"gzip;q=x, br", "br"},
      {"gzip;level=9;q=0.5, br;q=0.6", "br gzip"},
      {"gzip;;", "gzip"},
      {",, gzip ,", "gzip"},
      {"gzip;q=0, gzip", "gzip"},
      {"gzi, zip, gzip2", ""},
  };
  for (const Row& row : rows) {
    Headers request;
    request.Add("Accept-Encoding", row.field);
    EXPECT_EQ(Show(request), row.expected) << row.field;
  }
}

TEST(ContentCoding, WithoutAFieldIsNone) { EXPECT_EQ(Show(Headers()), ""); }

TEST(ContentCoding, OfSeveralFields) {
  Headers request;
  request.Add("Accept-Encoding", "gzip");
  request.Add("Accept-Encoding", "br;q=0.5");
  EXPECT_EQ(Show(request), "gzip br");
}

TEST(ContentCoding, EndsWithIdentity) {
  Headers request;
  request.Add("Accept-Encoding", "*");
  EXPECT_EQ(AcceptedCodings(request).back(), Coding::kIdentity);
}

}  // namespace
}  // namespace ringway::http::internal
