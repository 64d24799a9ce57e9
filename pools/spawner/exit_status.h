// SPDX-License-Identifier: Apache-2.0
//
// ExitStatus: how a process has ended.

#ifndef RINGWAY_POOLS_SPAWNER_EXIT_STATUS_H_
#define RINGWAY_POOLS_SPAWNER_EXIT_STATUS_H_

#include <signal.h>

#include <string>

#include "ringway/core/compiler.h"

namespace ringway {

class ExitStatus {
 public:
  static ExitStatus Exited(int code) { return ExitStatus(code, 0, false); }
  static ExitStatus Killed(int number, bool core_dumped = false) {
    return ExitStatus(-1, number, core_dumped);
  }
  // As waitid(2) tells.
  static ExitStatus Of(const siginfo_t& info) {
    return info.si_code == CLD_EXITED
               ? Exited(info.si_status)
               : Killed(info.si_status, info.si_code == CLD_DUMPED);
  }

  // It ended by itself, with code 0.
  bool ok() const { return code_ == 0; }
  // What it passed to exit(), 0 to 255; -1 if a signal ended it.
  int code() const { return code_; }
  // The signal that ended it; 0 if none did.
  int signal() const { return signal_; }
  bool core_dumped() const { return core_dumped_; }

  // "exit code 3", "signal 9 (Killed)", with ", core dumped".
  std::string ToString() const;

  friend bool operator==(const ExitStatus&, const ExitStatus&) = default;

 private:
  ExitStatus(int code, int signal, bool core_dumped)
      : code_(code), signal_(signal), core_dumped_(core_dumped) {}

  int code_;
  int signal_;
  bool core_dumped_;
};

}  // namespace ringway

#endif  // RINGWAY_POOLS_SPAWNER_EXIT_STATUS_H_
