// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/failing_allocation.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/check.h"

namespace ringway::testing {
namespace {

// The initial value for new threads.
std::atomic<uint64_t> of_new_threads{0};
std::atomic<bool> happened_in_new_thread{false};

struct Plan {
  uint64_t first = 0;  // 0: nothing is to fail
  uint64_t last = 0;
  uint64_t n = 0;  // allocations so far
  bool happened = false;
  bool from_birth = false;
};

Plan AtBirth() {
  const uint64_t n = of_new_threads.load();
  return {.first = n, .last = n, .from_birth = true};
}

thread_local Plan plan = AtBirth();
std::atomic<uint64_t> live{0};

bool Fails() {
  if (plan.first == 0) return false;
  ++plan.n;
  if (plan.n < plan.first || plan.n > plan.last) return false;
  plan.happened = true;
  if (plan.from_birth) happened_in_new_thread = true;
  return true;
}

constexpr size_t kNoAlignment = 0;

// Null if it fails.
void* Allocate(size_t n_bytes, size_t alignment) {
  if (Fails()) return nullptr;
  void* memory = nullptr;
  if (alignment == kNoAlignment) {
    memory = malloc(n_bytes);
  } else if (posix_memalign(&memory, alignment, n_bytes) != 0) {
    return nullptr;
  }
  if (memory != nullptr) live.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

void* AllocateOrThrow(size_t n_bytes, size_t alignment) {
  void* memory = Allocate(n_bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void Free(void* memory) {
  if (memory == nullptr) return;
  live.fetch_sub(1, std::memory_order_relaxed);
  free(memory);
}

// True if an allocation was left to fail.
bool RunFailing(uint64_t n, absl::FunctionRef<void()> work) {
  const size_t fds_before = CountOpenFds();
  const uint64_t live_before = LiveAllocations();
  bool happened;
  bool ran_out = false;
  {
    FailingAllocation failure(n);
    try {
      work();
    } catch (const std::bad_alloc&) {
      ran_out = true;
    }
    happened = failure.happened();
  }
  EXPECT_TRUE(happened || !ran_out) << "memory has really run out";
  EXPECT_EQ(LiveAllocations(), live_before)
      << "memory was left behind when allocation " << n << " failed";
  EXPECT_EQ(CountOpenFds(), fds_before)
      << "an fd was left behind when allocation " << n << " failed";
  return happened;
}

}  // namespace

FailingAllocation::FailingAllocation(uint64_t first, uint64_t last) {
  RINGWAY_CHECK(first > 0 && plan.first == 0,
                "one failure at a time, and allocations count from 1");
  plan = {.first = first, .last = last};
}

FailingAllocation::~FailingAllocation() { plan = {}; }

bool FailingAllocation::happened() const { return plan.happened; }

FailingAllocationInNewThreads::FailingAllocationInNewThreads(uint64_t n) {
  RINGWAY_CHECK(n > 0 && of_new_threads == 0,
                "one failure at a time, and allocations count from 1");
  happened_in_new_thread = false;
  of_new_threads = n;
}

FailingAllocationInNewThreads::~FailingAllocationInNewThreads() {
  of_new_threads = 0;
}

bool FailingAllocationInNewThreads::happened() const {
  return happened_in_new_thread;
}

uint64_t LiveAllocations() { return live.load(std::memory_order_relaxed); }

uint64_t FailEachAllocation(absl::FunctionRef<void()> work) {
  work();
  uint64_t n = 0;
  while (!::testing::Test::HasFailure() && RunFailing(n + 1, work)) ++n;
  return n;
}

}  // namespace ringway::testing

using ringway::testing::Allocate;
using ringway::testing::AllocateOrThrow;
using ringway::testing::Free;
using ringway::testing::kNoAlignment;

// All of them, because memory of one may be freed by another, and a
// sanitizer's own versions would report a mismatch.
void* operator new(size_t n) { return AllocateOrThrow(n, kNoAlignment); }
void* operator new[](size_t n) { return AllocateOrThrow(n, kNoAlignment); }
void* operator new(size_t n, const std::nothrow_t&) noexcept {
  return Allocate(n, kNoAlignment);
}
void* operator new[](size_t n, const std::nothrow_t&) noexcept {
  return Allocate(n, kNoAlignment);
}
void* operator new(size_t n, std::align_val_t alignment) {
  return AllocateOrThrow(n, static_cast<size_t>(alignment));
}
void* operator new[](size_t n, std::align_val_t alignment) {
  return AllocateOrThrow(n, static_cast<size_t>(alignment));
}
void* operator new(size_t n, std::align_val_t alignment,
                   const std::nothrow_t&) noexcept {
  return Allocate(n, static_cast<size_t>(alignment));
}
void* operator new[](size_t n, std::align_val_t alignment,
                     const std::nothrow_t&) noexcept {
  return Allocate(n, static_cast<size_t>(alignment));
}

void operator delete(void* memory) noexcept { Free(memory); }
void operator delete[](void* memory) noexcept { Free(memory); }
void operator delete(void* memory, size_t) noexcept { Free(memory); }
void operator delete[](void* memory, size_t) noexcept { Free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  Free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  Free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept {
  Free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  Free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  Free(memory);
}
