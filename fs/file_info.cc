// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/file_info.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace ringway::fs::internal {
namespace {

FileType TypeOf(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::kRegular;
    case S_IFDIR:
      return FileType::kDirectory;
    case S_IFLNK:
      return FileType::kSymbolicLink;
    case S_IFIFO:
      return FileType::kFifo;
    case S_IFSOCK:
      return FileType::kSocket;
    case S_IFCHR:
      return FileType::kCharacterDevice;
    case S_IFBLK:
      return FileType::kBlockDevice;
    default:
      return FileType::kUnknown;
  }
}

absl::Time TimeOf(const statx_timestamp& time) {
  return absl::FromUnixSeconds(time.tv_sec) + absl::Nanoseconds(time.tv_nsec);
}

timespec OrOmit(const std::optional<absl::Time>& time) {
  return time.has_value() ? absl::ToTimespec(*time) : timespec{0, UTIME_OMIT};
}

}  // namespace

FileInfo MakeFileInfo(const struct statx& info) {
  constexpr uint64_t kBlockBytes = 512;  // whatever stx_blksize says
  FileInfo file;
  file.type = TypeOf(info.stx_mode);
  file.permissions = info.stx_mode & 07777;
  file.size = static_cast<int64_t>(info.stx_size);
  file.allocated = info.stx_blocks * kBlockBytes;
  file.links = info.stx_nlink;
  file.uid = info.stx_uid;
  file.gid = info.stx_gid;
  file.device = makedev(info.stx_dev_major, info.stx_dev_minor);
  file.inode = info.stx_ino;
  file.modified = TimeOf(info.stx_mtime);
  file.changed = TimeOf(info.stx_ctime);
  file.accessed = TimeOf(info.stx_atime);
  if ((info.stx_mask & STATX_BTIME) != 0) file.created = TimeOf(info.stx_btime);
  return file;
}

std::array<timespec, 2> AsTimespecs(const FileTimes& times) {
  return {OrOmit(times.accessed), OrOmit(times.modified)};
}

FileType TypeOfEntry(unsigned char type) { return TypeOf(DTTOIF(type)); }

}  // namespace ringway::fs::internal
