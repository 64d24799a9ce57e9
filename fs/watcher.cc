// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/watcher.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/fs/opening_await.h"
#include "ringway/fs/path_names.h"

namespace ringway::fs {
namespace internal {

void EventBuffer::Fill(size_t n_bytes) {
  begin_ = 0;
  end_ = n_bytes;
}

WatchEvent EventBuffer::Take() {
  inotify_event raw;
  memcpy(&raw, &bytes_[begin_], sizeof(raw));
  WatchEvent event;
  event.watch = raw.wd;
  event.mask = raw.mask;
  event.cookie = raw.cookie;
  const auto* name =
      reinterpret_cast<const char*>(bytes_.data() + begin_ + sizeof(raw));
  event.name.assign(name, strnlen(name, raw.len));
  begin_ += sizeof(raw) + raw.len;
  return event;
}

}  // namespace internal

namespace {

class [[nodiscard]] MakeWatcherOp : public internal::OpeningAwait {
 public:
  MakeWatcherOp() { PrepareMakeWatcher(*this); }
  absl::StatusOr<std::unique_ptr<internal::FileCore>> await_resume() {
    if (result == -ECANCELED) return CancelledStatus();
    if (result < 0) return ErrnoToStatus(-result, "inotify_init");
    return TakeCore("an inotify watcher");
  }
};

}  // namespace

NextEventOp::NextEventOp(internal::FileCore* core,
                         std::shared_ptr<internal::EventBuffer> events)
    : FileOp(core), events_(std::move(events)) {
  if (!usable()) return;
  RINGWAY_CHECK(!std::exchange(events_->in_use, true),
                "two tasks wait for the events of a Watcher at a time");
  if (events_->empty())
    PrepareRead(*this, core->fd(), events_->room(), kCurrentPosition);
}

NextEventOp::~NextEventOp() {
  if (usable()) events_->in_use = false;
}

absl::StatusOr<WatchEvent> NextEventOp::await_resume() {
  if (usable() && events_->empty() && result > 0)
    events_->Fill(static_cast<size_t>(result));
  if (usable() && !events_->empty()) return events_->Take();
  absl::Status status = Status("events of");
  if (status.ok()) status = absl::InternalError("inotify ended");
  return status;
}

AddWatchOp::AddWatchOp(internal::FileCore* core, std::string path,
                       uint32_t mask)
    : FileOp(core), path_(std::move(path)), has_nul_(internal::HasNul(path_)) {
  if (usable()) PrepareAddWatch(*this, core->fd(), path_.c_str(), mask);
}

absl::StatusOr<int> AddWatchOp::await_resume() const {
  if (has_nul_)
    return absl::InvalidArgumentError("watch of a path with a NUL byte");
  if (usable() && result < 0 && result != -ECANCELED)
    return ErrnoToStatus(-result, absl::StrCat("watch of ", path_));
  absl::Status status = Status("watch of");
  if (!status.ok()) return status;
  return result;
}

RemoveWatchOp::RemoveWatchOp(internal::FileCore* core, int watch)
    : PlainFileOp(core, "end of a watch of") {
  if (usable()) PrepareRemoveWatch(*this, core->fd(), watch);
}

Watcher::Watcher(File file)
    : file_(std::move(file)),
      events_(std::make_shared<internal::EventBuffer>()) {}

Task<absl::StatusOr<Watcher>> Watcher::Create() {
  absl::StatusOr<std::unique_ptr<internal::FileCore>> core =
      co_await MakeWatcherOp();
  if (!core.ok()) co_return core.status();
  co_return Watcher(File(*std::move(core)));
}

}  // namespace ringway::fs
