// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/memory/frame_allocator.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

void* Allocate(size_t n_bytes) { return FrameAllocator::Allocate(n_bytes); }
void Free(void* p) { FrameAllocator::Free(p); }

TEST(FrameClass, WastesAtMostAQuarterAbove64Bytes) {
  for (size_t n = 65; n <= FrameAllocator::kMaxSize; ++n) {
    const size_t rounded = internal::FrameClassBytes(internal::FrameClassOf(n));
    ASSERT_GE(rounded, n);
    ASSERT_LE(rounded - n, n / 4) << n;
  }
}

TEST(FrameClass, HoldsItsOwnSizeAndNoMore) {
  for (uint32_t c = 0; c < internal::kFrameClasses; ++c) {
    const size_t n = internal::FrameClassBytes(c);
    EXPECT_EQ(internal::FrameClassOf(n), c);
    EXPECT_EQ(internal::FrameClassOf(n + 1), c + 1);
    EXPECT_EQ(n % 16, 0u);
  }
  EXPECT_EQ(internal::FrameClassOf(0), 0u);
}

TEST(FrameAllocator, IsCurrentWithinItsScopeOnly) {
  FrameAllocator outer, inner;
  EXPECT_EQ(FrameAllocator::Current(), nullptr);
  {
    FrameAllocator::Scope outer_scope(outer);
    {
      FrameAllocator::Scope inner_scope(inner);
      EXPECT_EQ(FrameAllocator::Current(), &inner);
      std::jthread([] { EXPECT_EQ(FrameAllocator::Current(), nullptr); });
    }
    EXPECT_EQ(FrameAllocator::Current(), &outer);
  }
  EXPECT_EQ(FrameAllocator::Current(), nullptr);
}

TEST(FrameAllocator, ReusesTheBlockFreedLastFirst) {
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  void* a = Allocate(200);
  void* b = Allocate(200);
  Free(a);
  Free(b);

  EXPECT_EQ(Allocate(193), b) << "another size of the same class";
  EXPECT_EQ(Allocate(200), a);
  Free(a);
  Free(b);
}

TEST(FrameAllocator, GivesDisjointAlignedBlocksOfEverySize) {
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  std::vector<unsigned char*> blocks;
  for (size_t n = 0; n <= FrameAllocator::kMaxSize + 64; ++n) {
    auto* block = static_cast<unsigned char*>(Allocate(n));
    ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % 16, 0u);
    memset(block, static_cast<int>(n % 251), n);
    blocks.push_back(block);
  }
  for (size_t n = 0; n < blocks.size(); ++n) {
    const auto expected = static_cast<unsigned char>(n % 251);
    ASSERT_TRUE(std::all_of(blocks[n], blocks[n] + n, [&](unsigned char c) {
      return c == expected;
    })) << n;
    Free(blocks[n]);
  }
}

TEST(FrameAllocator, CountsWhatItDoes) {
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  void* a = Allocate(100);
  void* b = Allocate(1000);
  void* large = Allocate(FrameAllocator::kMaxSize + 1);
  Free(a);
  Free(Allocate(100));

  FrameAllocator::Stats stats = frames.stats();
  EXPECT_EQ(stats.live, 1u);
  EXPECT_EQ(stats.peak, 2u);
  EXPECT_EQ(stats.allocations, 3u);
  EXPECT_EQ(stats.heap_fallbacks, 1u);
  EXPECT_EQ(stats.remote_frees, 0u);
  EXPECT_EQ(stats.chunk_bytes, 64u * 1024);

  Free(b);
  Free(large);
  EXPECT_EQ(frames.stats().live, 0u);
}

TEST(FrameAllocator, TakesNoMoreChunksOnceWarm) {
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  std::vector<void*> blocks(1000);
  size_t warm = 0;
  for (int round = 0; round < 10; ++round) {
    for (void*& block : blocks) block = Allocate(500);
    for (void* block : blocks) Free(block);
    if (round == 0) warm = frames.stats().chunk_bytes;
  }

  EXPECT_EQ(frames.stats().chunk_bytes, warm);
  EXPECT_EQ(frames.stats().peak, blocks.size());
}

TEST(FrameAllocator, ServesThreadsWithoutAllocatorFromTheHeap) {
  FrameAllocator frames;
  void* block = Allocate(100);
  memset(block, 1, 100);
  {
    FrameAllocator::Scope scope(frames);
    Free(block);
  }

  EXPECT_EQ(frames.stats().allocations, 0u);
  EXPECT_EQ(frames.stats().heap_fallbacks, 0u);
}

