// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/samples/copy/path_parts.h"

#include "absl/strings/str_cat.h"

namespace ringway::copy {

std::string NameOf(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path
                                                     : path.substr(slash + 1));
}

std::string DirectoryOf(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

std::string Join(std::string_view directory, std::string_view name) {
  const bool ends = !directory.empty() && directory.back() == '/';
  return absl::StrCat(directory, ends ? "" : "/", name);
}

}  // namespace ringway::copy
