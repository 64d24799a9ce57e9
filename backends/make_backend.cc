// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/make_backend.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ringway/backends/epoll/epoll_backend.h"
#include "ringway/backends/uring/call_error.h"
#include "ringway/backends/uring/uring_backend.h"
#include "ringway/core/check.h"
#include "ringway/core/standard_fds.h"

namespace ringway {
namespace {

absl::StatusOr<BackendKind> ChosenKind(const BackendOptions& options) {
  const char* from_environment = secure_getenv("RINGWAY_BACKEND");
  if (from_environment == nullptr) return options.kind;
  absl::StatusOr<BackendKind> kind = ParseBackendKind(from_environment);
  if (kind.ok()) return kind;
  return absl::InvalidArgumentError(
      absl::StrCat("RINGWAY_BACKEND: ", kind.status().message()));
}

// Once per process, because all its loops use the same kernel.
void LogFallback(const absl::Status& refusal) {
  static std::atomic<bool> logged{false};
  if (logged.exchange(true)) return;
  fprintf(stderr, "ringway: using epoll instead of io_uring: %s\n",
          std::string(refusal.message()).c_str());
}

// Combines the error of io_uring, the first choice, with the other.
absl::Status BothFailed(const absl::Status& uring, const absl::Status& epoll) {
  absl::Status both(uring.code(), absl::StrCat(uring.message(),
                                               "; epoll is unavailable too: ",
                                               epoll.message()));
  uring.ForEachPayload([&both](absl::string_view type, const absl::Cord& data) {
    both.SetPayload(type, data);
  });
  return both;
}

absl::StatusOr<std::unique_ptr<Backend>> MakeBestBackend(
    const BackendOptions& options) {
  absl::StatusOr<std::unique_ptr<Backend>> uring =
      uring::UringBackend::Create(options);
  if (uring.ok()) return uring;
  if (!uring::IsRefusal(uring.status())) return uring;
  absl::StatusOr<std::unique_ptr<Backend>> epoll =
      epoll::EpollBackend::Create(options);
  if (!epoll.ok()) return BothFailed(uring.status(), epoll.status());
  LogFallback(uring.status());
  return epoll;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(
    const BackendOptions& options) {
  absl::StatusOr<BackendKind> kind = ChosenKind(options);
  if (!kind.ok()) return kind.status();
  if (absl::Status s = CheckBackendOptions(options); !s.ok()) return s;
  if (absl::Status s = HoldStandardFds(); !s.ok()) return s;
  switch (*kind) {
    case BackendKind::kAuto:
      return MakeBestBackend(options);
    case BackendKind::kUring:
      return uring::UringBackend::Create(options);
    case BackendKind::kEpoll:
      return epoll::EpollBackend::Create(options);
  }
  RINGWAY_CHECK(false,
                "an invalid BackendKind passed the check of the options");
}

}  // namespace ringway
