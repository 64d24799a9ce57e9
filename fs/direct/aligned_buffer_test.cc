// SPDX-License-Identifier: Apache-2.0
//
// AlignedBuffer, AlignedView and AlignedBufferPool.

#include "ringway/fs/direct/aligned_buffer.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"
#include "ringway/fs/direct/aligned_buffer_pool.h"

namespace ringway::fs {
namespace {

AlignedBuffer Make(size_t capacity, size_t alignment) {
  absl::StatusOr<AlignedBuffer> buffer =
      AlignedBuffer::Create(capacity, alignment);
  RINGWAY_CHECK(buffer.ok(), "%s", buffer.status().ToString().c_str());
  return *std::move(buffer);
}

// --- Buffers and views

TEST(FsAlignedBuffer, HasTheCapacityAndAlignmentAskedFor) {
  for (size_t alignment = 1; alignment <= 1 << 16; alignment *= 2) {
    for (size_t capacity : {size_t{1}, size_t{4096}, size_t{100'001}}) {
      AlignedBuffer buffer = Make(capacity, alignment);
      EXPECT_EQ(buffer.capacity(), capacity);
      EXPECT_EQ(buffer.size(), capacity);
      EXPECT_GE(buffer.view().alignment(), alignment);
      memset(buffer.data(), 1, capacity);
    }
  }
  EXPECT_TRUE(absl::IsInvalidArgument(AlignedBuffer::Create(0, 4096).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(AlignedBuffer::Create(1, 3).status()));
}

TEST(FsAlignedBuffer, ItsSizeMovesWithinItsCapacity) {
  AlignedBuffer buffer = Make(4096, 512);
  memset(buffer.data(), 7, 4096);
  buffer.Resize(100);
  EXPECT_EQ(buffer.bytes().size(), 100u);
  EXPECT_EQ(buffer.view().size(), 100u);
  buffer.Resize(4096);
  EXPECT_EQ(buffer.bytes()[4095], std::byte{7});
  EXPECT_DEATH(buffer.Resize(4097), "4096 bytes was resized to 4097");
}

TEST(FsAlignedBuffer, MovingLeavesNothing) {
  AlignedBuffer first = Make(4096, 512);
  std::byte* const data = first.data();
  AlignedBuffer second = std::move(first);
  EXPECT_EQ(second.data(), data);
  EXPECT_EQ(first.capacity(), 0u);
  EXPECT_TRUE(first.bytes().empty());
  second = AlignedBuffer();
  EXPECT_EQ(second.capacity(), 0u);
}

// By definition: a view has the bytes of its range, and its alignment divides
// its address and is the largest power of two that does.
TEST(AlignedView, HasItsPropertiesForRandomRanges) {
  AlignedBuffer buffer = Make(1 << 16, 1 << 16);
  for (size_t i = 0; i < buffer.size(); ++i)
    buffer.data()[i] = static_cast<std::byte>(i % 251);
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    AlignedView view = buffer.view();
    size_t at = 0;
    for (int depth = 0; depth < 3; ++depth) {  // views of views
      const size_t offset = random() % (view.size() + 1);
      const size_t n_bytes = random() % (view.size() - offset + 1);
      at += offset;
      view = view.Sub(offset, n_bytes);
      ASSERT_EQ(view.size(), n_bytes);
      ASSERT_EQ(view.data(), buffer.data() + at);
      const auto address = reinterpret_cast<uintptr_t>(view.data());
      ASSERT_EQ(address % view.alignment(), 0u);
      ASSERT_NE(address % (2 * view.alignment()), 0u);
      ASSERT_EQ(view.IsAlignedTo(512), at % 512 == 0 && n_bytes % 512 == 0);
      if (!view.empty()) {
        ASSERT_EQ(view.bytes()[0], static_cast<std::byte>(at % 251));
      }
    }
  }
}

TEST(AlignedViewDeathTest, WhatIsOutsideIsAMistake) {
  AlignedBuffer buffer = Make(4096, 512);
  EXPECT_DEATH(buffer.view().Sub(0, 4097), "4097 bytes at 0 of a buffer of");
  EXPECT_DEATH(buffer.view().Sub(4097, 0), "0 bytes at 4097");
  EXPECT_DEATH(buffer.view().Sub(1, SIZE_MAX), "of a buffer of 4096");
  buffer.Resize(512);
  EXPECT_DEATH(buffer.view().Sub(512, 1), "of a buffer of 512");
}

// --- Pools

std::unique_ptr<AlignedBufferPool> MakePool(size_t count,
                                            size_t buffer_bytes = 5000) {
  AlignedBufferPoolOptions options;
  options.count = count;
  options.buffer_bytes = buffer_bytes;
  auto pool = AlignedBufferPool::Create(options);
  RINGWAY_CHECK(pool.ok(), "%s", pool.status().ToString().c_str());
  return *std::move(pool);
}

TEST(AlignedBufferPool, ItsBuffersAreAlignedAndApart) {
  const std::unique_ptr<AlignedBufferPool> pool = MakePool(10);
  std::vector<AlignedBuffer> buffers;
  std::set<std::byte*> begins;
  for (int i = 0; i < 10; ++i) {
    std::optional<AlignedBuffer> buffer = pool->TryAcquire();
    ASSERT_TRUE(buffer.has_value());
    EXPECT_EQ(buffer->size(), 5000u);
    EXPECT_GE(buffer->view().alignment(), 4096u);
    EXPECT_GE(buffer->data(), pool->memory().data());
    EXPECT_LE(buffer->data() + 5000,
              pool->memory().data() + pool->memory().size());
    for (std::byte* other : begins)
      EXPECT_GE(std::abs(other - buffer->data()), 5000);
    begins.insert(buffer->data());
    memset(buffer->data(), i, 5000);
    buffers.push_back(*std::move(buffer));
  }
  EXPECT_FALSE(pool->TryAcquire().has_value());
  buffers.pop_back();
  EXPECT_EQ(pool->stats().in_use, 9u);
  EXPECT_TRUE(pool->TryAcquire().has_value()) << "and returned at once";
  EXPECT_EQ(pool->stats().in_use, 9u);
  EXPECT_EQ(pool->stats().most_in_use, 10u);
  EXPECT_EQ(pool->stats().acquired, 11u);
}

TEST(AlignedBufferPool, WaitingIsInOrderAndCanBeCancelled) {
  VirtualTimeExecutor executor;
  const std::unique_ptr<AlignedBufferPool> pool = MakePool(1);
  std::vector<int> order;
  auto use = [&](int number) -> Task<absl::Status> {
    absl::StatusOr<AlignedBuffer> buffer = co_await pool->Acquire();
    if (!buffer.ok()) co_return buffer.status();
    order.push_back(number);
    co_return co_await Sleep(absl::Seconds(1));
  };
  auto main = [&]() -> Task<void> {
    std::vector<JoinHandle<absl::Status>> all;
    for (int i = 0; i < 4; ++i) all.push_back(Spawn(use(i)));
    (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    all[2].Cancel();
    for (size_t i = 0; i < all.size(); ++i)
      EXPECT_EQ(absl::IsCancelled(co_await all[i]), i == 2);
  };
  EXPECT_TRUE(executor->Run(main()).ok());
  EXPECT_EQ(order, (std::vector<int>{0, 1, 3}));
  EXPECT_EQ(pool->stats().in_use, 0u);
  EXPECT_EQ(pool->stats().waited, 3u);
}

TEST(AlignedBufferPool, HugePagesThatAreNotThereAreCounted) {
  AlignedBufferPoolOptions options;
  options.huge_pages = true;
  auto pool = AlignedBufferPool::Create(options);
  ASSERT_TRUE(pool.ok()) << pool.status();
  const AlignedBufferPoolStats stats = (*pool)->stats();
  const bool all_huge = stats.pages == PageKind::kHuge;
  EXPECT_EQ(stats.huge_page_fallbacks == 0, all_huge);
  if (stats.pages != PageKind::kOrdinary) {
    EXPECT_EQ((*pool)->memory().size() % PageRegion::kHugePageBytes, 0u);
  }
  options.huge_pages = false;
  EXPECT_EQ((*AlignedBufferPool::Create(options))->stats().huge_page_fallbacks,
            0u);
}

TEST(AlignedBufferPool, ABadOptionIsNamed) {
  AlignedBufferPoolOptions options;
  options.alignment = 3;
  const absl::Status status = AlignedBufferPool::Create(options).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("alignment is 3"), std::string::npos);
  options = AlignedBufferPoolOptions();
  options.count = 0;
  EXPECT_TRUE(
      absl::IsInvalidArgument(AlignedBufferPool::Create(options).status()));
  options = AlignedBufferPoolOptions();
  options.buffer_bytes = 0;
  EXPECT_TRUE(
      absl::IsInvalidArgument(AlignedBufferPool::Create(options).status()));
}

TEST(AlignedBufferPoolDeathTest, OutlivesItsBuffers) {
  EXPECT_DEATH(
      {
        std::unique_ptr<AlignedBufferPool> pool = MakePool(2);
        std::optional<AlignedBuffer> kept = pool->TryAcquire();
        pool.reset();
      },
      "with 1 of its buffers in use");
}

}  // namespace
}  // namespace ringway::fs
