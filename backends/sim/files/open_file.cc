// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/files/open_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "ringway/backends/prepare.h"
#include "ringway/backends/sim/environment/environment.h"

namespace ringway::sim {
namespace {

// Writes an entry as getdents64(2) has it. Its length; 0 without room for it.
size_t WriteEntry(std::span<std::byte> to, const std::string& name,
                  const Inode& inode, int64_t next) {
  constexpr size_t kName = offsetof(dirent64, d_name);
  constexpr size_t kAlign = alignof(dirent64);
  const size_t length =
      (kName + name.size() + 1 + kAlign - 1) / kAlign * kAlign;
  if (length > to.size()) return 0;
  dirent64 entry = {};
  entry.d_ino = inode.number;
  entry.d_off = next;
  entry.d_reclen = static_cast<uint16_t>(length);
  entry.d_type = static_cast<uint8_t>(IFTODT(inode.mode));
  memset(to.data(), 0, length);
  memcpy(to.data(), &entry, kName);
  memcpy(to.data() + kName, name.data(), name.size());
  return length;
}

}  // namespace

OpenFile::OpenFile(Environment& environment, DirectoryJournal& journal,
                   InodePtr inode, int flags)
    : Description(environment),
      journal_(journal),
      inode_(std::move(inode)),
      flags_(flags) {}

OpenFile::~OpenFile() { inode_->locks.ReleaseAll(this); }

std::string_view OpenFile::kind() const {
  return inode_->is_directory() ? "directory" : "file";
}

uint32_t OpenFile::Ready() { return POLLIN | POLLOUT; }

bool OpenFile::writable() const { return (flags_ & O_ACCMODE) != O_RDONLY; }

bool OpenFile::appends() const { return (flags_ & O_APPEND) != 0; }

int64_t OpenFile::PositionOr(int64_t offset) const {
  return offset == kCurrentPosition ? position_ : offset;
}

bool OpenFile::IsMisaligned(const Buffers& buffers, int64_t offset) const {
  return (flags_ & O_DIRECT) != 0 && (offset % kDirectAlignment != 0 ||
                                      !buffers.aligned_to(kDirectAlignment));
}

size_t OpenFile::Shortened(size_t n_bytes) const {
  const size_t unit = (flags_ & O_DIRECT) != 0 ? kDirectAlignment : 1;
  return (n_bytes + unit - 1) / unit * unit;
}

int64_t OpenFile::Read(Buffers& to, int64_t offset) {
  if ((flags_ & O_ACCMODE) == O_WRONLY) return -EBADF;
  if (inode_->is_directory()) return -EISDIR;
  if (offset < kCurrentPosition) return -EINVAL;
  const int64_t from = offset == kCurrentPosition ? position_ : offset;
  if (IsMisaligned(to, from)) return -EINVAL;
  const size_t n = inode_->content.Read(to, static_cast<uint64_t>(from));
  if (offset == kCurrentPosition) position_ += static_cast<int64_t>(n);
  return static_cast<int64_t>(n);
}

int64_t OpenFile::Write(Buffers& from, int64_t offset) {
  if (!writable()) return -EBADF;
  if (offset < kCurrentPosition) return -EINVAL;
  int64_t to = offset == kCurrentPosition ? position_ : offset;
  if (appends()) {
    to = static_cast<int64_t>(inode_->content.size());
  }
  if (IsMisaligned(from, to)) return -EINVAL;
  const size_t wanted = from.left();
  const size_t n = inode_->content.Write(from, static_cast<uint64_t>(to));
  if (n == 0 && wanted > 0) return -ENOSPC;
  inode_->modified = environment().now();
  if ((flags_ & O_DSYNC) != 0) inode_->content.Sync();
  if (offset == kCurrentPosition) position_ = to + static_cast<int64_t>(n);
  return static_cast<int64_t>(n);
}

int64_t OpenFile::Sync() {
  if (sync_error_ != 0) return -sync_error_;
  if (inode_->is_directory()) {
    journal_.Sync(inode_);
  } else {
    inode_->content.Sync();
  }
  return 0;
}

void OpenFile::FailSync(int error) {
  sync_error_ = error;
  if (inode_->is_file()) inode_->content.DropUnsynced();
}

int64_t OpenFile::Allocate(int mode, int64_t offset, int64_t n_bytes) {
  if (!writable()) return -EBADF;
  if (offset < 0 || n_bytes <= 0) return -EINVAL;
  const uint64_t from = static_cast<uint64_t>(offset);
  const uint64_t length = static_cast<uint64_t>(n_bytes);
  FileContent& content = inode_->content;
  switch (mode) {
    case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
      content.PunchHole(from, length);
      return 0;
    case FALLOC_FL_KEEP_SIZE:
      return content.Allocate(from, length) ? 0 : -ENOSPC;
    case 0:
      if (!content.Allocate(from, length)) return -ENOSPC;
      if (content.size() < from + length) content.Truncate(from + length);
      return 0;
    default:
      return -EOPNOTSUPP;
  }
}

int64_t OpenFile::Truncate(int64_t n_bytes) {
  if (!writable() || !inode_->is_file() || n_bytes < 0) return -EINVAL;
  inode_->content.Truncate(static_cast<uint64_t>(n_bytes));
  inode_->modified = environment().now();
  return 0;
}

int64_t OpenFile::Lock(int type, int64_t offset, int64_t n_bytes) {
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  if (offset < 0 || n_bytes < 0) return -EINVAL;
  const int64_t end =
      n_bytes == 0 || n_bytes > kEnd - offset ? kEnd : offset + n_bytes;
  const bool reads = (flags_ & O_ACCMODE) != O_WRONLY;
  if (type == F_RDLCK && !reads) return -EBADF;
  if (type == F_WRLCK && !writable()) return -EBADF;
  return inode_->locks.Set(this, type, offset, end);
}

int64_t OpenFile::Seek(int64_t offset, int whence) {
  const int64_t found = Find(offset, whence);
  if (found < 0) return found;
  position_ = found;
  return found;
}

int64_t OpenFile::Find(int64_t offset, int whence) const {
  const int64_t size = static_cast<int64_t>(inode_->content.size());
  switch (whence) {
    case SEEK_SET:
      return offset < 0 ? -EINVAL : offset;
    case SEEK_CUR:
      return position_ + offset < 0 ? -EINVAL : position_ + offset;
    case SEEK_END:
      return size + offset < 0 ? -EINVAL : size + offset;
    case SEEK_DATA:
    case SEEK_HOLE:
      break;
    default:
      return -EINVAL;
  }
  if (offset < 0 || offset >= size) return -ENXIO;
  const uint64_t from = static_cast<uint64_t>(offset);
  const uint64_t to = whence == SEEK_DATA ? inode_->content.NextData(from)
                                          : inode_->content.NextHole(from);
  const bool no_data = whence == SEEK_DATA && to == inode_->content.size();
  return no_data ? -ENXIO : static_cast<int64_t>(to);
}

// --- Reading directories

// The entry after last_entry_; position_ counts those that were read.
bool OpenFile::NextEntry(std::string& name, InodePtr& inode) const {
  if (position_ < 2) {
    const InodePtr parent = inode_->parent.lock();
    name = position_ == 0 ? "." : "..";
    inode = position_ == 0 || parent == nullptr ? inode_ : parent;
    return true;
  }
  const Entries& entries = inode_->entries;
  const auto next =
      position_ == 2 ? entries.begin() : entries.upper_bound(last_entry_);
  if (next == entries.end()) return false;
  name = next->first;
  inode = next->second;
  return true;
}

int64_t OpenFile::ReadEntries(std::span<std::byte> to) {
  if (!inode_->is_directory()) return -ENOTDIR;
  if (inode_->n_links < 2) return -ENOENT;  // it was removed
  size_t n_bytes = 0;
  std::string name;
  InodePtr inode;
  while (NextEntry(name, inode)) {
    const size_t n =
        WriteEntry(to.subspan(n_bytes), name, *inode, position_ + 1);
    if (n == 0 && n_bytes == 0) return -EINVAL;
    if (n == 0) break;
    n_bytes += n;
    if (++position_ > 2) last_entry_ = name;
  }
  return static_cast<int64_t>(n_bytes);
}

}  // namespace ringway::sim
