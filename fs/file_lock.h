// SPDX-License-Identifier: Apache-2.0
//
// What locking a File gives: File::TryLock(), Lock(), Unlock().

#ifndef RINGWAY_FS_FILE_LOCK_H_
#define RINGWAY_FS_FILE_LOCK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file_core.h"
#include "ringway/fs/file_ops.h"

namespace ringway::fs {

enum class LockKind : uint8_t {
  kShared,     // others may have shared ones
  kExclusive,  // others have none
};

class [[nodiscard]] TryLockOp : public internal::FileOp {
 public:
  TryLockOp(internal::FileCore* core, LockKind kind, int64_t offset,
            int64_t n_bytes);
  absl::StatusOr<bool> await_resume() const;
};

class [[nodiscard]] UnlockOp : public internal::PlainFileOp {
 public:
  UnlockOp(internal::FileCore* core, int64_t offset, int64_t n_bytes);
};

namespace internal {

// Cancellation: at any time; it has no lock then.
Task<absl::Status> WaitForLock(FileCore* core, LockKind kind, int64_t offset,
                               int64_t n_bytes);

}  // namespace internal
}  // namespace ringway::fs

#endif  // RINGWAY_FS_FILE_LOCK_H_
