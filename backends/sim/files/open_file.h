// SPDX-License-Identifier: Apache-2.0
//
// OpenFile: an open file or directory, with its position and flags.

#ifndef RINGWAY_BACKENDS_SIM_FILES_OPEN_FILE_H_
#define RINGWAY_BACKENDS_SIM_FILES_OPEN_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ringway/backends/sim/environment/description.h"
#include "ringway/backends/sim/files/directory_journal.h"
#include "ringway/backends/sim/files/inode.h"

namespace ringway::sim {

class OpenFile final : public Description {
 public:
  // `journal`, of its file store, must outlive it.
  OpenFile(Environment& environment, DirectoryJournal& journal, InodePtr inode,
           int flags);
  // Releases its locks.
  ~OpenFile() override;

  std::string_view kind() const override;
  uint32_t Ready() override;
  int64_t Read(Buffers& to, int64_t offset) override;
  int64_t Write(Buffers& from, int64_t offset) override;
  OpenFile* AsFile() override { return this; }

  // 0 or -errno, as the system calls.
  int64_t Sync();
  int64_t Allocate(int mode, int64_t offset, int64_t n_bytes);
  int64_t Truncate(int64_t n_bytes);
  int64_t Lock(int type, int64_t offset, int64_t n_bytes);

  // The new position, or -errno.
  int64_t Seek(int64_t offset, int whence);

  // Writes the next entries of a directory as getdents64(2) does. Bytes, 0 at
  // the end, or -errno. Entries that stay meanwhile are returned once.
  int64_t ReadEntries(std::span<std::byte> to);

  // With O_DIRECT, of memory, offset and length: -EINVAL otherwise.
  static constexpr uint32_t kDirectAlignment = 512;

  // A transfer that a fault makes `n_bytes` long: with O_DIRECT only whole
  // blocks are missing.
  size_t Shortened(size_t n_bytes) const;

  // Simulates a failed fsync: unsynced data is dropped, and every later
  // Sync() fails.
  void FailSync(int error);

  const InodePtr& inode() const { return inode_; }
  int64_t position() const { return position_; }
  void set_position(int64_t offset) { position_ = offset; }
  int64_t PositionOr(int64_t offset) const;
  bool writable() const;
  bool appends() const;

 private:
  int64_t Find(int64_t offset, int whence) const;
  bool NextEntry(std::string& name, InodePtr& inode) const;
  bool IsMisaligned(const Buffers& buffers, int64_t offset) const;

  DirectoryJournal& journal_;
  const InodePtr inode_;
  const int flags_;
  int64_t position_ = 0;
  int sync_error_ = 0;
  std::string last_entry_;  // of a directory that is being read
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_OPEN_FILE_H_
