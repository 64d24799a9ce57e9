// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/testing/mounts.h"

#include <sched.h>
#include <sys/mount.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::fs::testing {

absl::Status LeaveMountNamespace() {
  static bool left = false;
  if (left) return absl::OkStatus();
  if (unshare(CLONE_NEWNS) != 0) return ErrnoToStatus(errno, "unshare");
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return ErrnoToStatus(errno, "mount of / as private");
  left = true;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SmallFileSystem>> SmallFileSystem::Mount(
    std::string path, size_t n_bytes) {
  const absl::Status left = LeaveMountNamespace();
  if (!left.ok()) return left;
  const std::string options = absl::StrCat("size=", n_bytes);
  if (mount("small", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
            options.c_str()) != 0) {
    return ErrnoToStatus(errno, "mount of a tmpfs");
  }
  return std::unique_ptr<SmallFileSystem>(new SmallFileSystem(std::move(path)));
}

SmallFileSystem::~SmallFileSystem() { umount2(path_.c_str(), MNT_DETACH); }

absl::Status SmallFileSystem::SetReadOnly(bool read_only) {
  const unsigned long flags =
      MS_REMOUNT | MS_NOSUID | MS_NODEV | (read_only ? MS_RDONLY : 0);
  return mount(nullptr, path_.c_str(), nullptr, flags, nullptr) == 0
             ? absl::OkStatus()
             : ErrnoToStatus(errno, "remount");
}

}  // namespace ringway::fs::testing
