// SPDX-License-Identifier: Apache-2.0
//
// FileLocks: the locks of one file, of bytes of it, each of which belongs to an
// open file description (F_OFD_SETLK in fcntl(2)).

#ifndef RINGWAY_BACKENDS_SIM_FILES_FILE_LOCKS_H_
#define RINGWAY_BACKENDS_SIM_FILES_FILE_LOCKS_H_

#include <cstdint>
#include <vector>

namespace ringway::sim {

class OpenFile;

class FileLocks {
 public:
  // Sets what `owner` holds of the bytes from `begin` to before `end` to
  // `type`: F_RDLCK, F_WRLCK or F_UNLCK. 0; -EAGAIN if another owner's lock is
  // in conflict; -EINVAL.
  int Set(const OpenFile* owner, int type, int64_t begin, int64_t end);

  void ReleaseAll(const OpenFile* owner);

 private:
  struct Lock {
    const OpenFile* owner;
    int type;
    int64_t begin;
    int64_t end;
  };

  bool Conflicts(const Lock& wanted) const;

  std::vector<Lock> locks_;  // those of one owner do not overlap
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_FILE_LOCKS_H_
