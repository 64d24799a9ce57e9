// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/context/key_log.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::net::internal {

absl::Status KeyLog::Open(const std::string& path) {
  fd_ = UniqueFd(
      open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (fd_.valid()) return absl::OkStatus();
  return ErrnoToStatus(errno, absl::StrCat("key_log_file: ", path));
}

void KeyLog::Write(std::string_view line) {
  const std::scoped_lock lock(mutex_);
  dprintf(fd_.get(), "%.*s\n", static_cast<int>(line.size()), line.data());
}

}  // namespace ringway::net::internal
