// SPDX-License-Identifier: Apache-2.0
//
// WalkPath: resolves a path as described in path_resolution(7).

#ifndef RINGWAY_BACKENDS_SIM_FILES_PATH_WALK_H_
#define RINGWAY_BACKENDS_SIM_FILES_PATH_WALK_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "ringway/backends/sim/files/inode.h"

namespace ringway::sim {

struct PathEnd {
  int error = 0;       // -errno; the other fields are then unspecified
  InodePtr directory;  // where the last component is, or would be
  std::string name;    // the last component; "." for a root
  InodePtr inode;      // the entry; null if it does not exist
  bool must_be_directory = false;  // the path ends with a slash
};

// `follow`: a symbolic link at the very end is followed, too. `resolve`: the
// RESOLVE_* flags of openat2(2) that confine the walk; there are no other
// devices and no magic links.
PathEnd WalkPath(const InodePtr& machine_root, const InodePtr& start,
                 std::string_view path, bool follow, uint64_t resolve = 0);

// The absolute path of `end.inode`, which exists.
std::string PathOf(const PathEnd& end);

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_FILES_PATH_WALK_H_
