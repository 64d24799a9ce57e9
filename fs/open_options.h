// SPDX-License-Identifier: Apache-2.0
//
// OpenOptions: how File::Open() opens a file.

#ifndef RINGWAY_FS_OPEN_OPTIONS_H_
#define RINGWAY_FS_OPEN_OPTIONS_H_

#include <sys/types.h>

#include "ringway/core/compiler.h"

namespace ringway::fs {

struct OpenOptions {
  OpenOptions() {}

  // The usual ones. Writing creates the file and empties it; appending and
  // updating create it and keep what it has.
  static OpenOptions ForReading() { return OpenOptions(); }
  static OpenOptions ForWriting();
  static OpenOptions ForAppending();
  static OpenOptions ForUpdating();

  bool read = true;
  bool write = false;
  // Every write goes to the end, whatever its offset (O_APPEND).
  bool append = false;
  // Creates the file if there is none, with `mode` less the process's umask.
  bool create = false;
  // As create, but an existing file is EEXIST (O_EXCL).
  bool create_new = false;
  // Empties an existing file.
  bool truncate = false;
  // A symbolic link as the last part of the path is ELOOP otherwise
  // (O_NOFOLLOW).
  bool follow_link = true;
  // Only a directory is opened (O_DIRECTORY).
  bool directory = false;
  // A FIFO is opened for reading although nothing writes to it, and a device
  // although it is not ready (O_NONBLOCK). For names that others give: whether
  // it is a file shows only then.
  bool non_blocking = false;
  // Each write is durable when it ends, as if by SyncData() (O_DSYNC).
  bool durable_writes = false;
  // Past the page cache (O_DIRECT): memory, offsets and lengths have to be
  // aligned. DirectFile takes care of that and sets this itself.
  bool direct = false;
  mode_t mode = 0666;

  // As open(2) has them; O_CLOEXEC is always added.
  int Flags() const;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_OPEN_OPTIONS_H_
