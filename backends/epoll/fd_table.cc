// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/epoll/fd_table.h"

#include <sys/epoll.h>

#include <new>

namespace ringway::epoll {
namespace {

// Part of every registration: both shorten receives.
constexpr uint32_t kAlways = EPOLLRDHUP | EPOLLPRI;

// The events that can be polled; other bits would change the registration.
constexpr uint32_t kPollMask = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDNORM |
                               EPOLLRDBAND | EPOLLWRNORM | EPOLLWRBAND |
                               EPOLLMSG | EPOLLRDHUP;

}  // namespace

uint32_t FdEntry::Interest() {
  uint32_t events = kAlways;
  if (has_readers()) events |= EPOLLIN;
  if (has_writers()) events |= EPOLLOUT;
  if (!has_pollers()) return events;
  OperationList& pollers = seldom->pollers;
  for (Operation* op = pollers.front(); op != nullptr; op = pollers.Next(*op)) {
    events |= op->flags & kPollMask;
  }
  return events;
}

bool FdEntry::MakeSeldom() {
  if (seldom == nullptr) seldom.reset(new (std::nothrow) SeldomQueues);
  return seldom != nullptr;
}

void FdEntry::ForgetFile() {
  ++generation;
  registered = 0;
  seen_in_turn = 0;
  drained_in_turn = 0;
  never_drained = false;
  level = false;
  protocol = Protocol::kUnknown;
}

FdEntry* FdTable::Get(int fd) {
  if (FdEntry* entry = Find(fd)) return entry;
  const size_t index = static_cast<size_t>(fd) / kChunk;
  if (!Grow(index)) return nullptr;
  int next = static_cast<int>(index * kChunk);
  for (FdEntry& entry : *chunks_[index]) entry.fd = next++;
  return Find(fd);
}

bool FdTable::Grow(size_t index) {
  try {
    if (index >= chunks_.size()) chunks_.resize(index + 1);
    chunks_[index] = std::make_unique<Chunk>();
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

}  // namespace ringway::epoll
