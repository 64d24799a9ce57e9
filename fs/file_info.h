// SPDX-License-Identifier: Apache-2.0
//
// FileInfo: what the file system knows of a file.

#ifndef RINGWAY_FS_FILE_INFO_H_
#define RINGWAY_FS_FILE_INFO_H_

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include <array>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "ringway/core/compiler.h"

namespace ringway::fs {

enum class FileType : uint8_t {
  kRegular,
  kDirectory,
  kSymbolicLink,
  kFifo,
  kSocket,
  kCharacterDevice,
  kBlockDevice,
  kUnknown,
};

struct FileInfo {
  FileInfo() {}

  FileType type = FileType::kUnknown;
  mode_t permissions = 0;  // the lower twelve bits of the mode
  int64_t size = 0;        // in bytes
  uint64_t allocated = 0;  // bytes that it takes on its device
  uint64_t links = 0;      // names that it has
  uid_t uid = 0;
  gid_t gid = 0;
  uint64_t device = 0;  // together with the inode it tells files apart
  uint64_t inode = 0;
  absl::Time modified;  // its content
  absl::Time changed;   // its content or what is here
  absl::Time accessed;
  std::optional<absl::Time> created;  // where the file system has it

  bool is_directory() const { return type == FileType::kDirectory; }
  bool is_regular() const { return type == FileType::kRegular; }
  bool is_symbolic_link() const { return type == FileType::kSymbolicLink; }
};

// What a file's times are set to; those that have no value stay.
struct FileTimes {
  FileTimes() {}

  std::optional<absl::Time> modified;
  std::optional<absl::Time> accessed;
};

namespace internal {

FileInfo MakeFileInfo(const struct statx& info);

// As utimensat(2) has them.
std::array<timespec, 2> AsTimespecs(const FileTimes& times);

// The type that an entry of a directory says, DT_REG etc.
FileType TypeOfEntry(unsigned char type);

}  // namespace internal
}  // namespace ringway::fs

#endif  // RINGWAY_FS_FILE_INFO_H_
