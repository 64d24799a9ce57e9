// SPDX-License-Identifier: Apache-2.0
//
// TreeCopy: copies a file, or a directory with everything below it.
//
// Each file appears under its name only when it is whole. What cannot be copied
// is reported and counted, and the rest is copied all the same.

#ifndef RINGWAY_TOOLS_SAMPLES_COPY_TREE_COPY_H_
#define RINGWAY_TOOLS_SAMPLES_COPY_TREE_COPY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/copying/copy_file.h"
#include "ringway/fs/file_info.h"

namespace ringway::copy {

struct CopySettings {
  bool direct = false;   // past the page cache
  bool verify = false;   // reads both afterwards, and compares checksums
  bool durable = false;  // each file survives a crash of the machine
  int n_at_a_time = 16;  // tasks, each of which copies some files
};

struct CopyCounts {
  int64_t files = 0;
  int64_t directories = 0;
  int64_t links = 0;
  int64_t failed = 0;
  int64_t bytes = 0;  // holes included
};

class TreeCopy {
 public:
  using Report = std::function<void(const absl::Status& failed)>;

  TreeCopy(const CopySettings& settings, Report report)
      : settings_(settings), report_(std::move(report)) {}

  // Gives `to` what `from` is; where `to` is a directory, a name in it. Links
  // below `from` are copied as links.
  //
  // Errors:       Cancelled. All else is reported and counted.
  // Cancellation: what has been copied stays; a file in progress leaves
  //               nothing.
  Task<absl::Status> Run(std::string from, std::string to);

  // While it runs, too.
  const CopyCounts& counts() const { return counts_; }

 private:
  // A directory that gets its permissions and times when it is full.
  struct Made {
    std::string path;
    fs::FileInfo original;
  };

  Task<void> CopyTree(std::string from, std::string to, fs::FileInfo info);
  Task<void> CopyDirectory(TaskScope& scope, std::string from, std::string to,
                           fs::FileInfo info);
  Task<void> CopyEntries(TaskScope& scope, const std::string& from,
                         const std::string& to);
  Task<void> CopyEntry(TaskScope& scope, std::string from, std::string to,
                       fs::FileType type);
  // Starts the copies of next_, when there is room for a task.
  Task<void> StartNext(TaskScope& scope);
  Task<void> CopyFiles(std::vector<fs::CopyNames> files);
  Task<void> CopyLink(std::string from, std::string to);
  Task<std::vector<absl::Status>> CopyContents(
      const std::vector<fs::CopyNames>& files);
  Task<void> FinishDirectories();
  void Fail(const absl::Status& status);
  absl::Status Ended() const;

  const CopySettings settings_;
  const Report report_;
  CopyCounts counts_;
  std::vector<Made> made_;
  std::vector<fs::CopyNames> next_;
  bool cancelled_ = false;
};

// The bytes of the regular files at and below `path`. What cannot be read
// counts as nothing.
Task<int64_t> BytesBelow(std::string path);

}  // namespace ringway::copy

#endif  // RINGWAY_TOOLS_SAMPLES_COPY_TREE_COPY_H_
