// SPDX-License-Identifier: Apache-2.0
//
// FdTable: the epoll backend's state of each fd: its waiting operations, and
// the assumptions about it.
//
// An fd number may be closed and reused for another file without the
// backend's knowledge. So an entry has a generation, which events carry, and
// turn numbers: an observation of an earlier turn is only an assumption,
// unless an operation has been waiting on the fd since.

#ifndef RINGWAY_BACKENDS_EPOLL_FD_TABLE_H_
#define RINGWAY_BACKENDS_EPOLL_FD_TABLE_H_

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ringway/backends/operation.h"
#include "ringway/core/containers/intrusive_list.h"

namespace ringway::epoll {

// Operations that wait for the same direction of the same fd, in the order
// they were started. Only the first is tried.
//
// Linked while it must be retried without an event.
struct WaitQueue : ListNode {
  bool put_aside() const { return linked(); }

  OperationList operations;
};

// What few fds ever have.
struct SeldomQueues {
  WaitQueue writers;
  OperationList pollers;
};

// Small: most are idle, with one reader.
//
// Linked while the number is assumed to refer to the registered file, because
// it did in assumed_in_turn, and that is not checked yet.
struct FdEntry : ListNode {
  bool assumed() const { return linked(); }

  bool has_readers() const { return !readers.operations.empty(); }
  bool has_writers() const {
    return seldom != nullptr && !seldom->writers.operations.empty();
  }
  bool has_pollers() const {
    return seldom != nullptr && !seldom->pollers.empty();
  }
  // True if no operation waits for this fd.
  bool idle() const {
    return !has_readers() && !has_writers() && !has_pollers();
  }

  // Makes `seldom`, which then stays. False if there is no memory for it.
  bool MakeSeldom();

  // Calls `visit` for each list of waiting operations.
  template <typename Visitor>
  void ForEachList(Visitor visit) {
    visit(readers.operations);
    if (seldom == nullptr) return;
    visit(seldom->writers.operations);
    visit(seldom->pollers);
  }

  // The events that the waiting operations need; computed only here. Cost:
  // one pass over the pollers.
  uint32_t Interest();

  // The events as the kernel is told them, which belong to `events`.
  uint32_t AsRegistered(uint32_t events) const {
    return level ? events : events | EPOLLET;
  }

  // Drops the assumptions about the number's file, and makes pending events
  // of the epoll set stale. Waiting operations stay.
  void ForgetFile();

  WaitQueue readers;
  std::unique_ptr<SeldomQueues> seldom;  // null: no fd of this number had any

  int fd = -1;
  // Part of each registration's user data; changes with the file.
  uint32_t generation = 0;
  // The events registered last for this generation: all of Interest(), and
  // those of earlier waits. 0: it is not registered.
  uint32_t registered = 0;
  // The peer has closed it, or it had an error or out-of-band data: then a
  // short receive does not mean that it is empty.
  bool never_drained = false;
  // Bytes that are left are reported again and again (level-triggered), not
  // only when they come: fd_watcher.h.
  bool level = false;
  // What socket it is, once that was queried.
  enum class Protocol : uint8_t { kUnknown, kTcp, kStream, kOther };
  Protocol protocol = Protocol::kUnknown;
  // The last turn in which the number was known to be the registered file: by
  // an event, or by registering it.
  uint64_t seen_in_turn = 0;
  uint64_t assumed_in_turn = 0;
  // The turn in which a receive emptied the socket: it stays empty until the
  // next event, so at least for the rest of that turn.
  uint64_t drained_in_turn = 0;
};

class FdTable {
 public:
  // The entry of `fd`, or null if it has none.
  FdEntry* Find(int fd);

  // The entry of `fd`, created if necessary; null if there is no memory for
  // it. Never throws. Requires fd >= 0.
  FdEntry* Get(int fd);

  // Calls `visit` for every entry.
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

// The user data of an event of `entry`.
inline uint64_t EventData(const FdEntry& entry) {
  return uint64_t{entry.generation} << 32 | static_cast<uint32_t>(entry.fd);
}
inline int EventFd(uint64_t data) { return static_cast<int>(data & INT32_MAX); }

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_FD_TABLE_H_
