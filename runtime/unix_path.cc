// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/unix_path.h"

#include <sys/stat.h>
#include <unistd.h>

namespace ringway::internal {

UnixPath::UnixPath(const net::SocketAddress& address)
    : path_(address.unix_path()) {
  struct stat status;
  if (path_.empty() || lstat(path_.c_str(), &status) != 0) {
    path_.clear();
    return;
  }
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

void UnixPath::Remove() {
  struct stat status;
  if (!path_.empty() && lstat(path_.c_str(), &status) == 0 &&
      status.st_dev == device_ && status.st_ino == inode_) {
    unlink(path_.c_str());
  }
  path_.clear();
}

}  // namespace ringway::internal
