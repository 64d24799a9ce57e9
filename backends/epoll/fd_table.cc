// SPDX-License-Identifier: Apache-2.0

#include "backends/epoll/fd_table.h"

namespace ringway::epoll {

void FdEntry::ForgetFile() {
  ++generation;
  registered = 0;
  seen_in_turn = 0;
  assumed = false;
  drained_in_turn = 0;
  never_drained = false;
  protocol = Protocol::kUnknown;
}

FdEntry& FdTable::Get(int fd) {
  if (FdEntry* entry = Find(fd)) return *entry;
  const size_t index = static_cast<size_t>(fd) / kChunk;
  if (index >= chunks_.size()) chunks_.resize(index + 1);
  chunks_[index] = std::make_unique<Chunk>();
  int next = static_cast<int>(index * kChunk);
  for (FdEntry& entry : *chunks_[index]) entry.fd = next++;
  return *Find(fd);
}

}  // namespace ringway::epoll
