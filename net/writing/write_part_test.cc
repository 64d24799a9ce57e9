// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/writing/write_part.h"

#include <cstddef>
#include <span>
#include <string>

#include "gtest/gtest.h"

namespace ringway::net {
namespace {

TEST(WritePartTest, KnowsWhetherItIsShared) {
  const std::string text = "text";
  const WritePart copied(std::as_bytes(std::span(text)));
  EXPECT_EQ(copied.shared(), nullptr);
  EXPECT_EQ(copied.bytes().data(),
            reinterpret_cast<const std::byte*>(text.data()));
  const WritePart shared(SharedBytes(std::string("abc")));
  ASSERT_NE(shared.shared(), nullptr);
  EXPECT_EQ(shared.shared()->size(), 3u);
  EXPECT_EQ(shared.bytes().data(), shared.shared()->bytes().data());
}

}  // namespace
}  // namespace ringway::net
