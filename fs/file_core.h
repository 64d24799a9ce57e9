// SPDX-License-Identifier: Apache-2.0
//
// FileCore: one open file of one loop, whose handle may be dropped while
// operations are in flight. Internal.
//
//     File --Abandon()--> adopted by the loop --the last operation has ended-->
//                            closing, by an operation --> deleted

#ifndef RINGWAY_FS_FILE_CORE_H_
#define RINGWAY_FS_FILE_CORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "ringway/backends/operation.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/task_context.h"

namespace ringway::fs::internal {

// What messages call a handle.
inline constexpr char kFileHandle[] = "a File";

// Closes `fd`, of `loop`'s backend, at once: it may wait for the file system.
// 0 or -errno.
int CloseNow(Loop& loop, int fd);

class FileCore : public Orphan {
 public:
  // Hears of the end of a close.
  struct Closer {
    void (*on_closed)(Closer&, int32_t result);
  };

  // Takes over `fd`.
  FileCore(Loop& loop, int fd, std::string path);
  ~FileCore() override;

  Loop& loop() { return loop_; }
  // For another core, which takes the file over. No operation may be in flight.
  int TakeFd() { return std::exchange(fd_, -1); }
  int fd() const { return fd_; }
  // As it was opened; "fd 7" for one that was adopted.
  const std::string& path() const { return path_; }

  // Before `n_bytes` are read without waiting: true if the tasks of this turn
  // have run for their time slice, so that this one has to wait. The clock is
  // read for a few reads at a time.
  bool MustPause(size_t n_bytes, TaskContext& task);

  // Around each operation, and the use of its result.
  void Begin() { ++in_flight_; }
  void End() {
    if (--in_flight_ == 0 && abandoned_) [[unlikely]]
      StartClose();
  }

  // The same for the lifetime of an object.
  class Use;

  // The status of `call` ("read of") on this file: naming it, and `offset`
  // unless that is negative. Cancelled has no text.
  absl::Status StatusOf(std::string_view call, int32_t result,
                        int64_t offset = -1) const;

  // What the first sync that failed returned: the kernel reports an error once,
  // and has dropped what it could not write.
  const absl::Status& sync_failed() const { return sync_failed_; }
  void SetSyncFailed(const absl::Status& status) { sync_failed_ = status; }

  // Transfers the core to its loop, which closes the file when no operation is
  // in flight; deletes it if the loop has ended. Tells `closer`, if not null,
  // unless ForgetCloser() was called first.
  static void Abandon(std::unique_ptr<FileCore> core, Closer* closer = nullptr);
  void ForgetCloser() { closer_ = nullptr; }

 private:
  struct CloseOperation : Operation {
    explicit CloseOperation(FileCore& c) : Operation(&OnDone), core(c) {}
    static void OnDone(Runnable& entry);
    FileCore& core;
  };

  void OnLoopEnd() override;
  void StartClose();

  Loop& loop_;  // may have ended: see loop_ended()
  int fd_;      // -1 once it is closed
  size_t in_flight_ = 0;
  size_t unpaused_bytes_ = 0;  // read since the clock was
  bool abandoned_ = false;
  Closer* closer_ = nullptr;
  CloseOperation close_;
  absl::Status sync_failed_;
  const std::string path_;
};

// Keeps the file open, also if its handle is dropped meanwhile.
class [[nodiscard]] FileCore::Use {
 public:
  explicit Use(FileCore& core) : core_(core) { core_.Begin(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { core_.End(); }

 private:
  FileCore& core_;
};

}  // namespace ringway::fs::internal

#endif  // RINGWAY_FS_FILE_CORE_H_
