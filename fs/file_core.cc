// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/file_core.h"

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"

namespace ringway::fs::internal {

int CloseNow(Loop& loop, int fd) {
  return loop.backend().sockets().Close(fd);  // any fd: a simulated one, too
}

FileCore::FileCore(Loop& loop, int fd, std::string path)
    : Orphan(loop),
      loop_(loop),
      fd_(fd),
      close_(*this),
      path_(path.empty() ? absl::StrCat("fd ", fd) : std::move(path)) {}

// The loop deletes what it has adopted, at its end perhaps before it is closed.
FileCore::~FileCore() {
  if (!loop_ended()) FileCore::OnLoopEnd();
}

absl::Status FileCore::StatusOf(std::string_view call, int32_t result,
                                int64_t offset) const {
  if (result >= 0) return absl::OkStatus();
  if (result == -ECANCELED) return CancelledStatus();
  return ErrnoToStatus(
      -result, offset < 0
                   ? absl::StrCat(call, " ", path_)
                   : absl::StrCat(call, " ", path_, " at offset ", offset));
}

bool FileCore::MustPause(size_t n_bytes, TaskContext& task) {
  constexpr size_t kClockBytes = 128 * 1024;  // about 20 us
  constexpr size_t kCallBytes = 2'048;        // what a call costs beside
  unpaused_bytes_ += n_bytes + kCallBytes;
  if (unpaused_bytes_ < kClockBytes) return false;
  unpaused_bytes_ = 0;
  return task.executor().TakeBreakIfNeeded();
}

void FileCore::Abandon(std::unique_ptr<FileCore> core, Closer* closer) {
  if (LetGoWithoutLoop(core, kFileHandle)) return;
  if (core->fd_ < 0) return;  // another core has taken it over
  FileCore& self = *core;
  self.abandoned_ = true;
  self.closer_ = closer;
  self.loop_.Adopt(std::move(core));
  if (self.in_flight_ == 0) self.StartClose();
}

void FileCore::StartClose() {
  PrepareClose(close_, fd_);
  loop_.Start(close_);
}

void FileCore::CloseOperation::OnDone(Runnable& entry) {
  FileCore& core =
      static_cast<CloseOperation&>(static_cast<Operation&>(entry)).core;
  const int32_t result = core.close_.result;
  core.fd_ = -1;
  if (core.closer_ != nullptr) core.closer_->on_closed(*core.closer_, result);
  core.loop_.Bury(core);
}

// All operations have ended, and their functions do not run any more.
void FileCore::OnLoopEnd() {
  const bool closed =
      close_.state == OpState::kDone && close_.result != -ECANCELED;
  if (fd_ >= 0 && !closed) CloseNow(loop_, fd_);
  fd_ = -1;
}

}  // namespace ringway::fs::internal
