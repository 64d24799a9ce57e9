// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/gzip.h"

#include <zlib.h>

#include <string>

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

std::string Gunzip(std::string compressed, size_t size) {
  z_stream stream = {};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string text(size + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

TEST(Gzip, IsUndoneByAnyClient) {
  for (const size_t size : {0, 1, 1000, 300'000}) {
    for (const int level : {1, 6, 9}) {
      std::string text(size, '\0');
      for (size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>(i * i % 251);
      EXPECT_EQ(Gunzip(Gzip(text, level), size), text) << size;
    }
  }
}

TEST(Gzip, MakesTheSameOfTheSame) {
  const std::string text(10'000, 'x');
  EXPECT_EQ(Gzip(text, 6), Gzip(text, 6));
  EXPECT_LT(Gzip(text, 6).size(), 100u);
}

}  // namespace
}  // namespace ringway::http::internal
