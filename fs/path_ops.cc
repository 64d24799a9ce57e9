// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/path_ops.h"

#include <limits.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/fs/path_names.h"

namespace ringway::fs {
namespace internal {

PathOp::PathOp(const char* call, NamedPath first, NamedPath second)
    : OperationAwait(&OnDone, &OnCancel, &Describe),
      call_(call),
      first_(std::move(first)),
      second_(std::move(second)),
      has_nul_(HasNul(first_.path) || HasNul(second_.path)) {}

std::string PathOp::What() const {
  return second_.path.empty()
             ? absl::StrCat(call_, " ", first_.name())
             : absl::StrCat(call_, " ", first_.name(), " to ", second_.name());
}

std::string PathOp::Describe(const Suspension& suspension) {
  const OperationAwait& op = static_cast<const OperationAwait&>(suspension);
  return static_cast<const PathOp&>(op).What();
}

absl::Status PathOp::Status() const {
  if (has_nul_) {
    return absl::InvalidArgumentError(
        absl::StrCat(call_, " a path with a NUL byte"));
  }
  if (result >= 0) return absl::OkStatus();
  if (result == -ECANCELED) return CancelledStatus();
  return ErrnoToStatus(-result, What());
}

StatPathOp::StatPathOp(int directory, NamedPath path, int flags)
    : PathOp("stat of", std::move(path)) {
  PrepareStatx(*this, directory, first(), flags,
               STATX_BASIC_STATS | STATX_BTIME, &info_);
}

absl::StatusOr<FileInfo> StatPathOp::await_resume() const {
  absl::Status status = Status();
  if (!status.ok()) return status;
  return MakeFileInfo(info_);
}

}  // namespace internal

RenameOp::RenameOp(int from_directory, internal::NamedPath from,
                   int to_directory, internal::NamedPath to, unsigned flags)
    : PathOp("rename of", std::move(from), std::move(to)) {
  PrepareRename(*this, from_directory, first(), to_directory, second(), flags);
}

RemoveOp::RemoveOp(int directory, internal::NamedPath path, bool is_directory)
    : PathOp("removal of", std::move(path)) {
  is_directory ? PrepareRmdir(*this, directory, first())
               : PrepareUnlink(*this, directory, first());
}

MakeDirectoryOp::MakeDirectoryOp(int directory, internal::NamedPath path,
                                 mode_t mode)
    : PathOp("mkdir of", std::move(path)) {
  PrepareMkdir(*this, directory, first(), mode);
}

LinkOp::LinkOp(int from_directory, internal::NamedPath existing,
               int to_directory, internal::NamedPath path)
    : PathOp("link of", std::move(existing), std::move(path)) {
  PrepareLink(*this, from_directory, first(), to_directory, second());
}

SymlinkOp::SymlinkOp(std::string target, int directory,
                     internal::NamedPath path)
    : PathOp("symbolic link of", std::move(target), std::move(path)) {
  PrepareSymlink(*this, first(), directory, second());
}

ReadLinkOp::ReadLinkOp(int directory, internal::NamedPath path)
    : PathOp("readlink of", std::move(path)), target_(PATH_MAX, '\0') {
  PrepareReadLink(*this, directory, first(), target_);
}

absl::StatusOr<std::string> ReadLinkOp::await_resume() {
  absl::Status status = Status();
  if (!status.ok()) return status;
  target_.resize(static_cast<size_t>(result));
  return std::move(target_);
}

SetPermissionsOp::SetPermissionsOp(int directory, internal::NamedPath path,
                                   mode_t permissions)
    : PathOp("chmod of", std::move(path)) {
  PrepareChmod(*this, directory, first(), permissions);
}

SetOwnerOp::SetOwnerOp(int directory, internal::NamedPath path, uid_t uid,
                       gid_t gid, int flags)
    : PathOp("chown of", std::move(path)) {
  PrepareChown(*this, directory, first(), uid, gid, flags);
}

SetTimesOp::SetTimesOp(int directory, internal::NamedPath path,
                       const FileTimes& times, int flags)
    : PathOp("utimensat of", std::move(path)),
      times_(internal::AsTimespecs(times)) {
  PrepareSetTimes(*this, directory, first(), times_, flags);
}

}  // namespace ringway::fs
