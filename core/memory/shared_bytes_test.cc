// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/memory/shared_bytes.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

std::string TextOf(const SharedBytes& bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.bytes().data()),
                     bytes.size());
}

TEST(SharedBytesTest, TakesStringsAndVectorsOver) {
  // Short ones move their characters with them.
  const SharedBytes text(std::string("short"));
  EXPECT_EQ(TextOf(text), "short");
  const std::vector<SharedBytes> copies = {text, text};
  EXPECT_EQ(copies[0].bytes().data(), copies[1].bytes().data());
  std::vector<std::byte> bytes(100'000, std::byte{7});
  const std::byte* const where = bytes.data();
  const SharedBytes large(std::move(bytes));
  EXPECT_EQ(large.bytes().data(), where) << "it was copied";
  EXPECT_EQ(large.size(), 100'000u);
  EXPECT_TRUE(SharedBytes().empty());
}

TEST(SharedBytesTest, APartKeepsTheOwner) {
  auto owner = std::make_shared<const std::string>("0123456789");
  const std::weak_ptr<const std::string> observer = owner;
  SharedBytes part;
  {
    const SharedBytes whole(owner, std::as_bytes(std::span(*owner)));
    owner.reset();
    part = whole.Part(2, 6).Part(1, 3);
  }
  EXPECT_EQ(TextOf(part), "345");
  EXPECT_FALSE(observer.expired());
  part = SharedBytes();
  EXPECT_TRUE(observer.expired());
}

TEST(SharedBytesDeathTest, APartBeyondTheEndAborts) {
  const SharedBytes bytes(std::string("abc"));
  EXPECT_TRUE(bytes.Part(3, 0).empty());
  EXPECT_DEATH(bytes.Part(4, 0), "bytes 4 to 4 of 3 shared ones");
  EXPECT_DEATH(bytes.Part(1, 3), "bytes 1 to 4 of 3 shared ones");
  EXPECT_DEATH(bytes.Part(2, SIZE_MAX), "of 3 shared ones");
}

}  // namespace
}  // namespace ringway
