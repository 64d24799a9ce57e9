// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/multipart.h"

#include <array>

#include "gtest/gtest.h"

namespace ringway::http::internal {
namespace {

TEST(Multipart, IsFramedAsTheRfcHasIt) {
  const std::array ranges = {ByteRange{500, 3}, ByteRange{7000, 2}};
  const Multipart multipart("THIS", "application/pdf", 8000, ranges);
  EXPECT_EQ(multipart.Type(), "multipart/byteranges; boundary=THIS");
  const std::string whole = multipart.PartHead(ranges[0]) + "abc" +
                            multipart.PartHead(ranges[1]) + "de" +
                            multipart.End();
  EXPECT_EQ(whole,
            "\r\n--THIS\r\n"
            "Content-Type: application/pdf\r\n"
            "Content-Range: bytes 500-502/8000\r\n\r\n"
            "abc\r\n--THIS\r\n"
            "Content-Type: application/pdf\r\n"
            "Content-Range: bytes 7000-7001/8000\r\n\r\n"
            "de\r\n--THIS--\r\n");
  EXPECT_EQ(multipart.ContentLength(), whole.size());
}

}  // namespace
}  // namespace ringway::http::internal
