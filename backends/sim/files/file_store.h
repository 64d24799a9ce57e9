// SPDX-License-Identifier: Apache-2.0
//
// FileStore: the file system of a simulated world, and its disk.
//
// Directories are "/" and below; the current directory is "/". There are no
// permissions: every process is root.
//
// An fsync or fdatasync of a file makes its content durable, but not its name:
// that takes an fsync of the directory. Of everything since then a crash leaves
// what a seed draws: of a write each sector or not, of a file's growth the size
// without the bytes or neither, of operations on names any part that
// directory_journal.h allows. A failed fsync drops the data that it should
// have made durable, and all later ones of that descriptor fail too.

#ifndef RINGWAY_BACKENDS_SIM_FILES_FILE_STORE_H_
#define RINGWAY_BACKENDS_SIM_FILES_FILE_STORE_H_

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ringway/backends/sim/files/directory_journal.h"
#include "ringway/backends/sim/files/inode.h"
#include "ringway/backends/sim/files/path_walk.h"

struct open_how;  // <linux/openat2.h>
struct statfs;    // <sys/vfs.h>

namespace ringway::sim {

class Environment;
class OpenFile;

// A directory and a path relative to it. Null: "/".
struct FilePath {
  InodePtr directory;
  std::string_view path;
};

// What a file system makes of O_DIRECT.
enum class DirectIo : uint8_t {
  kAligned,     // OpenFile::kDirectAlignment, which statx reports
  kUnreported,  // the same, on a kernel before 6.1
  kRefused,     // an open is EINVAL
  kIgnored,     // as on tmpfs: nothing has to be aligned
};

class FileStore {
 public:
  explicit FileStore(Environment& environment);
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;
  ~FileStore();

  // The following return 0 or -errno, like the system calls of these names.
  int Open(const FilePath& at, int flags, mode_t mode,
           std::shared_ptr<OpenFile>* out);
  int OpenResolving(const FilePath& at, const open_how& how,
                    std::shared_ptr<OpenFile>* out);
  int Stat(const FilePath& at, int flags, struct statx* out) const;
  int Rename(const FilePath& from, const FilePath& to, unsigned flags);
  int Unlink(const FilePath& at, int flags);
  int MakeDirectory(const FilePath& at, mode_t mode);
  int Link(const FilePath& from, const FilePath& to, int flags);
  int SymbolicLink(std::string_view target, const FilePath& at);
  int SetMode(const FilePath& at, mode_t mode, int flags);
  int SetOwner(const FilePath& at, FileOwner owner, int flags);
  int SetTimes(const FilePath& at, const timespec* times, int flags);
  int Access(const FilePath& at, int mode, int flags) const;
  int StatFs(const FilePath& at, struct statfs* out) const;
  // The length of the path, or -errno.
  int RealPath(const FilePath& at, std::span<char> resolved) const;
  // The length of the target, or -errno.
  int ReadLink(const FilePath& at, std::span<char> target) const;
  // For Unix sockets: binds the name to `owner`, and looks up the owner.
  int Bind(std::string_view path, const std::shared_ptr<Description>& owner);
  int FindBound(std::string_view path, std::shared_ptr<Description>* out) const;
  // 1 if the path is that of a closed socket, 0 if it is that of an open
  // socket or does not exist, -EEXIST if it is another file.
  int IsStale(std::string_view path) const;

  // Simulates a power failure that leaves nothing but what is durable, or a
  // part of the rest, which the seed determines. Open files stay open, on
  // their remaining content: see World::Crash().
  void Crash();
  void Crash(uint64_t seed);

  // The capacity for file content; beyond it writes fail with ENOSPC.
  void set_capacity(uint64_t n_bytes);

  void set_direct_io(DirectIo direct_io) { direct_io_ = direct_io; }

 private:
  PathEnd Walk(const FilePath& at, bool follow, uint64_t resolve = 0) const;
  // What AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW in `flags` make of the path.
  int Find(const FilePath& at, int flags, InodePtr* out) const;
  void SetTime(MonotonicTime& time, const timespec& to) const;
  int Open(const FilePath& at, int flags, mode_t mode, uint64_t resolve,
           std::shared_ptr<OpenFile>* out);
  // Resolves the path of a new name, which must not exist yet.
  PathEnd WalkToNew(const FilePath& at) const;
  InodePtr MakeInode(mode_t mode);
  // `name` in `directory` becomes `inode`; nothing with null.
  void SetEntry(const InodePtr& directory, const std::string& name,
                const InodePtr& inode);
  // The same as an operation of its own.
  void Enter(const InodePtr& directory, const std::string& name,
             const InodePtr& inode);
  void Restart();
  int OpenExisting(const PathEnd& end, int flags) const;
  void Describe(const Inode& inode, struct statx* out) const;
  int CheckReplaced(const Inode& moved, const InodePtr& replaced) const;

  Environment& environment_;
  SharedDisk disk_;
  DirectIo direct_io_ = DirectIo::kAligned;
  DirectoryJournal journal_;
  uint64_t next_number_ = 2;
  InodePtr root_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_FILE_STORE_H_
