// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/file.h"

#include <fcntl.h>

#include <cerrno>
#include <new>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"

namespace ringway::fs {
namespace {

using internal::FileCore;
using internal::kFileHandle;
using internal::ReadTransfer;
using internal::Until;
using internal::WriteTransfer;

int64_t CheckOffset(int64_t offset) {
  RINGWAY_CHECK(offset >= 0, "a transfer at offset %lld of a File",
                static_cast<long long>(offset));
  return offset;
}

}  // namespace

OpenOp::OpenOp(int directory, std::string path, const OpenOptions& options)
    : OpeningAwait(&OnDone, &OnCancel, &Describe),
      path_(std::move(path)),
      has_nul_(path_.find('\0') != std::string::npos) {
  PrepareOpenAt(*this, directory, path_.c_str(), options.Flags(), options.mode);
}

std::string OpenOp::Describe(const Suspension& suspension) {
  const OperationAwait& op = static_cast<const OperationAwait&>(suspension);
  return absl::StrCat("open of ", static_cast<const OpenOp&>(op).path_);
}

absl::StatusOr<File> OpenOp::await_resume() {
  if (has_nul_)
    return absl::InvalidArgumentError("open of a path with a NUL byte");
  if (result == -ECANCELED) return CancelledStatus();
  if (result < 0)
    return ErrnoToStatus(-result, absl::StrCat("open of ", path_));
  try {
    return File(TakeCore(path_));
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "open");
  }
}

CloseOp::CloseOp(std::unique_ptr<FileCore> core)
    : Wait("the close of a file"),
      core_(std::move(core)),
      unusable_(LoopDependent::WhyUnusable(core_.get(), kFileHandle)),
      path_(core_ != nullptr ? core_->path() : std::string()) {}

CloseOp::~CloseOp() {
  LeaveIfWaiting();
  if (core_ != nullptr) FileCore::Abandon(std::move(core_));
}

CloseOp::WaitEnd CloseOp::Admit() {
  if (unusable_ != Unusable::kNo) return WaitEnd::kUnusable;
  core_->CheckAwaitedOn(task().loop(), kFileHandle);
  return WaitEnd::kWaiting;
}

CloseOp::WaitEnd CloseOp::Begin() {
  closing_ = core_.get();
  on_closed = &OnClosed;
  FileCore::Abandon(std::move(core_), this);
  return WaitEnd::kWaiting;
}

bool CloseOp::Leave() {
  closing_->ForgetCloser();
  return true;
}

void CloseOp::OnClosed(Closer& closer, int32_t result) {
  CloseOp& self = static_cast<CloseOp&>(closer);
  self.result_ = result;
  self.Complete(WaitEnd::kServed);
}

absl::Status CloseOp::await_resume() const {
  if (unusable_ != Unusable::kNo) return UnusableStatus(unusable_, "file");
  if (!served()) return status();
  if (result_ == 0) return absl::OkStatus();
  return ErrnoToStatus(-result_, absl::StrCat("close of ", path_));
}

OpenOp File::Open(std::string path, const OpenOptions& options) {
  return OpenOp(AT_FDCWD, std::move(path), options);
}

File File::Adopt(Loop& loop, UniqueFd fd, std::string name) {
  auto core = std::make_unique<FileCore>(loop, fd.get(), std::move(name));
  static_cast<void>(fd.Release());
  return File(std::move(core));
}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (core_ != nullptr) FileCore::Abandon(std::move(core_));
    core_ = std::move(other.core_);
  }
  return *this;
}

File::~File() {
  if (core_ != nullptr) FileCore::Abandon(std::move(core_));
}

ReadTransfer<Until::kOnce> File::ReadAt(std::span<std::byte> buffer,
                                        int64_t offset) {
  return {core_.get(), buffer, CheckOffset(offset)};
}
ReadTransfer<Until::kOnce> File::Read(std::span<std::byte> buffer) {
  return {core_.get(), buffer, kCurrentPosition};
}
ReadTransfer<Until::kAll> File::ReadExactlyAt(std::span<std::byte> buffer,
                                              int64_t offset) {
  return {core_.get(), buffer, CheckOffset(offset)};
}
ReadTransfer<Until::kAll> File::ReadExactly(std::span<std::byte> buffer) {
  return {core_.get(), buffer, kCurrentPosition};
}
WriteTransfer<Until::kOnce> File::WriteAt(std::span<const std::byte> bytes,
                                          int64_t offset) {
  return {core_.get(), bytes, CheckOffset(offset)};
}
WriteTransfer<Until::kOnce> File::Write(std::span<const std::byte> bytes) {
  return {core_.get(), bytes, kCurrentPosition};
}
WriteTransfer<Until::kAll> File::WriteAllAt(std::span<const std::byte> bytes,
                                            int64_t offset) {
  return {core_.get(), bytes, CheckOffset(offset)};
}
WriteTransfer<Until::kAll> File::WriteAll(std::span<const std::byte> bytes) {
  return {core_.get(), bytes, kCurrentPosition};
}

ReadTransfer<Until::kOnce, true> File::ReadvAt(
    std::span<const std::span<std::byte>> buffers, int64_t offset) {
  return {core_.get(), buffers, CheckOffset(offset)};
}
ReadTransfer<Until::kAll, true> File::ReadvExactlyAt(
    std::span<const std::span<std::byte>> buffers, int64_t offset) {
  return {core_.get(), buffers, CheckOffset(offset)};
}
WriteTransfer<Until::kAll, true> File::WritevAllAt(
    std::span<const std::span<const std::byte>> parts, int64_t offset) {
  return {core_.get(), parts, CheckOffset(offset)};
}
WriteTransfer<Until::kAll, true> File::WritevAll(
    std::span<const std::span<const std::byte>> parts) {
  return {core_.get(), parts, kCurrentPosition};
}

int File::fd() const {
  const Unusable why = LoopDependent::WhyUnusable(core_.get(), kFileHandle);
  return why == Unusable::kNo ? core_->fd() : -1;
}

const std::string& File::path() const {
  static const std::string none;
  return core_ != nullptr ? core_->path() : none;
}

}  // namespace ringway::fs
