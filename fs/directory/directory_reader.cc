// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/directory/directory_reader.h"

#include <dirent.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"

namespace ringway::fs {
namespace internal {
namespace {

// The entry at `at`; a copy, as its declared size goes beyond its end.
struct RawEntry {
  explicit RawEntry(const std::byte* at)
      : name(reinterpret_cast<const char*>(at) + offsetof(dirent64, d_name)) {
    memcpy(&inode, at + offsetof(dirent64, d_ino), sizeof(inode));
    memcpy(&length, at + offsetof(dirent64, d_reclen), sizeof(length));
    memcpy(&type, at + offsetof(dirent64, d_type), sizeof(type));
  }
  bool is_dots() const { return name == "." || name == ".."; }

  uint64_t inode;
  uint16_t length;
  unsigned char type;
  std::string_view name;
};

}  // namespace

void EntryBuffer::Fill(size_t n_bytes) {
  begin_ = 0;
  end_ = n_bytes;
  SkipDots();
}

DirectoryEntry EntryBuffer::Take() {
  const RawEntry raw(&bytes_[begin_]);
  DirectoryEntry entry;
  entry.name = raw.name;
  entry.type = TypeOfEntry(raw.type);
  entry.inode = raw.inode;
  begin_ += raw.length;
  SkipDots();
  return entry;
}

void EntryBuffer::SkipDots() {
  while (!empty()) {
    const RawEntry raw(&bytes_[begin_]);
    if (!raw.is_dots()) return;
    begin_ += raw.length;
  }
}

}  // namespace internal

NextEntryOp::NextEntryOp(internal::FileCore* core,
                         std::shared_ptr<internal::EntryBuffer> buffer)
    : FileOp(core, &OnDone), buffer_(std::move(buffer)) {
  if (!usable()) return;
  RINGWAY_CHECK(!std::exchange(buffer_->in_use, true),
                "two tasks read the entries of %s at a time",
                core->path().c_str());
  if (buffer_->empty()) PrepareGetDents(*this, core->fd(), buffer_->room());
}

NextEntryOp::~NextEntryOp() {
  if (usable()) buffer_->in_use = false;
}

void NextEntryOp::OnDone(Runnable& entry) {
  NextEntryOp& self = static_cast<NextEntryOp&>(Of(entry));
  if (!self.GoesOn()) self.Complete();
}

bool NextEntryOp::GoesOn() {
  if (result == -ENOENT) result = 0;  // it was removed: nothing follows
  if (result <= 0) return false;
  buffer_->Fill(static_cast<size_t>(result));
  if (!buffer_->empty()) return false;
  PrepareGetDents(*this, core().fd(), buffer_->room());
  if (Restart()) return true;
  result = -ECANCELED;
  return false;
}

absl::StatusOr<std::optional<DirectoryEntry>> NextEntryOp::await_resume() {
  if (usable() && !buffer_->empty()) return buffer_->Take();
  absl::Status status = Status("reading of");
  if (!status.ok()) return status;
  return std::optional<DirectoryEntry>();
}

DirectoryReader::DirectoryReader(File directory)
    : file_(std::move(directory)),
      buffer_(std::make_shared<internal::EntryBuffer>()) {}

DirectoryReader DirectoryReader::Of(File directory) {
  return DirectoryReader(std::move(directory));
}

Task<absl::StatusOr<DirectoryReader>> ReadDirectory(std::string path) {
  OpenOptions options;
  options.directory = true;
  absl::StatusOr<File> directory =
      co_await File::Open(std::move(path), options);
  if (!directory.ok()) co_return directory.status();
  co_return DirectoryReader::Of(*std::move(directory));
}

}  // namespace ringway::fs
