// SPDX-License-Identifier: Apache-2.0
//
// WalkPath: from a path to what it names, as path_resolution(7) has it.

#ifndef RINGWAY_BACKENDS_SIM_FILES_PATH_WALK_H_
#define RINGWAY_BACKENDS_SIM_FILES_PATH_WALK_H_

#include <string>
#include <string_view>

#include "ringway/backends/sim/files/inode.h"

namespace ringway::sim {

struct PathEnd {
  int error = 0;       // -errno, and nothing else is of meaning
  InodePtr directory;  // where the last component is, or would be
  std::string name;    // the last component; "." for a root
  InodePtr inode;      // what it names; null if there is no such entry
  bool must_be_directory = false;  // the path ends with a slash
};

// `follow`: a symbolic link at the very end is followed, too.
PathEnd WalkPath(const InodePtr& root, const InodePtr& start,
                 std::string_view path, bool follow);

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_PATH_WALK_H_
