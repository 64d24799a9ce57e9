// SPDX-License-Identifier: Apache-2.0
//
// The parts of paths, and new names. Internal.

#ifndef RINGWAY_FS_PATH_NAMES_H_
#define RINGWAY_FS_PATH_NAMES_H_

#include <string>
#include <string_view>

#include "ringway/core/compiler.h"

namespace ringway::fs::internal {

struct PathParts {
  PathParts() {}

  std::string directory;  // "" if the path has none: what it is relative to
  std::string name;       // "" for "/" and ""
};

// "a/b/" is "b" in "a", "/b" is "b" in "/".
PathParts SplitPath(std::string_view path);

// False for ".", ".." and "", by which nothing can be made or removed.
bool IsProperName(std::string_view name);

// The directory of `path` as one can be opened: "." if it has none.
std::string DirectoryOf(const std::string& path);

// A name in the directory of `path` that this process has not used before:
// ".name.PID.NUMBER".
std::string NameBeside(const std::string& path);

// How often a new name is tried before EEXIST is the result: others have left
// files of these names.
inline constexpr int kMostNames = 100;

bool HasNul(std::string_view path);

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_PATH_NAMES_H_
