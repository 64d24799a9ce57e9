// SPDX-License-Identifier: Apache-2.0
//
// LentBuffer: bytes that arrived in one of a backend's receive buffers, lent
// until it is dropped. net::ReceivedBuffer and the ring's ReceivedData are
// other names of it.
//
// It may outlive its loop (loop_dependent.h): the loop's end takes the buffer
// back, and reading the bytes afterwards aborts.

#ifndef RINGWAY_EXECUTOR_LOOP_LENT_BUFFER_H_
#define RINGWAY_EXECUTOR_LOOP_LENT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "ringway/core/check.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/executor/loop/loop.h"

namespace ringway {

// Moving it costs a few instructions: it takes its place in the loop's list of
// what is lent.
//
// Threads: the loop's only (checked), until that has ended.
class [[nodiscard]] LentBuffer : private ListNode {
 public:
  // Empty.
  LentBuffer() = default;
  LentBuffer(Loop& loop, uint32_t buffer_id, std::span<std::byte> bytes);
  LentBuffer(LentBuffer&& other) noexcept { TakeOver(other); }
  LentBuffer& operator=(LentBuffer&& other) noexcept {
    if (this != &other) {
      Release();
      TakeOver(other);
    }
    return *this;
  }
  ~LentBuffer() { Release(); }

  // The caller's to overwrite while the buffer is lent. Aborts if the loop has
  // ended.
  std::span<std::byte> bytes() const {
    RINGWAY_CHECK(!taken_back_,
                  "a received buffer is used after the end of its loop, which "
                  "has taken it back");
    return bytes_;
  }

  size_t size() const { return bytes().size(); }
  bool empty() const { return bytes().empty(); }

  // Forgets the first `n` bytes, at most size().
  void RemovePrefix(size_t n) { bytes_ = bytes().subspan(n); }

  // Gives the buffer back now.
  void Release() {
    if (loop_ != nullptr) GiveBack();
    bytes_ = {};
    taken_back_ = false;
  }

 private:
  friend class Loop;
  friend class IntrusiveList<LentBuffer>;

  void TakeOver(LentBuffer& other) {
    loop_ = std::exchange(other.loop_, nullptr);
    bytes_ = std::exchange(other.bytes_, {});
    buffer_id_ = other.buffer_id_;
    taken_back_ = std::exchange(other.taken_back_, false);
    if (loop_ == nullptr) return;
    loop_->CheckThread("a received buffer");
    Replace(other);
  }
  // Requires that it has a buffer.
  void GiveBack();
  // The loop ends, or, in a forked child, is forgotten.
  void OnLoopEnd(bool give_back);

  Loop* loop_ = nullptr;  // while it has a buffer
  std::span<std::byte> bytes_;
  uint32_t buffer_id_ = 0;
  bool taken_back_ = false;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_LENT_BUFFER_H_
