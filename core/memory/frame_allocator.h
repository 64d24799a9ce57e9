// SPDX-License-Identifier: Apache-2.0
//
// FrameAllocator: memory for coroutine frames and other small, short-lived
// objects of one thread.
//
// Allocating a free block takes one load, and the block freed last is reused
// first. Blocks may be freed on any thread; other threads return them to
// their owner through a lock-free list. An allocator may be destroyed while
// blocks are in use; its memory is freed with the last one. Chunks are not
// freed before that, so it suits a stable population, not one that peaks
// once.
//
//   FrameAllocator frames;
//   FrameAllocator::Scope scope(frames);  // this thread allocates from it
//   void* frame = FrameAllocator::Allocate(200);
//   FrameAllocator::Free(frame);
//
// A header of 16 bytes before each block holds its owner and size class. Size
// classes are 16 bytes apart up to 256, then eight for each doubling: above 128
// bytes at most an eighth is wasted. Under AddressSanitizer free blocks are
// poisoned, and so are the bytes between the requested size and that of the
// class.

#ifndef RINGWAY_CORE_MEMORY_FRAME_ALLOCATOR_H_
#define RINGWAY_CORE_MEMORY_FRAME_ALLOCATOR_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "ringway/core/check.h"
#include "ringway/core/memory/asan_poison.h"

namespace ringway {
namespace internal {

struct FrameArena;

// Precedes every block.
struct alignas(16) FrameBlock {
  static constexpr uint32_t kLive = 0x4c495645;
  static constexpr uint32_t kFree = 0x46524545;

  union {
    FrameArena* owner;  // while live; null: from the heap
    FrameBlock* next;   // while free
  };
  uint32_t size_class;
  uint32_t state;
};
static_assert(sizeof(FrameBlock) == 16);

inline constexpr size_t kMaxFrameBytes = 4096;
inline constexpr uint32_t kFrameClasses = 48;

// With g = (size in granules of 16 bytes) - 1: g itself below 16, then the top
// four bits of g for each power of two.
constexpr uint32_t FrameClassOf(size_t n_bytes) {
  const size_t g = (std::max<size_t>(n_bytes, 1) - 1) / 16;
  const auto width = static_cast<uint32_t>(std::bit_width(g));
  const uint32_t shift = std::max<uint32_t>(width, 4) - 4;
  return static_cast<uint32_t>(8 * shift + (g >> shift));
}

// The largest size in the class.
constexpr size_t FrameClassBytes(uint32_t size_class) {
  if (size_class < 8) return (size_class + 1) * 16;
  return (size_t{9 + size_class % 8} << (size_class / 8 - 1)) * 16;
}

static_assert(FrameClassOf(kMaxFrameBytes) == kFrameClasses - 1);
static_assert(FrameClassBytes(kFrameClasses - 1) == kMaxFrameBytes);

}  // namespace internal

class FrameAllocator {
 public:
  struct Stats {
    size_t live = 0;              // blocks in use, except those of the heap
    size_t peak = 0;              // the maximum of `live`
    uint64_t allocations = 0;     // except those of the heap
    uint64_t heap_fallbacks = 0;  // requests above kMaxSize
    uint64_t remote_frees = 0;    // blocks freed by other threads
    size_t chunk_bytes = 0;       // chunk memory allocated from the heap
  };

  // Makes an allocator the thread's current one during its lifetime. Scopes
  // nest. An allocator belongs to the first thread that installs it
  // (checked).
  class [[nodiscard]] Scope {
   public:
    explicit Scope(FrameAllocator& allocator);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

   private:
    FrameAllocator* const allocator_;
    FrameAllocator* const previous_;
  };

  // Larger requests go to the heap.
  static constexpr size_t kMaxSize = internal::kMaxFrameBytes;

  FrameAllocator();
  FrameAllocator(const FrameAllocator&) = delete;
  FrameAllocator& operator=(const FrameAllocator&) = delete;
  // Must not be current on any thread (checked). Blocks may be in use.
  ~FrameAllocator();

  // The allocator of the innermost Scope on this thread, or null.
  static FrameAllocator* Current() { return current_; }

  // Allocates `n_bytes`, aligned to 16, from the current allocator, or from
  // the heap without one. Throws std::bad_alloc like operator new.
  //
  // Cost: about ten instructions if a block of the class is free.
  static void* Allocate(size_t n_bytes);

  // Frees a block of Allocate(). Other pointers, and freeing twice, abort if
  // detected.
  //
  // Threads: any. If the block's owner is not current on this thread, the
  //          block counts as live until the owner next runs out of its class.
  static void Free(void* p);

  // Collects blocks freed by other threads, then returns the counters.
  //
  // Threads: the owner's only, or any once the owner's has ended.
  Stats stats();

 private:
  using Block = internal::FrameBlock;

  static void* AllocateFromHeap(size_t n_bytes);
  static void FreeElsewhere(Block* block);
  Block* Refill(uint32_t size_class);
  Block* Carve(uint32_t size_class);
  void CollectRemoteFrees();
  void PushFree(Block* block) {
    block->next = free_[block->size_class];
    free_[block->size_class] = block;
    --live_;
  }

  static inline constinit thread_local FrameAllocator* current_ = nullptr;

  internal::FrameArena* const arena_;  // owns the chunks, may outlive this
  size_t live_ = 0;
  size_t peak_ = 0;
  uint64_t allocations_ = 0;
  Block* free_[internal::kFrameClasses] = {};
  char* unused_ = nullptr;  // the rest of the newest chunk
  char* unused_end_ = nullptr;
  uint64_t heap_fallbacks_ = 0;
  uint64_t remote_frees_ = 0;
  size_t chunk_bytes_ = 0;
  std::thread::id thread_;
  int scopes_ = 0;
};

inline void* FrameAllocator::Allocate(size_t n_bytes) {
  FrameAllocator* self = current_;
  if (self == nullptr || n_bytes > kMaxSize) [[unlikely]] {
    return AllocateFromHeap(n_bytes);
  }
  const uint32_t size_class = internal::FrameClassOf(n_bytes);
  Block* block = self->free_[size_class];
  if (block == nullptr) [[unlikely]] {
    block = self->Refill(size_class);
  } else {
    self->free_[size_class] = block->next;
  }
  block->owner = self->arena_;
  block->state = Block::kLive;
  ++self->allocations_;
  self->peak_ = std::max(self->peak_, ++self->live_);
  internal::UnpoisonMemory(block + 1, n_bytes);
  return block + 1;
}

inline void FrameAllocator::Free(void* p) {
  Block* block = static_cast<Block*>(p) - 1;
  RINGWAY_CHECK(block->state == Block::kLive,
                "%p was freed twice, or is not from this allocator", p);
  FrameAllocator* self = current_;
  if (self == nullptr || block->owner != self->arena_) [[unlikely]] {
    return FreeElsewhere(block);
  }
  block->state = Block::kFree;
  internal::PoisonMemory(block + 1,
                         internal::FrameClassBytes(block->size_class));
  self->PushFree(block);
}

}  // namespace ringway

#endif  // RINGWAY_CORE_MEMORY_FRAME_ALLOCATOR_H_
