// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/file_lock.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "absl/time/time.h"
#include "ringway/backends/prepare.h"
#include "ringway/executor/task/sleep.h"

namespace ringway::fs {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(1);
constexpr absl::Duration kLongestPause = absl::Milliseconds(50);

}  // namespace

TryLockOp::TryLockOp(internal::FileCore* core, LockKind kind, int64_t offset,
                     int64_t n_bytes)
    : FileOp(core) {
  const int type = kind == LockKind::kShared ? F_RDLCK : F_WRLCK;
  if (usable()) PrepareLock(*this, core->fd(), type, offset, n_bytes);
}

absl::StatusOr<bool> TryLockOp::await_resume() const {
  if (usable() && result == -EAGAIN) return false;
  absl::Status status = Status("lock of");
  if (!status.ok()) return status;
  return true;
}

UnlockOp::UnlockOp(internal::FileCore* core, int64_t offset, int64_t n_bytes)
    : PlainFileOp(core, "unlock of") {
  if (usable()) PrepareLock(*this, core->fd(), F_UNLCK, offset, n_bytes);
}

Task<absl::Status> internal::WaitForLock(FileCore* core, LockKind kind,
                                         int64_t offset, int64_t n_bytes) {
  const Unusable why = LoopDependent::WhyUnusable(core, kFileHandle);
  if (why != Unusable::kNo) co_return UnusableStatus(why, "file");
  const FileCore::Use use(*core);
  absl::Duration pause = kFirstPause;
  while (true) {
    const absl::StatusOr<bool> locked =
        co_await TryLockOp(core, kind, offset, n_bytes);
    if (!locked.ok()) co_return locked.status();
    if (*locked) co_return absl::OkStatus();
    const absl::Status slept = co_await Sleep(pause);
    if (!slept.ok()) co_return slept;
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace ringway::fs
