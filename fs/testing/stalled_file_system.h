// SPDX-License-Identifier: Apache-2.0
//
// StalledFileSystem: a file system of the kernel whose disk takes its time, and
// fails if asked: a FUSE server, in a process of its own, that sleeps before it
// answers.

#ifndef RINGWAY_FS_TESTING_STALLED_FILE_SYSTEM_H_
#define RINGWAY_FS_TESTING_STALLED_FILE_SYSTEM_H_

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringway::fs::testing {

class StalledFileSystem {
 public:
  // Mounts it on the directory `path`. It has one file, `path`/file, whose
  // opening, reads, writes and syncs take `stall` each. Only this thread, and
  // those that it starts afterwards, see it: so do it before the first
  // operation on a file.
  //
  // Errors: those of unshare(2), mount(2) and opening /dev/fuse.
  static absl::StatusOr<std::unique_ptr<StalledFileSystem>> Mount(
      std::string path, absl::Duration stall);
  StalledFileSystem(const StalledFileSystem&) = delete;
  StalledFileSystem& operator=(const StalledFileSystem&) = delete;
  // Its file must be closed.
  ~StalledFileSystem();

  std::string file() const { return path_ + "/file"; }

  // From now on reads, writes, syncs or closes of the file that get as far as
  // the disk fail with `errnum`, until that is 0 again. What the page cache has
  // is read all the same.
  enum Call : uint8_t { kRead, kWrite, kSync, kClose };
  void Fail(Call call, int errnum) { shared_->errors[call] = errnum; }

  // What the server's process sees, too.
  struct Shared {
    std::array<std::atomic<int>, kClose + 1> errors;
  };

 private:
  StalledFileSystem(std::string path, Shared* shared, pid_t server)
      : path_(std::move(path)), shared_(shared), server_(server) {}

  const std::string path_;
  Shared* const shared_;
  const pid_t server_;
};

}  // namespace ringway::fs::testing

#endif  // RINGWAY_FS_TESTING_STALLED_FILE_SYSTEM_H_
