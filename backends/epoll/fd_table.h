// SPDX-License-Identifier: Apache-2.0
//
// FdTable: what the epoll backend knows of each fd - what waits for it, and
// what may be assumed about it.
//
// An fd is a number that its owner may close and get again for another file
// without telling. So an entry has a generation, which events carry, and counts
// turns: what was learnt of a number in an earlier turn is a guess, unless an
// operation has been waiting on it since.

#ifndef RINGWAY_BACKENDS_EPOLL_FD_TABLE_H_
#define RINGWAY_BACKENDS_EPOLL_FD_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ringway/backends/operation.h"
#include "ringway/core/containers/intrusive_list.h"

namespace ringway::epoll {

// Operations that wait for the same fd to become ready in the same direction,
// in the order they were started in. Only the first is tried.
//
// As a list node: put aside, to be tried again without an event.
struct WaitQueue : ListNode {
  bool put_aside() const { return linked(); }

  OperationList operations;
};

// As a list node: the number is taken to mean the registered file because it
// was seen to in assumed_in_turn, and that is still to be checked.
struct FdEntry : ListNode {
  bool assumed() const { return linked(); }

  // True if nothing waits for this fd.
  bool idle() const {
    return readers.operations.empty() && writers.operations.empty() &&
           pollers.empty();
  }

  // The events that what waits for this fd needs to be told of: the one place
  // that says so. Cost: one pass over the pollers.
  uint32_t Interest();

  // Forgets what was learnt of the file behind the number, and makes what the
  // epoll set may still tell of it stale. Waiting operations stay.
  void ForgetFile();

  int fd = -1;

  WaitQueue readers;
  WaitQueue writers;
  OperationList pollers;

  // Goes into each registration, and changes with the file.
  uint32_t generation = 0;
  // What the kernel was told last, for this generation: all of Interest(), and
  // what waited earlier and may again. 0: it is not registered.
  uint32_t registered = 0;
  // The turn in which the number was last seen to be the registered file: by an
  // event, or by registering it.
  uint64_t seen_in_turn = 0;
  uint64_t assumed_in_turn = 0;
  // The turn in which a receive took all there was: until the next event, hence
  // for the rest of that turn, there is nothing more.
  uint64_t drained_in_turn = 0;
  // It was closed by the peer, had an error or out-of-band data: then a short
  // receive does not mean that it took everything.
  bool never_drained = false;
  // Whether it is a TCP socket, once that was asked.
  enum class Protocol : uint8_t { kUnknown, kTcp, kOther };
  Protocol protocol = Protocol::kUnknown;
};

class FdTable {
 public:
  // The entry of `fd`, or null if it has none.
  FdEntry* Find(int fd);

  // The entry of `fd`, made if need be; null if there is no memory for it.
  // Never throws. Requires fd >= 0.
  FdEntry* Get(int fd);

  // Calls `visit` for every entry there is.
  template <typename Visitor>
  void ForEach(Visitor visit) {
    for (auto& chunk : chunks_) {
      if (chunk == nullptr) continue;
      for (FdEntry& entry : *chunk) visit(entry);
    }
  }

 private:
  // Entries do not move: lists point at them. So the table grows by chunks.
  static constexpr size_t kChunk = 256;
  using Chunk = std::array<FdEntry, kChunk>;

  bool Grow(size_t index);

  std::vector<std::unique_ptr<Chunk>> chunks_;
};

inline FdEntry* FdTable::Find(int fd) {
  const size_t index = static_cast<size_t>(fd);
  if (fd < 0 || index / kChunk >= chunks_.size()) return nullptr;
  Chunk* chunk = chunks_[index / kChunk].get();
  return chunk == nullptr ? nullptr : &(*chunk)[index % kChunk];
}

// What an event of `entry` carries.
inline uint64_t EventData(const FdEntry& entry) {
  return uint64_t{entry.generation} << 32 | static_cast<uint32_t>(entry.fd);
}
inline int EventFd(uint64_t data) { return static_cast<int>(data & INT32_MAX); }

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_FD_TABLE_H_
