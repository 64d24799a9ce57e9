// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/directory/open_beneath.h"

#include <cerrno>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/fs/path_names.h"

namespace ringway::fs::internal {
namespace {

// The kernel cannot follow ".." safely while a directory is renamed anywhere,
// and says EAGAIN.
constexpr int kMostAttempts = 1'000;

}  // namespace

OpenBeneathOp::OpenBeneathOp(FileCore& directory, std::string path, int flags,
                             mode_t mode)
    : OpeningAwait(&OnDone, &OnCancel, &Describe),
      directory_(directory),
      path_(std::move(path)),
      has_nul_(HasNul(path_)),
      tries_left_(kMostAttempts) {
  how_.flags = static_cast<uint64_t>(flags);
  how_.mode = mode;
  how_.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  PrepareOpenAt2(*this, directory.fd(), path_.c_str(), how_);
}

void OpenBeneathOp::OnDone(Runnable& entry) {
  OpenBeneathOp& self = static_cast<OpenBeneathOp&>(Of(entry));
  if (self.result == -EAGAIN && --self.tries_left_ > 0) {
    PrepareOpenAt2(self, self.directory_.fd(), self.path_.c_str(), self.how_);
    if (self.Restart()) return;
    self.state = OpState::kDone;
    self.result = -ECANCELED;
  }
  self.Complete();
}

std::string OpenBeneathOp::Describe(const Suspension& suspension) {
  const OperationAwait& op = static_cast<const OperationAwait&>(suspension);
  const OpenBeneathOp& self = static_cast<const OpenBeneathOp&>(op);
  return absl::StrCat("open of ", self.directory_.path(), "/", self.path_);
}

absl::StatusOr<File> OpenBeneathOp::await_resume() {
  if (has_nul_)
    return absl::InvalidArgumentError("open of a path with a NUL byte");
  if (result == -ECANCELED) return CancelledStatus();
  std::string name = absl::StrCat(directory_.path(), "/", path_);
  if (result == -ENOSYS) {
    return absl::UnimplementedError(
        absl::StrCat("open of ", name,
                     ": there is no openat2(2), which Linux has from 5.6 "
                     "on, and no other way that is safe"));
  }
  if (result < 0) return ErrnoToStatus(-result, absl::StrCat("open of ", name));
  try {
    return File(TakeCore(std::move(name)));
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "open");
  }
}

}  // namespace ringway::fs::internal
