// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/epoll/fd_watcher.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "ringway/backends/common/socket_type.h"

namespace ringway::epoll {
namespace {

// An assumption is checked after this many turns on a loop that is never
// idle.
constexpr uint64_t kCheckAfter = 64;

// Only a TCP socket delivers nothing but a byte stream. Receives on Unix
// sockets also stop at passed fds and at another sender's credentials.
FdEntry::Protocol ProtocolOf(int fd) {
  int protocol = 0;
  socklen_t length = sizeof(protocol);
  const int rc = getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length);
  if (rc == 0 && protocol == IPPROTO_TCP) return FdEntry::Protocol::kTcp;
  return KeepsBoundaries(fd) ? FdEntry::Protocol::kOther
                             : FdEntry::Protocol::kStream;
}

}  // namespace

FdWatcher::FdWatcher(std::unique_ptr<EpollSet> set, uint64_t& system_calls)
    : set_(std::move(set)), system_calls_(system_calls) {}

FdWatcher::~FdWatcher() {
  while (FdEntry* entry = assumed_.PopFront()) static_cast<void>(entry);
}

void FdWatcher::BeginTurn() {
  ++turn_;
  for (FdEntry* entry = assumed_.front();
       entry != nullptr && entry->assumed_in_turn + kCheckAfter < turn_;
       entry = assumed_.front()) {
    Check(*entry);
  }
}

int FdWatcher::Watch(FdEntry& entry, bool held) {
  const uint32_t interest = entry.Interest();
  const bool registered = (entry.registered & interest) == interest;
  if (registered && held) return 0;
  if (registered && entry.seen_in_turn == turn_ && !entry.assumed()) {
    Assume(entry);
    return 0;
  }
  return WatchAnew(entry);
}

int FdWatcher::WatchAnew(FdEntry& entry) {
  if (const int rc = Register(entry); rc < 0) return rc;
  entry.seen_in_turn = turn_;
  if (entry.assumed()) entry.Unlink();
  return 0;
}

// Keeps the events of earlier waits, which are likely to recur.
int FdWatcher::Register(FdEntry& entry) {
  if (entry.level && !MayReportLevels(entry)) {
    entry.level = false;
    entry.protocol = FdEntry::Protocol::kOther;
  }
  if (entry.registered != 0) {
    const int rc =
        Control(EPOLL_CTL_MOD, entry, entry.registered | entry.Interest());
    if (rc == 0) return 0;
    entry.ForgetFile();
    if (rc != -ENOENT) return rc;
  }
  ++entry.generation;
  const int rc = Control(EPOLL_CTL_ADD, entry, entry.Interest());
  return rc == -EEXIST ? Control(EPOLL_CTL_MOD, entry, entry.Interest()) : rc;
}

int FdWatcher::Control(int what, FdEntry& entry, uint32_t events) {
  ++system_calls_;
  const int rc = set_->Control(what, entry.fd, entry.AsRegistered(events),
                               EventData(entry));
  if (rc == 0) entry.registered = events;
  return rc;
}

// --- Assumptions

void FdWatcher::Assume(FdEntry& entry) {
  entry.assumed_in_turn = turn_;
  assumed_.PushBack(entry);
}

void FdWatcher::Check(FdEntry& entry) {
  entry.Unlink();
  if (entry.idle()) return;
  const int rc = WatchAnew(entry);
  // Any other error means that the fd was closed under its operations, which
  // wait to be cancelled.
  if (rc != -ENOMEM && rc != -ENOSPC) return;
  OperationList refused;
  Strand(entry, refused);
  for (Operation* op = refused.front(); op != nullptr; op = refused.Next(*op)) {
    op->result = rc;
  }
  refused_.Append(refused);
}

void FdWatcher::CheckAssumptions() {
  while (FdEntry* entry = assumed_.front()) Check(*entry);
}

void FdWatcher::OnShortReceive(int fd) {
  FdEntry* entry = table_.Find(fd);
  if (entry == nullptr || entry->seen_in_turn != turn_ ||
      (entry->registered & EPOLLIN) == 0 || entry->never_drained) {
    return;
  }
  if (entry->protocol == FdEntry::Protocol::kUnknown) {
    ++system_calls_;
    entry->protocol = ProtocolOf(fd);
  }
  if (entry->protocol == FdEntry::Protocol::kStream && !entry->level)
    ReportLevels(*entry);
  if (entry->protocol == FdEntry::Protocol::kTcp || entry->level)
    entry->drained_in_turn = turn_;
}

// --- Levels and edges

bool FdWatcher::MayReportLevels(FdEntry& entry) {
  constexpr uint32_t kHarmless = EPOLLIN | EPOLLRDHUP | EPOLLPRI;
  return ((entry.registered | entry.Interest()) & ~kHarmless) == 0 &&
         !entry.has_pollers();
}

void FdWatcher::ReportLevels(FdEntry& entry) {
  entry.level = MayReportLevels(entry);
  if (entry.level && Control(EPOLL_CTL_MOD, entry, entry.registered) == 0)
    return;
  entry.level = false;
  entry.protocol = FdEntry::Protocol::kOther;
}

// The change reports what is there once more.
void FdWatcher::ReportEdges(FdEntry& entry) {
  entry.level = false;
  entry.protocol = FdEntry::Protocol::kOther;
  Control(EPOLL_CTL_MOD, entry, entry.registered);
}

// --- Ends

// Moves all operations waiting for `entry` to `stranded`.
void FdWatcher::Strand(FdEntry& entry, OperationList& stranded) {
  entry.ForEachList([&](OperationList& list) { stranded.Append(list); });
  if (entry.readers.put_aside()) entry.readers.Unlink();
  if (entry.seldom != nullptr && entry.seldom->writers.put_aside())
    entry.seldom->writers.Unlink();
}

void FdWatcher::Forget(int fd, OperationList& stranded) {
  FdEntry* entry = table_.Find(fd);
  if (entry == nullptr) return;
  Strand(*entry, stranded);
  if (entry->assumed()) entry->Unlink();
  entry->ForgetFile();
}

void FdWatcher::BeforeClose(int fd, OperationList& stranded) {
  FdEntry* entry = table_.Find(fd);
  if (entry == nullptr) return;
  if (entry->registered != 0) Control(EPOLL_CTL_DEL, *entry, 0);
  Forget(fd, stranded);
}

}  // namespace ringway::epoll
