// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/protocol/file_path.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ringway::http::internal {

bool IsServablePath(std::string_view path, bool hidden) {
  const bool clean = std::none_of(path.begin(), path.end(), [](char c) {
    return c == '\\' || absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  if (!clean) return false;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (segment.front() == '.' && !hidden) return false;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return true;
}

bool HasEncodedSlash(std::string_view path) {
  for (size_t i = path.find('%'); i != std::string_view::npos;
       i = path.find('%', i + 1)) {
    if (absl::EqualsIgnoreCase(path.substr(i, 3), "%2f")) return true;
  }
  return false;
}

std::string FolderLocation(std::string_view path, std::string_view query) {
  if (path.empty() || path.front() != '/' || absl::StartsWith(path, "//"))
    return "";
  std::string location = absl::StrCat(path, "/");
  if (!query.empty()) absl::StrAppend(&location, "?", query);
  return location;
}

}  // namespace ringway::http::internal
