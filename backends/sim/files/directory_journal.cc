// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/files/directory_journal.h"

#include <algorithm>
#include <utility>

namespace ringway::sim {
namespace {

// A journal has a size: beyond it the oldest operations are written back.
constexpr size_t kMostOperations = 4096;

bool IsSameDirectory(const std::weak_ptr<Inode>& a,
                     const std::weak_ptr<Inode>& b) {
  return !a.owner_before(b) && !b.owner_before(a);
}

}  // namespace

void DirectoryJournal::Add(std::vector<Change> changes) {
  operations_.push_back(std::move(changes));
  if (operations_.size() <= kMostOperations) return;
  std::vector<bool> oldest(operations_.size());
  std::fill_n(oldest.begin(), kMostOperations / 2, true);
  MakeDurable(oldest);
}

void DirectoryJournal::Sync(const InodePtr& directory) {
  std::vector<bool> marked(operations_.size());
  for (size_t i = 0; i < operations_.size(); ++i) {
    const bool concerns = std::any_of(
        operations_[i].begin(), operations_[i].end(),
        [&](const Change& c) { return IsSameDirectory(c.in, directory); });
    if (concerns) Mark(i, marked);
  }
  MakeDurable(marked);
}

void DirectoryJournal::KeepSome(Rng& rng) {
  std::vector<bool> kept(operations_.size());
  for (size_t i = 0; i < operations_.size(); ++i) {
    bool keep = rng.Chance(0.5);
    for (size_t j = 0; j < i && keep; ++j) keep = kept[j] || !Follows(i, j);
    kept[i] = keep;
  }
  MakeDurable(kept);
  Clear();
}

bool DirectoryJournal::Follows(size_t i, size_t j) const {
  for (const Change& a : operations_[i]) {
    for (const Change& b : operations_[j]) {
      if (a.name == b.name && IsSameDirectory(a.in, b.in)) return true;
    }
  }
  return false;
}

void DirectoryJournal::Mark(size_t i, std::vector<bool>& marked) const {
  if (marked[i]) return;
  marked[i] = true;
  for (size_t j = 0; j < i; ++j) {
    if (Follows(i, j)) Mark(j, marked);
  }
}

void DirectoryJournal::MakeDurable(const std::vector<bool>& marked) {
  std::vector<Operation> left;
  for (size_t i = 0; i < operations_.size(); ++i) {
    if (!marked[i]) {
      left.push_back(std::move(operations_[i]));
      continue;
    }
    for (const Change& change : operations_[i]) {
      const InodePtr directory = change.in.lock();
      if (directory == nullptr) continue;
      directory->durable_entries.erase(change.name);
      if (InodePtr inode = change.is.lock(); inode != nullptr)
        directory->durable_entries.emplace(change.name, std::move(inode));
    }
  }
  operations_ = std::move(left);
}

}  // namespace ringway::sim
