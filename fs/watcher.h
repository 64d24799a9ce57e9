// SPDX-License-Identifier: Apache-2.0
//
// Watcher: what happens to files and in directories, as a stream of events
// (inotify(7)).
//
//   absl::StatusOr<fs::Watcher> watcher = co_await fs::Watcher::Create();
//   absl::StatusOr<int> watch =
//       co_await watcher->Add("conf.d", IN_CLOSE_WRITE | IN_MOVED_TO);
//   absl::StatusOr<fs::WatchEvent> event = co_await watcher->Next();
//
// A hint of what to look at, no log: the kernel joins equal events, and what
// happened before Add() or below a new subdirectory is not told. Linux only;
// the simulator has none (Unimplemented).

#ifndef RINGWAY_FS_WATCHER_H_
#define RINGWAY_FS_WATCHER_H_

#include <sys/inotify.h>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/fs/file.h"

namespace ringway::fs {

struct WatchEvent {
  WatchEvent() {}

  int watch = -1;       // as Add() returned it; -1 for an overflow
  uint32_t mask = 0;    // IN_*
  uint32_t cookie = 0;  // the same for both parts of a rename
  std::string name;     // in the watched directory; empty: the watched itself

  // Events were lost, of any watch, because nobody took them in time: look at
  // everything anew.
  bool overflow() const { return (mask & IN_Q_OVERFLOW) != 0; }
  // No more will come from this watch: it was removed, or what it watched.
  bool ended() const { return (mask & IN_IGNORED) != 0; }
};

namespace internal {

// Events as inotify(7) has them.
class EventBuffer {
 public:
  std::span<std::byte> room() { return bytes_; }
  void Fill(size_t n_bytes);
  bool empty() const { return begin_ == end_; }
  // Requires that it is not empty.
  WatchEvent Take();

  bool in_use = false;  // by a Next() that has not ended

 private:
  size_t begin_ = 0;
  size_t end_ = 0;
  alignas(inotify_event) std::array<std::byte, 16 * 1024> bytes_;
};

}  // namespace internal

// Watcher::Next().
class [[nodiscard]] NextEventOp : public internal::FileOp {
 public:
  NextEventOp(internal::FileCore* core,
              std::shared_ptr<internal::EventBuffer> events);
  ~NextEventOp();
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    if (usable() && !events_->empty())
      return leaf.promise().task().SkipWait(leaf);
    return FileOp::await_suspend(leaf);
  }
  absl::StatusOr<WatchEvent> await_resume();

 private:
  const std::shared_ptr<internal::EventBuffer> events_;
};

// Watcher::Add().
class [[nodiscard]] AddWatchOp : public internal::FileOp {
 public:
  AddWatchOp(internal::FileCore* core, std::string path, uint32_t mask);
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    if (has_nul_) return leaf.promise().task().SkipWait(leaf);
    return FileOp::await_suspend(leaf);
  }
  absl::StatusOr<int> await_resume() const;

 private:
  const std::string path_;
  const bool has_nul_;
};

// Watcher::Remove().
class [[nodiscard]] RemoveWatchOp : public internal::PlainFileOp {
 public:
  RemoveWatchOp(internal::FileCore* core, int watch);
};

// Move-only; may outlive its loop. Dropping it ends all watches.
//
// Threads: the loop's only (checked), except for moving it.
class Watcher {
 public:
  // Errors: EMFILE (fs.inotify.max_user_instances, 128 for each user, is the
  //         usual reason); Unimplemented in the simulator.
  static Task<absl::StatusOr<Watcher>> Create();

  Watcher(Watcher&&) noexcept = default;
  Watcher& operator=(Watcher&&) noexcept = default;

  // Watches `path`, a file or a directory, for `mask`: IN_* events, IN_ONLYDIR,
  // IN_DONT_FOLLOW and the like. The result is the number of the watch. Adding
  // what is watched already changes its mask and returns the same number.
  //
  // Errors: ENOENT, EACCES, ENOTDIR; ENOSPC (fs.inotify.max_user_watches).
  AddWatchOp Add(std::string path, uint32_t mask) {
    return AddWatchOp(file_.core_.get(), std::move(path), mask);
  }
  // Its last event is one with ended(). EINVAL if there is none.
  RemoveWatchOp Remove(int watch) {
    return RemoveWatchOp(file_.core_.get(), watch);
  }

  // Waits for the next event. One at a time (checked); this object must outlive
  // the await.
  //
  // Cancellation: at any time; no event is lost.
  NextEventOp Next() { return NextEventOp(file_.core_.get(), events_); }

 private:
  explicit Watcher(File file);

  File file_;
  std::shared_ptr<internal::EventBuffer> events_;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_WATCHER_H_
