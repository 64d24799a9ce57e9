// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/files_options.h"

#include "absl/strings/str_cat.h"
#include "ringway/http/files/protocol/file_path.h"
#include "ringway/http/message/headers.h"

namespace ringway::http {

absl::Status CheckFilesOptions(const FilesOptions& options) {
  const auto refuse = [](std::string_view name, std::string_view range) {
    return absl::InvalidArgumentError(
        absl::StrCat("http::FilesOptions::", name, " is not ", range));
  };
  const std::string& index = options.index;
  if (index.find('/') != std::string::npos ||
      !internal::IsServablePath(index, options.hidden)) {
    return refuse("index", "the name of a file that is served");
  }
  if (options.default_type.empty() || !IsFieldValue(options.default_type))
    return refuse("default_type", "text that a header can have");
  if (!IsFieldValue(options.cache_control))
    return refuse("cache_control", "text that a header can have");
  struct Size {
    std::string_view name;
    uint64_t value;
    uint64_t least;
    uint64_t most;
  };
  for (const Size& size :
       {Size{"max_listed_files", options.max_listed_files, 1, 1'000'000},
        Size{"max_ranges", options.max_ranges, 0, 1'000},
        Size{"gzip_max_bytes", options.gzip_max_bytes, 0, 64u << 20},
        Size{"max_kept_files", options.max_kept_files, 0, 1'000'000},
        Size{"small_file_bytes", options.small_file_bytes, 0, 1u << 20}}) {
    if (size.value < size.least || size.value > size.most)
      return refuse(size.name, absl::StrCat(size.least, " to ", size.most));
  }
  if (options.gzip_level < 1 || options.gzip_level > 9)
    return refuse("gzip_level", "1 to 9");
  if (options.validity < absl::ZeroDuration())
    return refuse("validity", "zero or more");
  return absl::OkStatus();
}

}  // namespace ringway::http
