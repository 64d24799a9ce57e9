// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/network/byte_queue.h"

#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/sim/environment/buffers.h"

namespace ringway::sim {
namespace {

std::string Take(ByteQueue& queue, size_t n) {
  std::string taken(n, '\0');
  Buffers to(taken.data(), n);
  while (to.left() > 0 && !queue.empty()) queue.Drop(to.Fill(queue.Piece()));
  return taken;
}

void Put(ByteQueue& queue, const std::string& bytes) {
  queue.Append(std::as_bytes(std::span(bytes)));
}

TEST(ByteQueue, KeepsOrderWhileItWrapsAndGrows) {
  ByteQueue queue;
  std::string in, out;
  for (int i = 0; i < 200; ++i) {
    const std::string piece(static_cast<size_t>(i % 37), static_cast<char>(i));
    Put(queue, piece);
    in += piece;
    if (i % 3 != 0) out += Take(queue, std::min<size_t>(queue.size(), 11));
  }
  out += Take(queue, queue.size());
  EXPECT_EQ(out, in);
  EXPECT_TRUE(queue.empty());
}

TEST(ByteQueueDeathTest, DroppingMoreThanThereIsAborts) {
  ByteQueue queue;
  Put(queue, "ab");
  EXPECT_DEATH(queue.Drop(3), "3 bytes dropped of 2");
}

TEST(Buffers, GoThroughTheirPartsAndSkipEmptyOnes) {
  char first[2], second[3];
  const iovec parts[] = {{first, 2}, {nullptr, 0}, {second, 3}};
  Buffers to{std::span<const iovec>(parts)};
  EXPECT_EQ(to.left(), 5u);
  const std::string text = "abcdefg";
  EXPECT_EQ(to.Fill(std::as_bytes(std::span(text))), 5u);
  EXPECT_EQ(std::string(first, 2) + std::string(second, 3), "abcde");
  EXPECT_EQ(to.left(), 0u);
}

TEST(Buffers, GoNoFartherThanTheirLimit) {
  char memory[8] = {};
  Buffers to(memory, sizeof(memory));
  to.Limit(3);
  const std::string text = "abcdefg";
  EXPECT_EQ(to.Fill(std::as_bytes(std::span(text))), 3u);
  EXPECT_EQ(std::string(memory), "abc");
}

TEST(Buffers, InTheFirstPageAreNotAccessible) {
  char byte;
  EXPECT_TRUE(Buffers(&byte, 1).accessible());
  EXPECT_TRUE(Buffers(nullptr, 0).accessible());
  EXPECT_FALSE(Buffers(reinterpret_cast<void*>(8), 1).accessible());
}

}  // namespace
}  // namespace ringway::sim
