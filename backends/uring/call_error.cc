// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/call_error.h"

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::uring {
namespace {

std::string CauseAndRemedy(int errnum, std::string_view call) {
  switch (errnum) {
    case EPERM:
    case EACCES:
      return absl::StrCat(call,
                          " is refused: allow it in the container's seccomp "
                          "profile and set kernel.io_uring_disabled to 0");
    case ENOSYS:
      return absl::StrCat(call,
                          " does not exist here: Linux 6.0 or later built with "
                          "CONFIG_IO_URING is needed");
    case ENOMEM:
      return absl::StrCat(call,
                          " found too little memory: raise the memlock limit "
                          "(ulimit -l) or ask for fewer entries");
    case EMFILE:
      return absl::StrCat(call,
                          " found no free fd: raise the limit of open files "
                          "(ulimit -n)");
    case ENFILE:
      return absl::StrCat(call,
                          " found no free file: raise the system's limit "
                          "(fs.file-max)");
    default:
      return std::string(call);
  }
}

}  // namespace

absl::Status CallError(int errnum, std::string_view call,
                       std::string_view purpose) {
  return ErrnoToStatus(errnum,
                       absl::StrCat(purpose, purpose.empty() ? "" : ": ",
                                    CauseAndRemedy(errnum, call)));
}

bool IsRefusal(const absl::Status& status) {
  switch (ErrnoOf(status)) {
    case EPERM:       // seccomp, kernel.io_uring_disabled
    case EACCES:      // a security module
    case ENOSYS:      // built without it, or seccomp
    case EINVAL:      // flags or registrations that an older kernel lacks
    case EOPNOTSUPP:  // as above
    case ENOMEM:      // RLIMIT_MEMLOCK
      return true;
    case 0:  // a feature or an opcode is missing; a no-op does not end
      return absl::IsUnimplemented(status) || absl::IsUnavailable(status);
    default:
      return false;
  }
}

}  // namespace ringway::uring
