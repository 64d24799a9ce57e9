// SPDX-License-Identifier: Apache-2.0
//
// Process: a simulated child process, referred to by a pidfd. It only ends.

#ifndef RINGWAY_BACKENDS_SIM_PROCESS_H_
#define RINGWAY_BACKENDS_SIM_PROCESS_H_

#include <poll.h>
#include <signal.h>

#include <cerrno>
#include <cstdint>
#include <string_view>

#include "ringway/backends/sim/environment/description.h"

namespace ringway::sim {

class Process final : public Description {
 public:
  Process(Environment& environment, pid_t pid, int status)
      : Description(environment), pid_(pid), status_(status) {}

  std::string_view kind() const override { return "process"; }
  uint32_t Ready() override { return ended_ ? POLLIN : 0; }
  int64_t Read(Buffers&, int64_t) override { return -EINVAL; }
  int64_t Write(Buffers&, int64_t) override { return -EINVAL; }

  void End() {
    ended_ = true;
    Changed(POLLIN);
  }

  // Reaps it, once.
  int64_t Wait(siginfo_t* info) {
    if (reaped_) return -ECHILD;
    if (!ended_) return kBlocked;
    reaped_ = true;
    if (info == nullptr) return 0;
    *info = {};
    info->si_signo = SIGCHLD;
    info->si_code = CLD_EXITED;
    info->si_pid = pid_;
    info->si_status = status_;
    return 0;
  }

 private:
  const pid_t pid_;
  const int status_;
  bool ended_ = false;
  bool reaped_ = false;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_PROCESS_H_
