// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/memory/aligned_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(AlignedBuffer, HasTheSizeAndAlignmentAskedFor) {
  for (size_t alignment = 1; alignment <= 1 << 21; alignment *= 2) {
    for (const size_t n_bytes : {1, 511, 4096, 65535, 65536, 1 << 20}) {
      absl::StatusOr<AlignedBuffer> buffer =
          AlignedBuffer::Create(n_bytes, alignment);
      ASSERT_TRUE(buffer.ok()) << buffer.status();
      EXPECT_EQ(buffer->size(), n_bytes);
      EXPECT_EQ(buffer->span().size(), n_bytes);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % alignment, 0u);
      memset(buffer->data(), 0x5a, n_bytes);
    }
  }
}

TEST(AlignedBuffer, RefusesAnAlignmentThatIsNoPowerOfTwo) {
  for (const size_t alignment : {0, 3, 6, 4095, 4097}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        AlignedBuffer::Create(4096, alignment).status()))
        << alignment;
  }
}

TEST(AlignedBuffer, RefusesNoBytes) {
  EXPECT_TRUE(absl::IsInvalidArgument(AlignedBuffer::Create(0, 4096).status()));
}

TEST(AlignedBuffer, ReportsWhenThereIsNoMemory) {
  // More than an address space, mapped, and rounded up past the end of size_t.
  EXPECT_TRUE(absl::IsResourceExhausted(
      AlignedBuffer::Create(size_t{1} << 62, 4096).status()));
  EXPECT_TRUE(absl::IsResourceExhausted(
      AlignedBuffer::Create(SIZE_MAX, size_t{1} << 30).status()));
}

TEST(AlignedBuffer, MovesItsBytesAndLeavesTheSourceEmpty) {
  for (const size_t n_bytes : {4096, 1 << 20}) {
    AlignedBuffer source = *AlignedBuffer::Create(n_bytes, 4096);
    source.data()[7] = std::byte{42};
    const std::byte* address = source.data();

    AlignedBuffer moved = std::move(source);
    AlignedBuffer assigned = *AlignedBuffer::Create(100, 16);
    assigned = std::move(moved);

    EXPECT_EQ(assigned.data(), address);
    EXPECT_EQ(assigned.data()[7], std::byte{42});
    EXPECT_EQ(moved.size(), 0u);  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(moved.data(), nullptr);
  }
}

TEST(AlignedBuffer, SurvivesAssignmentToItself) {
  AlignedBuffer buffer = *AlignedBuffer::Create(100, 16);
  AlignedBuffer& same = buffer;

  buffer = std::move(same);

  EXPECT_EQ(buffer.size(), 100u);
}

TEST(AlignedBuffer, IsEmptyByDefault) {
  EXPECT_TRUE(AlignedBuffer().span().empty());
}

// The neighbours of small buffers that lay in one mapping lost their content.
TEST(AlignedBuffer, DiscardKeepsEveryByteOutsideOfIt) {
  constexpr size_t kPage = 4096, kSize = 32 * kPage;
  for (const size_t offset : {size_t{0}, size_t{1024}, kPage, kPage + 1}) {
    for (const size_t n_bytes :
         {size_t{1024}, kPage - 1, kPage, 5 * kPage + 7}) {
      AlignedBuffer buffer = *AlignedBuffer::Create(kSize, kPage);
      std::fill_n(buffer.data(), kSize, std::byte{7});
      buffer.Discard(offset, n_bytes);
      for (size_t i = 0; i < kSize; ++i) {
        if (i >= offset && i < offset + n_bytes) continue;
        ASSERT_EQ(buffer.data()[i], std::byte{7})
            << "byte " << i << " beside " << n_bytes << " at " << offset;
      }
    }
  }
}

TEST(AlignedBuffer, DiscardedPagesAreGivenBack) {
  constexpr size_t kPage = 4096, kSize = 32 * kPage;
  AlignedBuffer buffer = *AlignedBuffer::Create(kSize, kPage);
  std::fill_n(buffer.data(), kSize, std::byte{7});
  buffer.Discard(kPage + 1, 2 * kPage);
  std::array<unsigned char, 32> resident = {};
  ASSERT_EQ(mincore(buffer.data(), kSize, resident.data()), 0);
  EXPECT_NE(resident[1] & 1, 0);
  EXPECT_EQ(resident[2] & 1, 0);
  EXPECT_NE(resident[3] & 1, 0);
}

}  // namespace
}  // namespace ringway
