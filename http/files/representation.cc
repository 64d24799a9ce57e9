// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/files/representation.h"

#include <span>

#include "absl/strings/str_cat.h"
#include "ringway/http/files/protocol/entity_tag.h"
#include "ringway/http/message/date.h"

namespace ringway::http::internal {

Representation Describe(const fs::FileInfo& info,
                        const Description& description,
                        const FilesOptions& options) {
  Representation made;
  made.size = static_cast<uint64_t>(info.size);
  made.modified = info.modified;
  made.tag = FormatEntityTag(made.size, info.modified,
                             options.inode_in_tag ? info.inode : 0);
  made.weak = description.made;
  made.last_modified = FormatDate(info.modified);
  made.content_type = description.content_type;

  made.unchanged.Add("ETag", absl::StrCat(made.weak ? "W/" : "", made.tag));
  made.unchanged.Add("Last-Modified", made.last_modified);
  if (!options.cache_control.empty())
    made.unchanged.Add("Cache-Control", options.cache_control);
  if (description.varies) made.unchanged.Add("Vary", "Accept-Encoding");

  made.head.Add("Content-Type", made.content_type);
  if (description.coding != Coding::kIdentity)
    made.head.Add("Content-Encoding", CodingName(description.coding));
  for (const Header field : made.unchanged)
    made.head.Add(field.name, field.value);
  if (!description.made) made.head.Add("Accept-Ranges", "bytes");
  if (options.nosniff) made.head.Add("X-Content-Type-Options", "nosniff");
  return made;
}

Task<absl::Status> AppendPart(const Representation& from, uint64_t offset,
                              uint64_t n_bytes, std::string& to) {
  if (from.content.has_value()) {
    to.append(*from.content, offset, n_bytes);
    co_return absl::OkStatus();
  }
  const size_t before = to.size();
  to.resize(before + n_bytes);
  // Reading does not change the file, though it is no const function.
  auto& file = const_cast<fs::File&>(*from.file);  // NOLINT(*-const-cast)
  const std::span<std::byte> room =
      std::as_writable_bytes(std::span(to).subspan(before));
  absl::Status read =
      co_await file.ReadExactlyAt(room, static_cast<int64_t>(offset));
  if (absl::IsOutOfRange(read))
    co_return absl::UnavailableError("the file has become shorter");
  co_return read;
}

Task<absl::StatusOr<std::string>> ReadPart(const Representation& from,
                                           uint64_t offset, uint64_t n_bytes) {
  std::string part;
  Task<absl::Status> append = AppendPart(from, offset, n_bytes, part);
  absl::Status read = co_await std::move(append);
  if (!read.ok()) co_return read;
  co_return std::move(part);
}

}  // namespace ringway::http::internal
