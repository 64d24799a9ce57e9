// SPDX-License-Identifier: Apache-2.0

#include "backends/make_backend.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "backends/uring/uring_backend.h"

namespace ringway {
namespace {

absl::StatusOr<BackendKind> ChosenKind(const BackendOptions& options) {
  const char* from_environment = getenv("RINGWAY_BACKEND");
  if (from_environment == nullptr) return options.kind;
  absl::StatusOr<BackendKind> kind = ParseBackendKind(from_environment);
  if (kind.ok()) return kind;
  return absl::InvalidArgumentError(
      absl::StrCat("RINGWAY_BACKEND: ", kind.status().message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(
    const BackendOptions& options) {
  absl::StatusOr<BackendKind> kind = ChosenKind(options);
  if (!kind.ok()) return kind.status();
  switch (*kind) {
    case BackendKind::kAuto:
    case BackendKind::kUring:
      return uring::UringBackend::Create(options);
    case BackendKind::kEpoll:
      return absl::UnimplementedError(
          "this build has no epoll backend; use auto or uring");
  }
  return absl::InvalidArgumentError("BackendOptions::kind has no such value");
}

}  // namespace ringway
