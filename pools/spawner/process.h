// SPDX-License-Identifier: Apache-2.0
//
// Process: a child process: waiting for its end, and ending it. Command
// (command.h) starts one.

#ifndef RINGWAY_POOLS_SPAWNER_PROCESS_H_
#define RINGWAY_POOLS_SPAWNER_PROCESS_H_

#include <sys/types.h>

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/task.h"
#include "ringway/pools/spawner/exit_status.h"
#include "ringway/pools/spawner/spawn_process.h"

namespace ringway {

// Whatever becomes of it, the process leaves no zombie.
//
// Threads: one at a time.
class [[nodiscard]] Process {
 public:
  // `kill_on_drop`: what the destructor does to a process that has not ended.
  Process(SpawnedProcess spawned, bool kill_on_drop);
  Process(Process&& other) noexcept = default;
  Process& operator=(Process&& other) noexcept;
  ~Process() { Drop(); }

  pid_t pid() const { return pid_; }

  // Waits for its end. Once that was waited for, returns at once.
  //
  // Result:       how it has ended.
  // Errors:       FailedPrecondition while another task waits, and for a moved
  //               or detached one. Cancelled.
  // Ownership:    it must stay where it is during the await.
  // Cancellation: the process goes on; it may be waited for again.
  Task<absl::StatusOr<ExitStatus>> Wait();

  // Sends it a signal; 0 only asks whether it is there.
  //
  // Errors: NotFound if it has ended; InvalidArgument for what is no signal;
  //         FailedPrecondition for a moved or detached one.
  absl::Status Signal(int number);

  // Asks it to end by SIGTERM, and ends it by SIGKILL if it has not within
  // `grace`; then as Wait().
  //
  // Cancellation: ends the wait, after which it may still be running.
  Task<absl::StatusOr<ExitStatus>> Stop(absl::Duration grace);

  // Lets it go on by itself: it outlives this object and this process, whatever
  // `kill_on_drop` says.
  void Detach();

 private:
  absl::Status CheckUsable() const;
  void Drop();

  pid_t pid_;
  UniqueFd pidfd_;  // none once it was moved from or detached
  bool kill_on_drop_;
  bool awaited_ = false;
  std::optional<ExitStatus> ended_;
};

}  // namespace ringway

#endif  // RINGWAY_POOLS_SPAWNER_PROCESS_H_
