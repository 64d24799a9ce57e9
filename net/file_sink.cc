// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/file_sink.h"

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"

namespace ringway::net {

FileWriteOp::FileWriteOp(FileSink& sink, std::span<const std::byte> bytes)
    : OperationAwait(&OnDone),
      sink_(sink),
      own_part_(bytes),
      left_(std::span(&own_part_, 1)) {
  Prepare();
}

FileWriteOp::FileWriteOp(FileSink& sink,
                         std::span<const std::span<const std::byte>> parts)
    : OperationAwait(&OnDone), sink_(sink), left_(parts) {
  Prepare();
}

void FileWriteOp::Prepare() {
  if (left_.empty()) return;
  PrepareWrite(*this, sink_.file_, left_.Rest(0), sink_.offset_);
}

void FileWriteOp::OnDone(Runnable& entry) {
  FileWriteOp& self = static_cast<FileWriteOp&>(Of(entry));
  if (self.result == 0) self.result = -ENOSPC;  // it would not go on
  if (self.result > 0) {
    self.sink_.offset_ += self.result;
    self.left_.Skip(static_cast<size_t>(self.result));
    if (!self.left_.empty()) {
      self.Prepare();
      if (self.Restart()) return;
      self.result = -ECANCELED;
    }
  }
  self.Complete();
}

absl::Status FileWriteOp::await_resume() const {
  if (result >= 0) return absl::OkStatus();
  if (result == -ECANCELED) return CancelledStatus();
  return ErrnoToStatus(-result, absl::StrCat("write to a file, fd ", fd,
                                             ", at offset ", sink_.offset_));
}

}  // namespace ringway::net
