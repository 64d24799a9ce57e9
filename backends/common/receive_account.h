// SPDX-License-Identifier: Apache-2.0
//
// ReceiveAccount: the gauges of a backend's receive memory, and its limit.

#ifndef RINGWAY_BACKENDS_COMMON_RECEIVE_ACCOUNT_H_
#define RINGWAY_BACKENDS_COMMON_RECEIVE_ACCOUNT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "ringway/backends/backend.h"
#include "ringway/core/check.h"

namespace ringway {

class ReceiveAccount {
 public:
  // Buffers never take more than `limit` bytes (checked).
  explicit ReceiveAccount(uint64_t limit) : limit_(limit) {}
  ReceiveAccount(const ReceiveAccount&) = delete;
  ReceiveAccount& operator=(const ReceiveAccount&) = delete;

  // A buffer comes into use, or its memory is given back.
  void AddBuffer(size_t n_bytes) {
    memory_.buffers += n_bytes;
    RINGWAY_CHECK(memory_.buffers <= limit_,
                  "receive buffers exceed receive_memory_bytes");
    NoteTotal();
  }
  void RemoveBuffer(size_t n_bytes) { memory_.buffers -= n_bytes; }

  // The first delivery in a buffer is lent, or the last one is returned.
  void Lend(size_t n_bytes) { memory_.lent += n_bytes; }
  void Unlend(size_t n_bytes) { memory_.lent -= n_bytes; }

  void AddCopy(size_t n_bytes) {
    memory_.copies += n_bytes;
    NoteTotal();
  }
  void RemoveCopy(size_t n_bytes) { memory_.copies -= n_bytes; }

  void AddOwn(size_t n_bytes) {
    memory_.own += n_bytes;
    NoteTotal();
  }
  void RemoveOwn(size_t n_bytes) { memory_.own -= n_bytes; }

  const ReceiveMemory& memory() const { return memory_; }

 private:
  void NoteTotal() { memory_.most = std::max(memory_.most, memory_.total()); }

  const uint64_t limit_;
  ReceiveMemory memory_;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_RECEIVE_ACCOUNT_H_
