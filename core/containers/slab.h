// SPDX-License-Identifier: Apache-2.0
//
// Slab: owns elements of one type, identified by generational keys.
//
// A key is an index and a generation. Erasing an element moves its slot to
// the next generation, so a key that outlives its element finds nothing,
// never the slot's next occupant. A slot whose generation wraps is retired
// instead of being reused. Elements never move, and the slot freed last is
// reused first, while it is still in the cache. Chunks are kept until the
// slab is destroyed, so nothing is allocated below the largest population so
// far.
//
//   Slab<Session> sessions(/*capacity=*/1000);
//   Session* session = sessions.Emplace(fd);  // null: 1000 are live
//   SlabKey key = sessions.KeyOf(*session);
//   ...
//   if (Session* s = sessions.Get(key)) s->Stop();  // null: gone meanwhile

#ifndef RINGWAY_CORE_CONTAINERS_SLAB_H_
#define RINGWAY_CORE_CONTAINERS_SLAB_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "ringway/core/check.h"

namespace ringway {

// Identifies one element of a slab, also after its end. The default key
// identifies none.
struct SlabKey {
  uint32_t index = 0;
  uint32_t generation = 0;  // 0: never valid

  bool valid() const { return generation != 0; }
  friend bool operator==(SlabKey, SlabKey) = default;
};

// One thread at a time. `T` need be neither copyable nor movable. Its
// constructor must not use the slab that it is constructed in; its destructor
// may.
template <typename T>
class Slab {
 public:
  // At most `capacity` elements are live at a time. Memory is allocated in
  // chunks as the population grows, not here. `first_generation` is for tests
  // of slots whose generation wraps.
  explicit Slab(size_t capacity, uint32_t first_generation = 1)
      : capacity_(std::min(capacity, size_t{kNoSlot})),
        first_generation_(first_generation) {
    RINGWAY_CHECK(first_generation != 0, "generation 0 is for invalid keys");
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  // Destroys the live elements.
  ~Slab() {
    ForEach([this](T& element) { Erase(element); });
  }

  // Constructs an element, or returns null if `capacity` are live. If the
  // constructor throws, the slab is unchanged.
  //
  // Cost: O(1); allocates only when the population has never been this large.
  template <typename... Args>
  T* Emplace(Args&&... args) {
    if (size_ >= capacity_) return nullptr;
    if (first_free_ == kNoSlot && !AddSlot()) return nullptr;
    Slot& slot = SlotAt(first_free_);
    T* element = std::construct_at(&slot.value, std::forward<Args>(args)...);
    first_free_ = std::exchange(slot.next_free, kLive);
    ++size_;
    return element;
  }

  // The element with this key, or null if it was erased or never existed.
  T* Get(SlabKey key) {
    if (key.index >= n_slots_) return nullptr;
    Slot& slot = SlotAt(key.index);
    if (slot.generation != key.generation || slot.next_free != kLive) {
      return nullptr;
    }
    return &slot.value;
  }

  // The key of `element`, which must live in this slab.
  SlabKey KeyOf(const T& element) const {
    const Slot& slot = SlotOf(element);
    return {.index = slot.index, .generation = slot.generation};
  }

  // Destroys the element with this key; false if there is none. While its
  // destructor runs, the key is already stale and the slot not yet free.
  bool Erase(SlabKey key) {
    T* element = Get(key);
    if (element == nullptr) return false;
    Erase(*element);
    return true;
  }

  // Destroys `element`, which must live in this slab.
  void Erase(T& element) {
    Slot& slot = const_cast<Slot&>(SlotOf(element));
    slot.next_free = kNoSlot;
    ++slot.generation;
    --size_;
    std::destroy_at(&element);
    if (slot.generation == 0) return;  // retired: every key was handed out
    slot.next_free = std::exchange(first_free_, slot.index);
  }

  // The number of live elements.
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }

  // Calls `fn(T&)` for every live element, in slot order. `fn` may erase any
  // element, the current one included. Elements added meanwhile may or may
  // not be visited.
  //
  // Cost: O(largest population so far).
  template <typename Fn>
  void ForEach(Fn&& fn) {
    for (uint32_t i = 0; i < n_slots_; ++i) {
      Slot& slot = SlotAt(i);
      if (slot.next_free == kLive) fn(slot.value);
    }
  }

 private:
  static constexpr uint32_t kLive = std::numeric_limits<uint32_t>::max();
  static constexpr uint32_t kNoSlot = kLive - 1;

  struct Slot {
    Slot() {}
    ~Slot() {}
    // First, so that an element's address is its slot's.
    union {
      T value;
    };
    uint32_t index;
    uint32_t generation;
    uint32_t next_free = kNoSlot;  // kLive while `value` exists
  };

  // A power of two for cheap indexing; a few pages of memory.
  static constexpr size_t kChunkSlots = std::clamp<size_t>(
      std::bit_floor(size_t{16} * 1024 / sizeof(Slot)), 8, 256);

  Slot& SlotAt(uint32_t index) const {
    return chunks_[index / kChunkSlots][index % kChunkSlots];
  }

  const Slot& SlotOf(const T& element) const {
    const Slot& slot = reinterpret_cast<const Slot&>(element);
    RINGWAY_CHECK(slot.next_free == kLive && slot.index < n_slots_ &&
                      &SlotAt(slot.index) == &slot,
                  "the element is not live in this slab");
    return slot;
  }

  // Adds a slot and makes it the first free one.
  bool AddSlot() {
    if (n_slots_ == kNoSlot) return false;
    if (n_slots_ % kChunkSlots == 0) {
      chunks_.push_back(std::make_unique<Slot[]>(kChunkSlots));
    }
    Slot& slot = SlotAt(n_slots_);
    slot.index = n_slots_;
    slot.generation = first_generation_;
    first_free_ = n_slots_++;
    return true;
  }

  const size_t capacity_;
  const uint32_t first_generation_;
  size_t size_ = 0;
  uint32_t n_slots_ = 0;  // slots used so far; the rest are raw memory
  uint32_t first_free_ = kNoSlot;
  std::vector<std::unique_ptr<Slot[]>> chunks_;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_CONTAINERS_SLAB_H_
