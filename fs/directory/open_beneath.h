// SPDX-License-Identifier: Apache-2.0
//
// OpenBeneathOp: opens a path that cannot lead out of a directory. Internal.
//
// The kernel resolves the path (openat2(2) with RESOLVE_BENEATH and
// RESOLVE_NO_MAGICLINKS) and refuses, with EXDEV, whatever would leave the
// directory: "..", an absolute path, a symbolic link. There is no moment
// between a check and the use of a name, so links that are exchanged meanwhile
// do not help.

#ifndef RINGWAY_FS_DIRECTORY_OPEN_BENEATH_H_
#define RINGWAY_FS_DIRECTORY_OPEN_BENEATH_H_

#include <linux/openat2.h>
#include <sys/types.h>

#include <coroutine>
#include <string>

#include "absl/status/statusor.h"
#include "ringway/fs/file.h"
#include "ringway/fs/opening_await.h"

namespace ringway::fs::internal {

class [[nodiscard]] OpenBeneathOp : public OpeningAwait {
 public:
  // `directory` must be usable, and stay open (FileCore::Use). `mode`: 0 unless
  // the flags create something.
  OpenBeneathOp(FileCore& directory, std::string path, int flags,
                mode_t mode = 0);
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    if (has_nul_) return leaf.promise().task().SkipWait(leaf);
    return OpeningAwait::await_suspend(leaf);
  }
  absl::StatusOr<File> await_resume();

 private:
  static void OnDone(Runnable& entry);
  static std::string Describe(const Suspension& suspension);

  FileCore& directory_;
  const std::string path_;  // relative
  const bool has_nul_;
  open_how how_ = {};
  int tries_left_;
};

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_DIRECTORY_OPEN_BENEATH_H_
