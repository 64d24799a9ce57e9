// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/direct/direct_ops.h"

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"

namespace ringway::fs::internal {

DirectTransfer::DirectTransfer(DirectCore* core, const std::byte* data,
                               size_t n_bytes, int64_t offset, Way way)
    : FileOp(core, &OnDone, &OnCancel),
      data_(const_cast<std::byte*>(data)),
      n_bytes_(n_bytes),
      offset_(offset),
      way_(way) {
  RINGWAY_CHECK(offset >= 0, "a transfer at offset %lld of a DirectFile",
                static_cast<long long>(offset));
  if (!usable()) return;
  misaligned_ = FindMisaligned();
  if (misaligned_ == Misaligned::kNo && n_bytes > 0) Prepare();
}

DirectTransfer::Misaligned DirectTransfer::FindMisaligned() const {
  const DirectAlignment& alignment = core().alignment();
  if (reinterpret_cast<uintptr_t>(data_) % alignment.memory != 0)
    return Misaligned::kMemory;
  if (offset_ % alignment.offset != 0) return Misaligned::kOffset;
  if (n_bytes_ % alignment.offset != 0) return Misaligned::kLength;
  return Misaligned::kNo;
}

absl::Status DirectTransfer::MisalignedStatus() const {
  const DirectAlignment& alignment = core().alignment();
  const std::string what =
      absl::StrCat("direct ", reads() ? "read of " : "write to ", core().path(),
                   " at offset ", offset_);
  switch (misaligned_) {
    case Misaligned::kNo:
      break;
    case Misaligned::kMemory:
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s: the memory at %p must be at a multiple of %d bytes", what,
          static_cast<const void*>(data_), alignment.memory));
    case Misaligned::kOffset:
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": the offset must be a multiple of ",
                       alignment.offset, " bytes"));
    case Misaligned::kLength:
      return absl::InvalidArgumentError(
          absl::StrCat(what, ": the length of ", n_bytes_,
                       " bytes must be a multiple of ", alignment.offset));
  }
  return absl::OkStatus();
}

void DirectTransfer::Prepare() {
  const size_t n = NextPiece(n_bytes_ - begin_, core().alignment().offset);
  const std::span<std::byte> piece(data_ + begin_, n);
  const int64_t offset = offset_ + static_cast<int64_t>(begin_);
  const int fd = core().fd();
  reads() ? PrepareRead(*this, fd, piece, offset, core().flags())
          : PrepareWrite(*this, fd, piece, offset, core().flags());
}

void DirectTransfer::OnDone(Runnable& entry) {
  DirectTransfer& self = static_cast<DirectTransfer&>(Of(entry));
  if (self.GoesOn()) return;
  self.core().CountEnd(self.reads());
  self.core().StartNext();
  self.Complete();
}

void DirectTransfer::OnCancel(Suspension& suspension) {
  DirectTransfer& self = static_cast<DirectTransfer&>(Of(suspension));
  if (!DirectCore::Waits(self)) return OperationAwait::OnCancel(suspension);
  self.Unlink();
  self.core().CountEnd(self.reads());
  self.CompleteUnstarted(-ECANCELED);
}

bool DirectTransfer::Continue() {
  Prepare();
  if (Restart()) return true;
  result = -ECANCELED;
  return false;
}

// After the end of an operation: true if there is a next one.
bool DirectTransfer::GoesOn() {
  if (result == -EINTR) return Continue();
  if (result == -EOPNOTSUPP && (flags & kMustPoll) != 0 &&
      core().StopPolling()) {
    return Continue();
  }
  if (result == 0 && !reads()) result = -ENOSPC;  // it would not go on
  if (result <= 0) return false;
  n_done_ = begin_ + static_cast<size_t>(result);
  if (n_done_ == n_bytes_) return false;
  // Only the end of the file ends a read elsewhere than at a multiple. A write
  // goes on where the last whole block ends.
  const size_t rest = n_done_ % core().alignment().offset;
  if (rest != 0 && reads()) return false;
  begin_ = n_done_ - rest;
  return Continue();
}

absl::Status DirectTransfer::Result() const {
  if (usable() && misaligned_ != Misaligned::kNo) return MisalignedStatus();
  if (usable() && result == -EOPNOTSUPP && core().must_poll()) {
    return absl::FailedPreconditionError(
        absl::StrCat("polling is required for ", core().path(),
                     ", but its device has no queues for that (NVMe has them "
                     "with the parameter nvme.poll_queues)"));
  }
  return Status(reads() ? "direct read of" : "direct write to",
                offset_ + static_cast<int64_t>(n_done_));
}

}  // namespace ringway::fs::internal
