// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/output_files.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"

namespace ringway::loadgen {
namespace {

// Far more than a run of this program writes.
constexpr size_t kMostRead = size_t{64} << 20;

struct Closer {
  void operator()(FILE* file) const { fclose(file); }
};
using File = std::unique_ptr<FILE, Closer>;

absl::Status Failed(const std::string& name) {
  return ErrnoToStatus(errno, name);
}

}  // namespace

absl::Status PrepareFiles(const OutputFiles& files) {
  for (const std::string* name : {&files.json, &files.csv, &files.plot}) {
    if (name->empty()) continue;
    const File file(fopen(name->c_str(), "ae"));
    if (file == nullptr) return Failed(*name);
  }
  return absl::OkStatus();
}

absl::Status WriteFile(const std::string& name, std::string_view content) {
  File file(fopen(name.c_str(), "we"));
  if (file == nullptr) return Failed(name);
  if (fwrite(content.data(), 1, content.size(), file.get()) != content.size())
    return Failed(name);
  // A full disk may show only now.
  if (fclose(file.release()) != 0) return Failed(name);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const std::string& name) {
  const File file(fopen(name.c_str(), "re"));
  if (file == nullptr) return Failed(name);
  std::string content;
  std::array<char, 16 * 1024> buffer;
  while (const size_t n = fread(buffer.data(), 1, buffer.size(), file.get())) {
    content.append(buffer.data(), n);
    if (content.size() > kMostRead) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": more than ", kMostRead, " bytes"));
    }
  }
  if (ferror(file.get()) != 0) return Failed(name);
  return content;
}

}  // namespace ringway::loadgen
