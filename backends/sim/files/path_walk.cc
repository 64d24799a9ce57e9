// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/files/path_walk.h"

#include <limits.h>
#include <linux/openat2.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ringway::sim {
namespace {

constexpr int kMaxLinks = 40;

PathEnd Fail(int error) {
  PathEnd end;
  end.error = error;
  return end;
}

void DropLeadingSlashes(std::string& path) {
  path.erase(0, std::min(path.find_first_not_of('/'), path.size()));
}

// Removes the first component and the following slashes from `rest`.
std::string TakeComponent(std::string& rest) {
  std::string component = rest.substr(0, rest.find('/'));
  rest.erase(0, component.size());
  DropLeadingSlashes(rest);
  return component;
}

InodePtr Entry(const InodePtr& directory, const std::string& name) {
  if (name == ".") return directory;
  if (name == "..") {
    InodePtr parent = directory->parent.lock();
    return parent == nullptr ? directory : parent;
  }
  const auto found = directory->entries.find(name);
  return found == directory->entries.end() ? nullptr : found->second;
}

}  // namespace

PathEnd WalkPath(const InodePtr& machine_root, const InodePtr& start,
                 std::string_view path, bool follow, uint64_t resolve) {
  if (path.empty()) return Fail(-ENOENT);
  if (path.size() >= PATH_MAX) return Fail(-ENAMETOOLONG);
  const bool beneath = (resolve & RESOLVE_BENEATH) != 0;
  const bool in_root = (resolve & RESOLVE_IN_ROOT) != 0;
  const InodePtr& root = in_root ? start : machine_root;
  if (beneath && path[0] == '/') return Fail(-EXDEV);
  PathEnd end;
  end.directory = path[0] == '/' ? root : start;
  end.inode = end.directory;
  end.name = ".";
  std::string rest(path);
  DropLeadingSlashes(rest);
  for (int links = 0; !rest.empty();) {
    if (!end.directory->is_directory()) return Fail(-ENOTDIR);
    end.must_be_directory = rest.back() == '/';
    end.name = TakeComponent(rest);
    if (end.name.size() > NAME_MAX) return Fail(-ENAMETOOLONG);
    const bool leaves = end.name == ".." && end.directory == start;
    if (leaves && beneath) return Fail(-EXDEV);
    end.inode = leaves && in_root ? start : Entry(end.directory, end.name);
    const bool is_last = rest.empty();
    if (end.inode == nullptr) return is_last ? end : Fail(-ENOENT);
    if (end.inode->is_link() && (!is_last || follow || end.must_be_directory)) {
      if (++links > kMaxLinks || (resolve & RESOLVE_NO_SYMLINKS) != 0)
        return Fail(-ELOOP);
      const std::string& target = end.inode->target;
      if (beneath && target[0] == '/') return Fail(-EXDEV);
      if (target[0] == '/') end.directory = root;
      rest = absl::StrCat(target, is_last && !end.must_be_directory ? "" : "/",
                          rest);
      DropLeadingSlashes(rest);
      end.inode = end.directory;
      end.name = ".";
    } else if (!is_last) {
      end.directory = end.inode;
    }
  }
  if (end.must_be_directory && !end.inode->is_directory()) {
    return Fail(-ENOTDIR);
  }
  return end;
}

std::string PathOf(const PathEnd& end) {
  const bool is_directory = end.inode->is_directory();
  std::string path = is_directory ? "" : absl::StrCat("/", end.name);
  InodePtr below = is_directory ? end.inode : end.directory;
  while (const InodePtr above = below->parent.lock()) {
    for (const auto& [name, inode] : above->entries)
      if (inode == below) path = absl::StrCat("/", name, path);
    below = above;
  }
  return path.empty() ? "/" : path;
}

}  // namespace ringway::sim