TEST(FrameAllocator, GetsBackWhatIsFreedUnderAnotherAllocator) {
  FrameAllocator outer, inner;
  FrameAllocator::Scope outer_scope(outer);
  void* block = Allocate(100);
  {
    FrameAllocator::Scope inner_scope(inner);
    Free(block);
  }

  EXPECT_EQ(outer.stats().live, 0u);
  EXPECT_EQ(outer.stats().remote_frees, 1u);
  EXPECT_EQ(inner.stats().remote_frees, 0u);
  EXPECT_EQ(Allocate(100), block);
  Free(block);
}

TEST(FrameAllocator, ReusesBlocksFreedOnAnotherThreadBeforeNewMemory) {
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  std::set<void*> blocks;
  for (int i = 0; i < 10; ++i) blocks.insert(Allocate(300));
  std::jthread([&] {
    for (void* block : blocks) Free(block);
  }).join();

  for (int i = 0; i < 10; ++i) EXPECT_TRUE(blocks.contains(Allocate(300)));

  for (void* block : blocks) Free(block);
  EXPECT_EQ(frames.stats().remote_frees, 10u);
}

// Its memory is freed with the last block; LeakSanitizer and AddressSanitizer
// check it.
TEST(FrameAllocator, MayBeDestroyedWhileBlocksAreOut) {
  std::optional<FrameAllocator> frames(std::in_place);
  std::vector<void*> blocks;
  {
    FrameAllocator::Scope scope(*frames);
    for (int i = 0; i < 300; ++i) blocks.push_back(Allocate(1000));
  }
  Free(blocks.back());
  blocks.pop_back();
  frames.reset();

  for (void* block : blocks) {
    memset(block, 1, 1000);
    Free(block);
  }
}

TEST(FrameAllocatorDeathTest, AbortsOnDoubleFree) {
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  void* block = Allocate(100);
  Free(block);

  EXPECT_DEATH(Free(block), "freed twice");
}

TEST(FrameAllocatorDeathTest, AbortsWhenInstalledOnASecondThread) {
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);

  EXPECT_DEATH(std::jthread([&] { FrameAllocator::Scope second(frames); }),
               "second thread");
}

TEST(FrameAllocatorDeathTest, AbortsWhenDestroyedInItsScope) {
  auto destroy_in_scope = [] {
    std::optional<FrameAllocator> frames(std::in_place);
    FrameAllocator::Scope scope(*frames);
    frames.reset();
  };
  EXPECT_DEATH(destroy_in_scope(), "destroyed in its scope");
}

TEST(FrameAllocatorDeathTest, AddressSanitizerFindsUseAfterFree) {
  if (!internal::kAsanEnabled) GTEST_SKIP() << "needs AddressSanitizer";
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  auto* block = static_cast<volatile char*>(Allocate(100));
  FrameAllocator::Free(const_cast<char*>(block));

  EXPECT_DEATH(block[0] = 1, "use-after-poison");
}

TEST(FrameAllocatorDeathTest, AddressSanitizerFindsOverruns) {
  if (!internal::kAsanEnabled) GTEST_SKIP() << "needs AddressSanitizer";
  FrameAllocator frames;
  FrameAllocator::Scope scope(frames);
  auto* block = static_cast<volatile char*>(Allocate(100));

  EXPECT_DEATH(block[100] = 1, "use-after-poison");
  FrameAllocator::Free(const_cast<char*>(block));
}

// Blocks in transit from the allocating to the freeing threads.
class Exchange {
 public:
  // Puts `block` in a random place and returns what was there before.
  void* Swap(void* block, uint32_t place) {
    std::lock_guard lock(mutex_);
    return std::exchange(places_[place % places_.size()], block);
  }

 private:
  std::mutex mutex_;
  std::vector<void*> places_ = std::vector<void*>(100);
};

// Every thread allocates, passes blocks on and frees what it gets; allocators
// come and go while their blocks are out.
TEST(FrameAllocatorStress, BlocksTravelBetweenThreadsAndOutliveTheirOwners) {
  Exchange exchange;
  {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (uint32_t t = 0; t < 4; ++t) {
      threads.emplace_back([&exchange, t] {
        std::mt19937 random(t);
        for (int life = 0; life < 20; ++life) {
          FrameAllocator frames;
          FrameAllocator::Scope scope(frames);
          for (int i = 0; i < 500; ++i) {
            const size_t n = 1 + random() % 1000;
            void* mine = Allocate(n);
            memset(mine, static_cast<int>(t), n);
            if (void* theirs = exchange.Swap(mine, random())) Free(theirs);
          }
        }
      });
    }
  }
  for (uint32_t place = 0; place < 100; ++place) {
    if (void* rest = exchange.Swap(nullptr, place)) Free(rest);
  }
}

}  // namespace
}  // namespace ringway
