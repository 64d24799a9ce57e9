// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/memory/frame_allocator.h"

#include <atomic>
#include <new>
#include <utility>

namespace ringway {
namespace internal {

// The owner of an allocator's blocks: the chunks, and the list of blocks
// freed on other threads. If the allocator is destroyed while blocks are in
// use, the arena stays until the last of them is freed.
struct FrameArena {
  struct Chunk {
    Chunk* next;
    alignas(16) char bytes[];
  };
  static constexpr size_t kChunkBytes = 64 * 1024;

  ~FrameArena() {
    while (chunks != nullptr) {
      Chunk* chunk = std::exchange(chunks, chunks->next);
      UnpoisonMemory(chunk, kChunkBytes);
      ::operator delete(chunk);
    }
  }

  // On any thread. Afterwards the arena may be destroyed.
  void FreeRemotely(FrameBlock* block) {
    FrameBlock* last = remote_frees.load(std::memory_order_relaxed);
    do {
      if (last == &abandoned) return Settle(-1);
      block->next = last;
      // Release: this thread's accesses to the block happen before its reuse.
      // No ABA: the owner takes the whole list or nothing.
    } while (!remote_frees.compare_exchange_weak(
        last, block, std::memory_order_release, std::memory_order_relaxed));
  }

  // On the owner's thread: every block freed remotely so far, newest first.
  FrameBlock* TakeRemoteFrees(FrameBlock* replacement) {
    return remote_frees.exchange(replacement, std::memory_order_acquire);
  }

  // Counts the blocks in use after the allocator's end: the allocator adds
  // their number once, each later free subtracts one, in any order, so the
  // balance reaches zero only at the end. The call that reaches zero deletes
  // the arena.
  void Settle(ptrdiff_t n) {
    if (balance.fetch_add(n, std::memory_order_acq_rel) + n == 0) delete this;
  }

  // Owner only until abandoned.
  Chunk* chunks = nullptr;
  // Its address in `remote_frees` means that the owner no longer collects.
  FrameBlock abandoned = {};
  std::atomic<ptrdiff_t> balance = 0;
  // On a separate cache line, because other threads write it.
  alignas(64) std::atomic<FrameBlock*> remote_frees = nullptr;
};

}  // namespace internal

using internal::FrameArena;

FrameAllocator::Scope::Scope(FrameAllocator& allocator)
    : allocator_(&allocator), previous_(std::exchange(current_, allocator_)) {
  const std::thread::id self = std::this_thread::get_id();
  if (allocator.thread_ == std::thread::id()) allocator.thread_ = self;
  RINGWAY_CHECK(allocator.thread_ == self,
                "a frame allocator was installed on a second thread");
  ++allocator.scopes_;
}

FrameAllocator::Scope::~Scope() {
  RINGWAY_CHECK(current_ == allocator_, "scopes must end in reverse order");
  current_ = previous_;
  --allocator_->scopes_;
}

FrameAllocator::FrameAllocator() : arena_(new FrameArena) {}

FrameAllocator::~FrameAllocator() {
  RINGWAY_CHECK(scopes_ == 0, "a frame allocator was destroyed in its scope");
  ptrdiff_t n_out = static_cast<ptrdiff_t>(live_);
  Block* block = arena_->TakeRemoteFrees(&arena_->abandoned);
  for (; block != nullptr; block = block->next) --n_out;
  arena_->Settle(n_out);
}

void* FrameAllocator::AllocateFromHeap(size_t n_bytes) {
  RINGWAY_CHECK(n_bytes <= PTRDIFF_MAX - sizeof(Block), "%zu bytes?", n_bytes);
  Block* block = static_cast<Block*>(::operator new(sizeof(Block) + n_bytes));
  block->owner = nullptr;
  block->state = Block::kLive;
  if (current_ != nullptr) ++current_->heap_fallbacks_;
  return block + 1;
}

void FrameAllocator::FreeElsewhere(Block* block) {
  block->state = Block::kFree;
  if (block->owner == nullptr) return ::operator delete(block);
  internal::PoisonMemory(block + 1,
                         internal::FrameClassBytes(block->size_class));
  block->owner->FreeRemotely(block);
}

FrameAllocator::Block* FrameAllocator::Refill(uint32_t size_class) {
  CollectRemoteFrees();
  Block* block = free_[size_class];
  if (block == nullptr) return Carve(size_class);
  free_[size_class] = block->next;
  return block;
}

FrameAllocator::Block* FrameAllocator::Carve(uint32_t size_class) {
  const size_t n_bytes = sizeof(Block) + internal::FrameClassBytes(size_class);
  if (static_cast<size_t>(unused_end_ - unused_) < n_bytes) {
    // The rest of the old chunk, at most a sixteenth of it, is never used.
    auto* chunk = static_cast<FrameArena::Chunk*>(
        ::operator new(FrameArena::kChunkBytes));
    chunk->next = std::exchange(arena_->chunks, chunk);
    chunk_bytes_ += FrameArena::kChunkBytes;
    unused_ = chunk->bytes;
    unused_end_ = reinterpret_cast<char*>(chunk) + FrameArena::kChunkBytes;
    internal::PoisonMemory(unused_, unused_end_ - unused_);
  }
  Block* block =
      reinterpret_cast<Block*>(std::exchange(unused_, unused_ + n_bytes));
  internal::UnpoisonMemory(block, sizeof(Block));
  block->size_class = size_class;
  return block;
}

void FrameAllocator::CollectRemoteFrees() {
  Block* block = arena_->TakeRemoteFrees(nullptr);
  while (block != nullptr) {
    Block* next = block->next;
    PushFree(block);
    ++remote_frees_;
    block = next;
  }
}

FrameAllocator::Stats FrameAllocator::stats() {
  CollectRemoteFrees();
  return {.live = live_,
          .peak = peak_,
          .allocations = allocations_,
          .heap_fallbacks = heap_fallbacks_,
          .remote_frees = remote_frees_,
          .chunk_bytes = chunk_bytes_};
}

}  // namespace ringway
