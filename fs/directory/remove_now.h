// SPDX-License-Identifier: Apache-2.0
//
// RemoveNow: removes a file, or a directory with what is in it, where no task
// can run any more. Internal.

#ifndef RINGWAY_FS_DIRECTORY_REMOVE_NOW_H_
#define RINGWAY_FS_DIRECTORY_REMOVE_NOW_H_

#include <string>

#include "ringway/backends/backend.h"

namespace ringway::fs::internal {

// Removes `name` in `directory`, an fd or AT_FDCWD, as RemoveAll() does, but
// blocks, and ignores errors. Nothing that is nested deeper than 64 levels.
void RemoveNow(Backend& backend, int directory, const std::string& name,
               int levels = 64);

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_DIRECTORY_REMOVE_NOW_H_
