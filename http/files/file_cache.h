// SPDX-License-Identifier: Apache-2.0
//
// FileCache: the files that a worker has open for one http::Files, and the
// contents of small ones.
//
// A file that was used within FilesOptions::validity is used again without a
// system call. After that its name is looked up: if it is the same file,
// unchanged, it stays open. So one that is replaced is sent anew within the
// validity, and so is one in a folder that has taken the place of the root.

#ifndef RINGWAY_HTTP_FILES_FILE_CACHE_H_
#define RINGWAY_HTTP_FILES_FILE_CACHE_H_

#include <array>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/directory/directory.h"
#include "ringway/fs/file_info.h"
#include "ringway/http/files/files_options.h"
#include "ringway/http/files/protocol/content_coding.h"
#include "ringway/http/files/protocol/content_type.h"
#include "ringway/http/files/representation.h"

namespace ringway::http::internal {

// Shared by all workers; never changes.
struct FilesCore {
  FilesCore(std::string r, FilesOptions o)
      : root(std::move(r)), options(std::move(o)) {}

  const std::string root;
  const FilesOptions options;
};

using SharedRepresentation = std::shared_ptr<const Representation>;

// What is known of another coding: nothing, or what there is; null: it is not
// there, or worth nothing.
using Variant = std::optional<SharedRepresentation>;

struct CachedFile {
  std::string path;
  fs::FileInfo info;
  ContentType type;
  SharedRepresentation plain;
  std::array<Variant, kCodings> variants;  // that lie beside it
  Variant made_gzip;
  MonotonicTime valid_until;
  size_t n_bytes = 0;  // of kept contents
};

using SharedFile = std::shared_ptr<CachedFile>;

// Threads: the worker's only.
class FileCache {
 public:
  explicit FileCache(std::shared_ptr<const FilesCore> core)
      : core_(std::move(core)) {}
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;

  const FilesOptions& options() const { return core_->options; }
  // Only this is left of its Files.
  bool abandoned() const { return core_.use_count() == 1; }

  // The file, if it can be used without asking the file system; else null.
  SharedFile FindValid(std::string_view path);

  // The file `path`; null: it is a folder.
  //
  // Errors: NotFound for what is no regular file; Internal if there is no root;
  //         those of Directory::OpenFile(), File::Stat() and File::ReadAt().
  Task<absl::StatusOr<SharedFile>> Get(std::string path);
  // The file that lies beside `file` in this coding; null: there is none. All
  // errors but Cancelled are taken for that.
  Task<absl::StatusOr<SharedRepresentation>> GetVariant(SharedFile file,
                                                        Coding coding);
  // Whether gzip may be applied to it.
  bool MayGzip(const CachedFile& file) const;
  // Keeps what gzip has made of it, if there is room.
  void KeepGzip(const SharedFile& file, SharedRepresentation made);

  // The folder, opened again if another has its name by now.
  Task<absl::StatusOr<std::shared_ptr<fs::Directory>>> Root();

 private:
  using Order = std::list<SharedFile>;
  struct Opened;

  bool keeps_files() const {
    return options().max_kept_files > 0 &&
           options().validity > absl::ZeroDuration();
  }
  bool Has(const SharedFile& file) const;
  void Keep(const SharedFile& file);
  void Forget(std::string_view path);
  void Clear();
  // Makes room for `n_bytes` more of the contents of a kept file.
  bool Reserve(const SharedFile& file, size_t n_bytes);
  bool Varies(const CachedFile& file) const;

  // The kept file if its name still has it; else null.
  Task<absl::StatusOr<SharedFile>> Revalidate(SharedFile file);
  Task<absl::StatusOr<SharedFile>> Open(std::string path);
  Task<absl::StatusOr<Opened>> OpenRegular(std::string path);
  Task<absl::StatusOr<SharedRepresentation>> OpenVariant(const CachedFile& file,
                                                         Coding coding);
  // Takes a small content into memory, if it did not change meanwhile.
  Task<absl::Status> Load(Representation& representation,
                          const fs::FileInfo& info);

  const std::shared_ptr<const FilesCore> core_;
  std::shared_ptr<fs::Directory> root_;
  fs::FileInfo root_info_;
  MonotonicTime root_valid_until_;
  Order order_;  // the last used first
  absl::flat_hash_map<std::string_view, Order::iterator> by_path_;
  size_t n_bytes_ = 0;
};

// All of a worker; an object of ExecutorLocals.
class FileCaches {
 public:
  // That of the calling task's worker for `core`.
  static FileCache& Of(const std::shared_ptr<const FilesCore>& core);

 private:
  std::vector<std::pair<const FilesCore*, std::unique_ptr<FileCache>>> caches_;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_FILES_FILE_CACHE_H_
