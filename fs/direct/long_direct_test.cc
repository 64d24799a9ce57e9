// SPDX-License-Identifier: Apache-2.0
//
// More than the kernel transfers at once: 0x7ffff000 bytes.

#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/direct/direct_file.h"
#include "ringway/fs/direct/direct_ops.h"
#include "ringway/fs/testing/direct_fixture.h"
#include "ringway/fs/testing/shared_memory.h"

namespace ringway::fs {
namespace {

using testing::Block;
using testing::HasPattern;
using testing::kBlock;
using testing::SharedMemory;
using testing::ValueOf;

using LongDirectTest = testing::DirectTest;

TEST(NextPiece, BeginsAndEndsAtMultiples) {
  constexpr size_t kMost = 0x7ffff000;
  EXPECT_EQ(internal::NextPiece(100, 1), 100u);
  EXPECT_EQ(internal::NextPiece(kMost, 512), kMost);
  EXPECT_EQ(internal::NextPiece(kMost + 512, 512), kMost);
  EXPECT_EQ(internal::NextPiece(size_t{1} << 40, 4096), kMost);
  EXPECT_EQ(internal::NextPiece(size_t{1} << 40, 65'536), 0x7fff0000u);
}

TEST_P(LongDirectTest, MoreThanTheKernelTransfersAtOnceIsSplit) {
  constexpr size_t kMost = 0x7ffff000;
  constexpr int64_t kAt = 8 * kBlock;
  const SharedMemory memory(kMost + 3 * kBlock);
  auto main = [&]() -> Task<void> {
    DirectFile file = co_await MakeDirect(kBlock);
    // The end, which is the last thing that is read, is no hole.
    const int64_t end = kAt + kMost + 2 * kBlock;
    const AlignedBuffer last = Block(kBlock, 5);
    EXPECT_TRUE((co_await file.WriteAt(last.bytes(), end)).ok());
    const uint64_t submitted = Submitted();
    EXPECT_EQ(ValueOf(co_await file.ReadAt(memory.bytes(), kAt)),
              memory.bytes().size());
    EXPECT_TRUE(HasPattern(memory.bytes().last(kBlock), 5));
    EXPECT_EQ(Submitted() - submitted, 2u);
    EXPECT_EQ(file.stats().reads, 1u);
    // It ends in the second part.
    EXPECT_TRUE((co_await file.Truncate(end + 77)).ok());
    EXPECT_EQ(ValueOf(co_await file.ReadAt(memory.bytes(), kAt)),
              kMost + 2 * kBlock + 77);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(LongDirectTest);

}  // namespace
}  // namespace ringway::fs
