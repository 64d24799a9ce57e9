// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/open_options.h"

#include <fcntl.h>

namespace ringway::fs {

OpenOptions OpenOptions::ForWriting() {
  OpenOptions options;
  options.read = false;
  options.write = options.create = options.truncate = true;
  return options;
}

OpenOptions OpenOptions::ForAppending() {
  OpenOptions options;
  options.read = false;
  options.write = options.create = options.append = true;
  return options;
}

OpenOptions OpenOptions::ForUpdating() {
  OpenOptions options;
  options.write = options.create = true;
  return options;
}

int OpenOptions::Flags() const {
  int flags = write ? (read ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (append) flags |= O_APPEND;
  if (create || create_new) flags |= O_CREAT;
  if (create_new) flags |= O_EXCL;
  if (truncate) flags |= O_TRUNC;
  if (!follow_link) flags |= O_NOFOLLOW;
  if (directory) flags |= O_DIRECTORY;
  if (non_blocking) flags |= O_NONBLOCK;
  if (durable_writes) flags |= O_DSYNC;
  if (direct) flags |= O_DIRECT;
  return flags | O_CLOEXEC;
}

}  // namespace ringway::fs
