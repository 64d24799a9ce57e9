// SPDX-License-Identifier: Apache-2.0
//
// FdWatcher: keeps the epoll set in step with an FdTable, and asks the kernel
// as little as it can.
//
// Each fd is registered once, edge-triggered, when something waits for it
// first. Asking again would cost a system call per wait, and not asking would
// lose the waiters of a number that was closed and means another file now. So:
//
//   - while an operation waits on a number, its owner does not close it;
//   - a number seen in this turn is *assumed* to mean the same file, and that
//     is checked when the turn is long past, or when nothing happens;
//   - otherwise it is registered again, which also brings back an edge that
//     went by.
//
// The invariant: a number that something waits for is registered for all of
// FdEntry::Interest(), or assumed to be. Whatever puts an operation into a
// queue calls Watch() or WatchAnew() after it; which events that takes is
// computed here and not passed. registration_check.h compares with the kernel.

#ifndef RINGWAY_BACKENDS_EPOLL_FD_WATCHER_H_
#define RINGWAY_BACKENDS_EPOLL_FD_WATCHER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "ringway/backends/epoll/epoll_set.h"
#include "ringway/backends/epoll/fd_table.h"
#include "ringway/backends/operation.h"
#include "ringway/core/containers/intrusive_list.h"

namespace ringway::epoll {

class FdWatcher {
 public:
  // `system_calls`, which is counted up, must outlive this.
  FdWatcher(std::unique_ptr<EpollSet> set, uint64_t& system_calls);
  ~FdWatcher();

  EpollSet& set() { return *set_; }
  const EpollSet& set() const { return *set_; }
  FdTable& table() { return table_; }

  // Begins a turn: what was learnt in the one before is old. Checks assumptions
  // that have been waiting for long.
  void BeginTurn();

  // Sees to it that readiness of `entry` for its Interest() is reported from
  // now on, once. `held`: an operation was waiting on the fd before the one
  // that was put into a queue now. Returns 0 or -errno.
  int Watch(FdEntry& entry, bool held);
  // The same without assuming anything; what is ready already is reported.
  int WatchAnew(FdEntry& entry);

  // The entry that `event` is about, marked as seen; null if it is about a file
  // that the number no longer means. Events are looked up before anything is
  // received in a turn: what was drained in an earlier one is not any more.
  FdEntry* EntryOf(const epoll_event& event);

  // Says that all of the entry's waiting operations that could be tried were.
  void OnTried(FdEntry& entry);

  // True while there are assumptions to check.
  bool assuming() const { return !assumed_.empty(); }
  void CheckAssumptions();

  // Operations that were assumed to be watched for and cannot be, as the kernel
  // has no memory for it or the user no watches left. Their results say which.
  // BeginTurn() and CheckAssumptions() add to them.
  OperationList& refused() { return refused_; }

  // True if a receive took all there was in this turn.
  bool IsDrained(int fd);
  // Notes that a receive got less than it had room for.
  void OnShortReceive(int fd);

  // `fd` means another file from now on. Operations that wait for the old one
  // go to `stranded`.
  void Forget(int fd, OperationList& stranded);
  // The same, before `fd` is closed: duplicates may live on.
  void BeforeClose(int fd, OperationList& stranded);

 private:
  int Register(FdEntry& entry);
  int Control(int what, FdEntry& entry, uint32_t events);
  void Assume(FdEntry& entry);
  void Check(FdEntry& entry);
  void Strand(FdEntry& entry, OperationList& stranded);

  const std::unique_ptr<EpollSet> set_;
  uint64_t& system_calls_;
  FdTable table_;
  IntrusiveList<FdEntry> assumed_;  // the oldest first
  OperationList refused_;
  uint64_t turn_ = 1;
};

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_FD_WATCHER_H_
