// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/files/file_locks.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringway::sim {

int FileLocks::Set(const OpenFile* owner, int type, int64_t begin,
                   int64_t end) {
  if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK) return -EINVAL;
  const Lock wanted = {owner, type, begin, end};
  if (type != F_UNLCK && Conflicts(wanted)) return -EAGAIN;
  std::vector<Lock> locks;
  for (const Lock& lock : locks_) {
    if (lock.owner != owner || lock.end <= begin || lock.begin >= end) {
      locks.push_back(lock);
      continue;
    }
    // What of it lies outside stays.
    if (lock.begin < begin)
      locks.push_back({owner, lock.type, lock.begin, begin});
    if (lock.end > end) locks.push_back({owner, lock.type, end, lock.end});
  }
  if (type != F_UNLCK) locks.push_back(wanted);
  locks_ = std::move(locks);
  return 0;
}

bool FileLocks::Conflicts(const Lock& wanted) const {
  return std::any_of(locks_.begin(), locks_.end(), [&](const Lock& lock) {
    const bool overlap = lock.begin < wanted.end && wanted.begin < lock.end;
    const bool exclusive = lock.type == F_WRLCK || wanted.type == F_WRLCK;
    return lock.owner != wanted.owner && overlap && exclusive;
  });
}

void FileLocks::ReleaseAll(const OpenFile* owner) {
  std::erase_if(locks_, [&](const Lock& l) { return l.owner == owner; });
}

}  // namespace ringway::sim
