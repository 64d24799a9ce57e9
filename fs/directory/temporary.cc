// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/directory/temporary.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/fs/directory/remove_all.h"
#include "ringway/fs/directory/remove_now.h"
#include "ringway/fs/path_names.h"
#include "ringway/fs/path_ops.h"

namespace ringway::fs {
namespace internal {
namespace {

constexpr char kTemporary[] = "a temporary file";

Task<void> RemoveInBackground(std::unique_ptr<TemporaryName> name) {
  Shield shield;  // the end of the executor waits for it
  Task<absl::Status> remove = RemoveAll(name->path());
  if ((co_await std::move(remove)).ok()) name->Keep();
}

}  // namespace

TemporaryName::~TemporaryName() {
  if (!loop_ended()) RemoveNow();
}

void TemporaryName::RemoveNow() {
  if (!std::exchange(is_there_, false)) return;
  internal::RemoveNow(loop_.backend(), AT_FDCWD, path_);
}

void TemporaryName::Drop(std::unique_ptr<TemporaryName> name) {
  if (name == nullptr || LetGoWithoutLoop(name, kTemporary)) return;
  Executor* executor = Executor::Current();
  if (!name->is_there_ || executor == nullptr ||
      &executor->loop() != &name->loop_) {
    return;
  }
  static_cast<void>(executor->Spawn(RemoveInBackground(std::move(name))));
}

TemporaryHandle& TemporaryHandle::operator=(TemporaryHandle&& other) noexcept {
  if (this != &other) {
    TemporaryName::Drop(std::move(name_));
    name_ = std::move(other.name_);
  }
  return *this;
}

const std::string& TemporaryHandle::path() const {
  static const std::string none;
  return name_ != nullptr ? name_->path() : none;
}

void TemporaryHandle::Keep() {
  if (name_ != nullptr) name_->Keep();
  TemporaryName::Drop(std::move(name_));
}

Task<absl::Status> TemporaryHandle::Remove() {
  const Unusable why = LoopDependent::WhyUnusable(name_.get(), kTemporary);
  if (why != Unusable::kNo) co_return UnusableStatus(why, "temporary file");
  const std::unique_ptr<TemporaryName> name = std::move(name_);
  Task<absl::Status> remove = RemoveAll(name->path());
  absl::Status status = co_await std::move(remove);
  if (status.ok()) name->Keep();
  co_return status;
}

}  // namespace internal

namespace {

std::string NewName(const std::string& directory, const std::string& prefix) {
  return internal::NameBeside(absl::StrCat(directory, "/", prefix));
}

}  // namespace

Task<absl::StatusOr<TemporaryFile>> MakeTemporaryFile(std::string directory,
                                                      std::string prefix) {
  OpenOptions options = OpenOptions::ForUpdating();
  options.create_new = true;
  options.mode = 0600;
  for (int i = 0;; ++i) {
    std::string path = NewName(directory, prefix);
    absl::StatusOr<File> file = co_await File::Open(path, options);
    if (!file.ok() && ErrnoOf(file.status()) == EEXIST &&
        i < internal::kMostNames) {
      continue;
    }
    if (!file.ok()) co_return file.status();
    Loop& loop = Executor::RunningTask("a temporary file").loop();
    auto name =
        std::make_unique<internal::TemporaryName>(loop, std::move(path));
    co_return TemporaryFile(std::move(name), *std::move(file));
  }
}

Task<absl::StatusOr<TemporaryDirectory>> MakeTemporaryDirectory(
    std::string directory, std::string prefix) {
  for (int i = 0;; ++i) {
    std::string path = NewName(directory, prefix);
    const absl::Status made = co_await MakeDirectory(path, 0700);
    if (ErrnoOf(made) == EEXIST && i < internal::kMostNames) continue;
    if (!made.ok()) co_return made;
    Loop& loop = Executor::RunningTask("a temporary directory").loop();
    auto name =
        std::make_unique<internal::TemporaryName>(loop, std::move(path));
    co_return TemporaryDirectory(std::move(name));
  }
}

}  // namespace ringway::fs
