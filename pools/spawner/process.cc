// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/spawner/process.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/pools/spawner/reaper.h"
#include "ringway/pools/spawner/spawner_stats.h"

namespace ringway {
namespace {

// Waits for the end of a process, and reaps it.
class [[nodiscard]] EndOfProcess : public OperationAwait {
 public:
  explicit EndOfProcess(int pidfd) { PrepareWaitPid(*this, pidfd, &info_); }
  absl::StatusOr<ExitStatus> await_resume() const {
    if (result == -ECANCELED) return CancelledStatus();
    if (result < 0) return ErrnoToStatus(-result, "wait for a process");
    return ExitStatus::Of(info_);
  }

 private:
  siginfo_t info_ = {};
};

int Send(int pidfd, int number) {
  return syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) == 0 ? 0
                                                                        : errno;
}

}  // namespace

Process::Process(SpawnedProcess spawned, bool kill_on_drop)
    : pid_(spawned.pid),
      pidfd_(std::move(spawned.pidfd)),
      kill_on_drop_(kill_on_drop) {
  ++internal::process_counters.started;
}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  Drop();
  pid_ = other.pid_;
  pidfd_ = std::move(other.pidfd_);
  kill_on_drop_ = other.kill_on_drop_;
  awaited_ = other.awaited_;
  ended_ = std::exchange(other.ended_, std::nullopt);
  return *this;
}

absl::Status Process::CheckUsable() const {
  if (pidfd_.valid()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the Process was detached or moved from");
}

Task<absl::StatusOr<ExitStatus>> Process::Wait() {
  if (absl::Status s = CheckUsable(); !s.ok()) co_return s;
  if (ended_.has_value()) co_return *ended_;
  if (awaited_) {
    co_return absl::FailedPreconditionError(
        absl::StrCat("another task waits for process ", pid_));
  }
  // Also if this frame is destroyed where it waits.
  struct Awaited {
    explicit Awaited(bool& f) : flag(f) { flag = true; }
    ~Awaited() { flag = false; }
    bool& flag;
  };
  const Awaited awaited(awaited_);
  EndOfProcess end(pidfd_.get());
  absl::StatusOr<ExitStatus> status = co_await end;
  if (status.ok()) {
    ended_ = *status;
    ++internal::process_counters.ended;
  }
  co_return status;
}

absl::Status Process::Signal(int number) {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  // Its number may be another's by now.
  const int error = ended_.has_value() ? ESRCH : Send(pidfd_.get(), number);
  if (error == 0) return absl::OkStatus();
  const std::string what =
      absl::StrCat("send signal ", number, " to process ", pid_);
  if (error == ESRCH)
    return absl::NotFoundError(absl::StrCat(what, ": it has ended"));
  return ErrnoToStatus(error, what);
}

Task<absl::StatusOr<ExitStatus>> Process::Stop(absl::Duration grace) {
  absl::Status asked = Signal(SIGTERM);
  if (!asked.ok() && !absl::IsNotFound(asked)) co_return asked;
  absl::StatusOr<ExitStatus> ended = co_await WithTimeout(grace, Wait());
  if (!absl::IsDeadlineExceeded(ended.status())) co_return ended;
  asked = Signal(SIGKILL);
  if (!asked.ok() && !absl::IsNotFound(asked)) co_return asked;
  Task<absl::StatusOr<ExitStatus>> end = Wait();
  co_return co_await std::move(end);
}

void Process::Detach() {
  if (pidfd_.valid() && !ended_.has_value()) internal::Reap(std::move(pidfd_));
  pidfd_.Reset();
}

void Process::Drop() {
  if (pidfd_.valid() && !ended_.has_value() && kill_on_drop_ &&
      Send(pidfd_.get(), SIGKILL) == 0)
    ++internal::process_counters.killed;
  Detach();
}

}  // namespace ringway
