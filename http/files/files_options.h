// SPDX-License-Identifier: Apache-2.0
//
// FilesOptions: what http::Files serves, and its limits.

#ifndef RINGWAY_HTTP_FILES_FILES_OPTIONS_H_
#define RINGWAY_HTTP_FILES_FILES_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/compiler.h"

namespace ringway::http {

struct FilesOptions {
  FilesOptions() {}

  // --- What is served.

  // The file that answers for its folder; empty: none does.
  std::string index = "index.html";
  // Whether a folder without that file answers with the names in it.
  bool listing = false;
  // Names in such a listing; of more the first that the file system has.
  size_t max_listed_files = 10'000;
  // Whether names that begin with a dot are served, such as .git, but also
  // .well-known.
  bool hidden = false;

  // --- Fields of responses.

  // The Content-Type of files whose extension is not known.
  std::string default_type = "application/octet-stream";
  // The Cache-Control field, such as "max-age=3600"; empty: none.
  std::string cache_control;
  // Whether there is "X-Content-Type-Options: nosniff", which keeps browsers
  // from guessing another type.
  bool nosniff = true;
  // Whether entity tags have the inode. Copies of a file on several servers
  // behind one name have different ones: then it must be off, and times must be
  // copied, too.
  bool inode_in_tag = true;
  // Ranges of one request; with more it gets the whole file.
  size_t max_ranges = 16;

  // --- Codings, which are chosen by Accept-Encoding.

  // Whether app.js.br, app.js.zst and app.js.gz, unless older than app.js, are
  // sent for it.
  bool precompressed = false;
  // Whether text and the like is compressed by gzip. The result is kept as the
  // content of small files is; one that is not is made for each request.
  bool gzip = false;
  // Files that are compressed: smaller ones gain nothing, larger ones take more
  // memory and time than one request should.
  uint64_t gzip_min_bytes = 1024;
  uint64_t gzip_max_bytes = 1 << 20;
  // 1 (fast) to 9 (small).
  int gzip_level = 6;

  // --- What each worker keeps.

  // Files; 0: each request opens its file. One has an open fd unless its
  // content is kept, and with `precompressed` up to three more.
  size_t max_kept_files = 256;
  // How long a file is used before its name is looked up again. So a file that
  // is replaced, or removed, is sent for that long; one that is written in
  // place may be sent in part, as old and new. Zero: as max_kept_files = 0.
  absl::Duration validity = absl::Seconds(1);
  // Bytes of the contents of small files, and of what gzip has made; 0: none is
  // kept, and each request reads.
  size_t max_kept_bytes = 4 << 20;
  // Files of up to so many bytes are read, and sent with the head in one write;
  // the kernel sends larger ones.
  uint64_t small_file_bytes = 64 * 1024;
};

// InvalidArgument with the name and range of the first option out of range.
absl::Status CheckFilesOptions(const FilesOptions& options);

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_FILES_FILES_OPTIONS_H_
