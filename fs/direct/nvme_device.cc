// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/direct/nvme_device.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/prepare.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::fs {
namespace {

absl::Status CheckBackend(const Backend& backend) {
  const size_t room = backend.info().command_bytes;
  if (room == 0) {
    return absl::UnimplementedError(absl::StrCat(
        "NVMe commands need io_uring of Linux 5.19 or later, which "
        "the backend (",
        backend.name(), ") has not"));
  }
  if (room < sizeof(NvmeCommand)) {
    return absl::FailedPreconditionError(
        absl::StrCat("NVMe commands have ", sizeof(NvmeCommand),
                     " bytes, the ring's entries room for ", room,
                     ": set UringOptions::large_entries"));
  }
  return absl::OkStatus();
}

}  // namespace

NvmeOp::NvmeOp(internal::FileCore* core, const NvmeCommand& command)
    : FileOp(core), command_(command) {
  if (!usable()) return;
  refusal_ = CheckBackend(core->loop().backend());
  if (refusal_.ok())
    PrepareUringCommand(*this, core->fd(), kNvmeIo, BytesOf(command_));
}

absl::Status NvmeOp::await_resume() const {
  if (!usable()) return Status("NVMe command for");
  if (!refusal_.ok()) return refusal_;
  if (result > 0) {
    return absl::InternalError(absl::StrCat("NVMe command for ", core().path(),
                                            ": status ", result,
                                            " of the device"));
  }
  if (result == -EOPNOTSUPP || result == -ENOTTY) {
    return absl::FailedPreconditionError(absl::StrCat(
        core().path(),
        " takes no NVMe commands: they are for the character device of a "
        "namespace, such as /dev/ng0n1"));
  }
  return Status("NVMe command for");
}

Task<absl::StatusOr<NvmeDevice>> NvmeDevice::Open(std::string path) {
  OpenOptions options;
  options.write = true;
  absl::StatusOr<File> file = co_await File::Open(path, options);
  if (!file.ok()) co_return file.status();
  const absl::Status usable = CheckBackend(file->core_->loop().backend());
  if (!usable.ok()) co_return usable;
  co_return NvmeDevice(*std::move(file));
}

}  // namespace ringway::fs
