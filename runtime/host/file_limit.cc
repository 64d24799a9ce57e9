// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/file_limit.h"

#include <sys/resource.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway {
namespace {

std::string FileLimitText(rlim_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : absl::StrCat(limit);
}

}  // namespace

absl::Status EnsureFileLimit(uint64_t need) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return ErrnoToStatus(errno, "read the limit of open files");
  if (limit.rlim_cur >= need) return absl::OkStatus();
  const std::string numbers =
      absl::StrCat(need, " open files are needed; the soft limit is ",
                   FileLimitText(limit.rlim_cur), ", the hard limit ",
                   FileLimitText(limit.rlim_max));
  if (limit.rlim_max < need) {
    return absl::ResourceExhaustedError(
        absl::StrCat(numbers, ": raise it with `ulimit -n ", need,
                     "` as root or LimitNOFILE=", need,
                     " in the systemd unit, or configure fewer connections"));
  }
  limit.rlim_cur = need;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    return ErrnoToStatus(errno,
                         absl::StrCat("raise the soft limit (", numbers, ")"));
  return absl::OkStatus();
}

}  // namespace ringway
