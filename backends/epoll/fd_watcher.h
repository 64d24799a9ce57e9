// SPDX-License-Identifier: Apache-2.0
//
// FdWatcher: keeps the epoll set consistent with an FdTable, with as few
// system calls as possible.
//
// Each fd is registered once, edge-triggered, at the first wait. Registering
// again would cost a system call per wait; not doing so would lose the
// waiters of a number that was closed and refers to another file now. So:
//
//   - while an operation waits on a number, its owner must not close it;
//   - a number seen in this turn is *assumed* to refer to the same file; the
//     assumption is checked some turns later, or when the loop is idle;
//   - otherwise it is registered again, which also reports an edge that was
//     missed.
//
// A receive that gets less than it has room for has emptied a TCP socket, which
// need not be asked again before its next event. On other streams it may have
// stopped at something else, such as a passed fd, so that bytes are left that
// no edge will report. Those are registered level-triggered from their first
// short receive on: what is left is reported in the next turn. That holds as
// long as an event means a receive that is waiting; the first that does not, or
// that would come again and again - room to send - makes it edge-triggered for
// good.
//
// The invariant: a number with waiting operations is registered for all of
// FdEntry::Interest(), or assumed to be. Code that puts an operation into a
// queue must then call Watch() or WatchAnew(), which compute the events
// themselves. registration_check.h compares the result with the kernel.

#ifndef RINGWAY_BACKENDS_EPOLL_FD_WATCHER_H_
#define RINGWAY_BACKENDS_EPOLL_FD_WATCHER_H_

#include <sys/epoll.h>

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

  // Begins a turn, which makes earlier observations old. Checks assumptions
  // that are several turns old.
  void BeginTurn();

  // Makes the kernel report readiness of `entry` for its Interest(), once.
  // `held`: another operation was already waiting on the fd before the newly
  // queued one. Returns 0 or -errno.
  int Watch(FdEntry& entry, bool held);
  // The same without assumptions; reports events that are ready already.
  int WatchAnew(FdEntry& entry);

  // The entry of `event`, marked as seen; null if the number no longer refers
  // to the event's file. A turn looks up its events before it receives
  // anything, so that sockets drained in an earlier turn no longer count as
  // drained.
  FdEntry* EntryOf(const epoll_event& event) {
    FdEntry* entry = table_.Find(EventFd(event.data.u64));
    if (entry == nullptr || event.data.u64 != EventData(*entry)) return nullptr;
    entry->seen_in_turn = turn_;
    if ((event.events & kEndsReceives) != 0) entry->never_drained = true;
    return entry;
  }

  // Records that all of the entry's waiting operations were tried.
  void OnTried(FdEntry& entry) {
    if (entry.assumed() && entry.idle()) entry.Unlink();
  }

  // True while there are assumptions to check.
  bool assuming() const { return !assumed_.empty(); }
  void CheckAssumptions();

  // Operations that were assumed to be watched but cannot be, because the
  // kernel has no memory or the user no watches left. Their results are the
  // errno. BeginTurn() and CheckAssumptions() add to them.
  OperationList& refused() { return refused_; }

  // True if a receive has emptied the socket in this turn.
  bool IsDrained(int fd) {
    const FdEntry* entry = table_.Find(fd);
    return entry != nullptr && entry->drained_in_turn == turn_;
  }
  // Records that a receive got fewer bytes than it had room for.
  void OnShortReceive(int fd);

  // For each event before its operations are tried: whether they will take what
  // it reports. Otherwise the kernel would report it for ever.
  void OnEvent(FdEntry& entry, uint32_t events) {
    if (entry.level && (events != EPOLLIN || entry.readers.put_aside() ||
                        !entry.has_readers()))
      ReportEdges(entry);
  }

  // `fd` refers to another file from now on. Operations waiting for the old
  // one move to `stranded`.
  void Forget(int fd, OperationList& stranded);
  // The same, before `fd` is closed: duplicates may live on.
  void BeforeClose(int fd, OperationList& stranded);

 private:
  // After these events a short receive does not mean that the socket is empty.
  static constexpr uint32_t kEndsReceives =
      EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;

  static bool MayReportLevels(FdEntry& entry);
  void ReportLevels(FdEntry& entry);
  void ReportEdges(FdEntry& entry);
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
