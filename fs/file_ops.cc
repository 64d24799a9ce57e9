// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/file_ops.h"

#include <fcntl.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace ringway::fs {
namespace internal {

absl::Status EndsBefore(const FileCore& core, int64_t offset,
                        size_t n_missing) {
  return absl::OutOfRangeError(
      offset < 0 ? absl::StrCat("read of ", core.path(), ": it ends ",
                                n_missing, " bytes before what was asked for")
                 : absl::StrCat("read of ", core.path(), ": it ends at offset ",
                                offset, ", ", n_missing,
                                " bytes before what was asked for"));
}

}  // namespace internal

SyncOp::SyncOp(internal::FileCore* core, bool data_only) : FileOp(core) {
  if (!usable()) return;
  data_only ? PrepareFdatasync(*this, core->fd())
            : PrepareFsync(*this, core->fd());
}

bool SyncOp::await_ready() const noexcept {
  return usable() && !core().sync_failed().ok();
}

absl::Status SyncOp::await_resume() const {
  if (!usable()) return Status("sync of");
  if (!core().sync_failed().ok()) return core().sync_failed();
  absl::Status status = Status("sync of");
  if (!status.ok() && result != -ECANCELED) core().SetSyncFailed(status);
  return status;
}

TruncateOp::TruncateOp(internal::FileCore* core, int64_t n_bytes)
    : PlainFileOp(core, "truncate of") {
  if (usable()) PrepareTruncate(*this, core->fd(), n_bytes);
}

AllocateOp::AllocateOp(internal::FileCore* core, int mode, int64_t offset,
                       int64_t n_bytes)
    : PlainFileOp(core, "allocation for") {
  if (usable()) PrepareFallocate(*this, core->fd(), mode, offset, n_bytes);
}

AdviseOp::AdviseOp(internal::FileCore* core, int64_t offset, int64_t n_bytes,
                   int advice)
    : PlainFileOp(core, "advice on") {
  if (!usable()) return;
  const int64_t most = std::numeric_limits<uint32_t>::max();
  PrepareFadvise(*this, core->fd(), offset,
                 static_cast<uint32_t>(std::min(n_bytes, most)), advice);
}

SetFilePermissionsOp::SetFilePermissionsOp(internal::FileCore* core,
                                           mode_t permissions)
    : PlainFileOp(core, "chmod of") {
  if (usable()) PrepareChmod(*this, core->fd(), "", permissions, AT_EMPTY_PATH);
}

SetFileOwnerOp::SetFileOwnerOp(internal::FileCore* core, uid_t uid, gid_t gid)
    : PlainFileOp(core, "chown of") {
  if (usable()) PrepareChown(*this, core->fd(), "", uid, gid, AT_EMPTY_PATH);
}

SetFileTimesOp::SetFileTimesOp(internal::FileCore* core, const FileTimes& times)
    : PlainFileOp(core, "utimensat of"), times_(internal::AsTimespecs(times)) {
  if (usable()) PrepareSetTimes(*this, core->fd(), "", times_, AT_EMPTY_PATH);
}

StatOp::StatOp(internal::FileCore* core) : FileOp(core) {
  if (!usable()) return;
  PrepareStatx(*this, core->fd(), "", AT_EMPTY_PATH,
               STATX_BASIC_STATS | STATX_BTIME, &info_);
}

absl::StatusOr<FileInfo> StatOp::await_resume() const {
  absl::Status status = Status("stat of");
  if (!status.ok()) return status;
  return internal::MakeFileInfo(info_);
}

}  // namespace ringway::fs
