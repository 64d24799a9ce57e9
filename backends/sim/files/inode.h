// SPDX-License-Identifier: Apache-2.0
//
// Inode: a file, directory, symbolic link or Unix socket of a simulated file
// store, with its current state and what of it is on the disk.

#ifndef RINGWAY_BACKENDS_SIM_FILES_INODE_H_
#define RINGWAY_BACKENDS_SIM_FILES_INODE_H_

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "ringway/backends/sim/environment/description.h"
#include "ringway/backends/sim/files/file_content.h"
#include "ringway/backends/sim/files/file_locks.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::sim {

struct Inode;
using InodePtr = std::shared_ptr<Inode>;
using Entries = std::map<std::string, InodePtr>;

struct FileOwner {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct Inode {
  Inode(uint64_t n, mode_t m, SharedDisk& disk, MonotonicTime now)
      : number(n), mode(m), content(disk), modified(now), accessed(now) {}

  bool is_directory() const { return S_ISDIR(mode); }
  bool is_link() const { return S_ISLNK(mode); }
  bool is_file() const { return S_ISREG(mode); }
  bool is_socket() const { return S_ISSOCK(mode); }

  const uint64_t number;
  mode_t mode;
  FileOwner owner;
  uint32_t n_links = 0;
  FileContent content;                // files
  Entries entries;                    // directories, without "." and ".."
  std::weak_ptr<Inode> parent;        // directories; the root has none
  std::string target;                 // symbolic links
  std::weak_ptr<Description> socket;  // the socket bound to it
  MonotonicTime modified;
  MonotonicTime accessed;  // reads leave it (as with noatime)
  FileLocks locks;

  // Of the last fsync of this directory: see directory_journal.h for those
  // that a crash may add. Without an fsync a directory that survives is empty.
  Entries durable_entries;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_INODE_H_
