// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/path_names.h"

#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace ringway::fs::internal {
namespace {

// So that what is added to the longest name still fits (NAME_MAX is 255).
constexpr size_t kMostOfName = 200;

}  // namespace

PathParts SplitPath(std::string_view path) {
  PathParts parts;
  const size_t last = path.find_last_not_of('/');
  if (last == std::string_view::npos) {
    parts.directory = std::string(path.substr(0, 1));
    return parts;
  }
  path = path.substr(0, last + 1);
  const size_t slash = path.rfind('/');
  const size_t name = slash == std::string_view::npos ? 0 : slash + 1;
  parts.name = std::string(path.substr(name));
  parts.directory = std::string(path.substr(0, slash == 0 ? 1 : name));
  if (parts.directory.size() > 1) parts.directory.pop_back();
  return parts;
}

bool IsProperName(std::string_view name) {
  return !name.empty() && name != "." && name != "..";
}

std::string DirectoryOf(const std::string& path) {
  std::string directory = SplitPath(path).directory;
  return directory.empty() ? "." : directory;
}

std::string NameBeside(const std::string& path) {
  static std::atomic<uint64_t> counter{0};
  const size_t slash = path.rfind('/');
  const size_t name = slash == std::string::npos ? 0 : slash + 1;
  return absl::StrCat(path.substr(0, name), ".", path.substr(name, kMostOfName),
                      ".", getpid(), ".",
                      counter.fetch_add(1, std::memory_order_relaxed));
}

bool HasNul(std::string_view path) {
  return path.find('\0') != std::string_view::npos;
}

}  // namespace ringway::fs::internal
