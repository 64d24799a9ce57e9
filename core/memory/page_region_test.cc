// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/memory/page_region.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace ringway {
namespace {

uintptr_t AddressOf(const PageRegion& region) {
  return reinterpret_cast<uintptr_t>(region.bytes().data());
}

TEST(PageRegion, HasTheSizeAndAlignmentAskedFor) {
  for (size_t alignment = 1; alignment <= PageRegion::kHugePageBytes;
       alignment *= 4) {
    for (bool huge : {false, true}) {
      absl::StatusOr<PageRegion> region =
          PageRegion::Map(10'000, alignment, huge);
      ASSERT_TRUE(region.ok()) << region.status();
      EXPECT_GE(region->bytes().size(), 10'000u);
      EXPECT_EQ(AddressOf(*region) % alignment, 0u);
      memset(region->bytes().data(), 1, region->bytes().size());
      if (!huge) {
        EXPECT_EQ(region->kind(), PageKind::kOrdinary);
      }
    }
  }
}

// What there is depends on the machine: reserved ones, those of
// transparent_hugepage, or none.
TEST(PageRegion, HugePagesAreWholeAndAligned) {
  absl::StatusOr<PageRegion> region =
      PageRegion::Map(PageRegion::kHugePageBytes + 1, 4096, /*huge=*/true);
  ASSERT_TRUE(region.ok()) << region.status();
  if (region->kind() == PageKind::kOrdinary)
    GTEST_SKIP() << "the kernel has no huge pages for this process";
  EXPECT_EQ(AddressOf(*region) % PageRegion::kHugePageBytes, 0u);
  EXPECT_EQ(region->bytes().size(), 2 * PageRegion::kHugePageBytes);
}

TEST(PageRegion, WhatCannotBeIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      PageRegion::Map(0, 4096, /*huge=*/false).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(PageRegion::Map(1, 3, /*huge=*/false).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      PageRegion::Map(1, 2 * PageRegion::kHugePageBytes, /*huge=*/false)
          .status()));
  for (bool huge : {false, true}) {
    EXPECT_TRUE(absl::IsResourceExhausted(
        PageRegion::Map(std::numeric_limits<size_t>::max(), 4096, huge)
            .status()));
  }
}

TEST(PageRegion, MovingLeavesNothing) {
  absl::StatusOr<PageRegion> region = PageRegion::Map(1, 1, /*huge=*/false);
  ASSERT_TRUE(region.ok()) << region.status();
  const uintptr_t address = AddressOf(*region);
  PageRegion other = *std::move(region);
  EXPECT_EQ(AddressOf(other), address);
  EXPECT_TRUE(region->bytes().empty());
  other = PageRegion();
  EXPECT_TRUE(other.bytes().empty());
}

}  // namespace
}  // namespace ringway
