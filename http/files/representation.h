// SPDX-License-Identifier: Apache-2.0
//
// Representation: a version of a file in one coding, with the header fields
// that tell of it. Made once, sent to many.

#ifndef RINGWAY_HTTP_FILES_REPRESENTATION_H_
#define RINGWAY_HTTP_FILES_REPRESENTATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"
#include "ringway/fs/file_info.h"
#include "ringway/http/files/files_options.h"
#include "ringway/http/files/protocol/conditions.h"
#include "ringway/http/files/protocol/content_coding.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// Does not change while it is sent.
struct Representation {
  // One of both.
  std::optional<fs::File> file;
  std::optional<std::string> content;

  uint64_t size = 0;
  absl::Time modified;
  std::string tag;  // without "W/"
  bool weak = false;
  std::string last_modified;
  std::string content_type;

  Headers head;       // of 200, and of 206 but for Content-Range
  Headers unchanged;  // of 304

  Validators validators() const {
    return {{tag, weak}, modified, last_modified};
  }
};

// How a representation is described.
struct Description {
  std::string_view content_type;
  Coding coding = Coding::kIdentity;
  // Made by this server, which may make other bytes at another time: the tag is
  // weak, and there are no ranges.
  bool made = false;
  // Others may be sent for the same path.
  bool varies = false;
};

// Fills in everything but the bytes, for a file with `info`.
Representation Describe(const fs::FileInfo& info,
                        const Description& description,
                        const FilesOptions& options);

// `n_bytes` from `offset` on, which must be within `size`. What the page cache
// has is read at once.
//
// Errors: Unavailable: the file has become shorter. Those of File::ReadAt().
Task<absl::StatusOr<std::string>> ReadPart(const Representation& from,
                                           uint64_t offset, uint64_t n_bytes);
// The same, appended to `to`, which must outlive the await.
Task<absl::Status> AppendPart(const Representation& from, uint64_t offset,
                              uint64_t n_bytes, std::string& to);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_REPRESENTATION_H_
