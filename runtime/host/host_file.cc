// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/host_file.h"

#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"

namespace ringway::internal {

std::optional<std::string> ReadHostFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream content;
  // An empty file sets the failbit of `content`, an unreadable one both.
  if (!file.is_open()) return std::nullopt;
  content << file.rdbuf();
  if (file.bad()) return std::nullopt;
  std::string text = content.str();
  absl::StripAsciiWhitespace(&text);
  return text;
}

}  // namespace ringway::internal
