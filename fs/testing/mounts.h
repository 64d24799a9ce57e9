// SPDX-License-Identifier: Apache-2.0
//
// Mounts of tests: of a namespace of the process's own, so that they are gone
// with it, however that ends. They need root, and the tag "local".

#ifndef RINGWAY_FS_TESTING_MOUNTS_H_
#define RINGWAY_FS_TESTING_MOUNTS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringway::fs::testing {

// Once for a process, before the first operation on a file: workers of the
// kernel's that this thread has keep the namespace that they began in. Threads
// that are started afterwards see the mounts, too.
absl::Status LeaveMountNamespace();

// An empty file system in memory, with room for `n_bytes`, on the directory
// `path`. Its files must be closed at the end.
class SmallFileSystem {
 public:
  static absl::StatusOr<std::unique_ptr<SmallFileSystem>> Mount(
      std::string path, size_t n_bytes);
  SmallFileSystem(const SmallFileSystem&) = delete;
  SmallFileSystem& operator=(const SmallFileSystem&) = delete;
  ~SmallFileSystem();

  // Nothing can be written any more, or again.
  absl::Status SetReadOnly(bool read_only);

 private:
  explicit SmallFileSystem(std::string path) : path_(std::move(path)) {}

  const std::string path_;
};

}  // namespace ringway::fs::testing

#endif  // RINGWAY_FS_TESTING_MOUNTS_H_
