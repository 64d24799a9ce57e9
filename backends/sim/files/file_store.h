// SPDX-License-Identifier: Apache-2.0
//
// FileStore: the file system of a simulated world, and its disk.
//
// Directories are "/" and below; the current directory is "/". There are no
// permissions: everybody is root.
//
// A crash takes back what was not made safe by fsync: of a file its content, of
// a directory its entries - names that were made, removed or renamed since the
// last fsync of the directory are as they were then. An fsync that failed has
// dropped what it was to make safe, and so say all later ones of that
// descriptor.

#ifndef RINGWAY_BACKENDS_SIM_FILES_FILE_STORE_H_
#define RINGWAY_BACKENDS_SIM_FILES_FILE_STORE_H_

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ringway/backends/sim/files/inode.h"
#include "ringway/backends/sim/files/path_walk.h"

namespace ringway::sim {

class Environment;
class OpenFile;

// A directory and a path from there. Null: "/".
struct FilePath {
  InodePtr directory;
  std::string_view path;
};

class FileStore {
 public:
  explicit FileStore(Environment& environment);
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;
  ~FileStore();

  // From here on 0 or -errno, as the system calls of these names.
  int Open(const FilePath& at, int flags, mode_t mode,
           std::shared_ptr<OpenFile>* out);
  int Stat(const FilePath& at, int flags, struct statx* out) const;
  int Rename(const FilePath& from, const FilePath& to, unsigned flags);
  int Unlink(const FilePath& at, int flags);
  int MakeDirectory(const FilePath& at, mode_t mode);
  int Link(const FilePath& from, const FilePath& to, int flags);
  int SymbolicLink(std::string_view target, const FilePath& at);
  // For Unix sockets: gives `owner` the name, and tells whose it is.
  int Bind(std::string_view path, const std::shared_ptr<Description>& owner);
  int FindBound(std::string_view path, std::shared_ptr<Description>* out) const;
  // 1 if the path is that of a socket that is gone, 0 if a socket is there, or
  // nothing, and -EEXIST if something else is.
  int IsStale(std::string_view path) const;

  // The power fails. What is open stays open, on what is left of it.
  void Crash();

  // Bytes the files may hold; see ENOSPC.
  void set_capacity(uint64_t n_bytes);

 private:
  PathEnd Walk(const FilePath& at, bool follow) const;
  // Where a new name may be made: not there yet, in a directory.
  PathEnd WalkToNew(const FilePath& at) const;
  InodePtr MakeInode(mode_t mode);
  void Enter(const InodePtr& directory, const std::string& name,
             const InodePtr& inode);
  void Remove(const InodePtr& directory, const std::string& name);
  int OpenExisting(const PathEnd& end, int flags) const;
  int CheckReplaced(const Inode& moved, const InodePtr& replaced) const;

  Environment& environment_;
  DiskSpace space_;
  uint64_t next_number_ = 2;
  InodePtr root_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_FILE_STORE_H_
