// SPDX-License-Identifier: Apache-2.0
//
// DirectoryJournal: the operations on names that no fsync of a directory has
// made durable yet, of which a crash leaves any part.
//
// As with a journalling file system an operation survives whole or not at all,
// a rename, too, and never without those before it on the same names. Of
// operations on other names nothing is promised.

#ifndef RINGWAY_BACKENDS_SIM_FILES_DIRECTORY_JOURNAL_H_
#define RINGWAY_BACKENDS_SIM_FILES_DIRECTORY_JOURNAL_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "ringway/backends/sim/files/inode.h"
#include "ringway/core/rng.h"

namespace ringway::sim {

class DirectoryJournal {
 public:
  // From now on `name` in `directory` is `inode`, or nothing if that is null.
  // Refers to them weakly: what nobody can reach any more is gone.
  struct Change {
    Change(const InodePtr& directory, std::string entry, const InodePtr& inode)
        : in(directory), name(std::move(entry)), is(inode) {}
    std::weak_ptr<Inode> in;
    std::string name;
    std::weak_ptr<Inode> is;
  };

  DirectoryJournal() = default;
  DirectoryJournal(const DirectoryJournal&) = delete;
  DirectoryJournal& operator=(const DirectoryJournal&) = delete;

  // One operation.
  void Add(std::vector<Change> changes);
  // Makes the operations on `directory`, and those that they follow, durable.
  void Sync(const InodePtr& directory);
  // A crash: makes a part of the operations, drawn, durable and forgets the
  // others; Clear(): all of them.
  void KeepSome(Rng& rng);
  void Clear() { operations_.clear(); }

 private:
  using Operation = std::vector<Change>;

  // Whether operation `i` concerns a name that operation `j` concerns.
  bool Follows(size_t i, size_t j) const;
  // Marks operation `i`, and those before that it follows.
  void Mark(size_t i, std::vector<bool>& marked) const;
  // Makes the marked operations durable and forgets them.
  void MakeDurable(const std::vector<bool>& marked);

  std::vector<Operation> operations_;  // oldest first
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_DIRECTORY_JOURNAL_H_
