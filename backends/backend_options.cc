// SPDX-License-Identifier: Apache-2.0

#include "backends/backend_options.h"

#include "absl/strings/str_cat.h"

namespace ringway {

std::string_view BackendKindName(BackendKind kind) {
  switch (kind) {
    case BackendKind::kAuto:
      return "auto";
    case BackendKind::kUring:
      return "uring";
    case BackendKind::kEpoll:
      return "epoll";
  }
  return "unknown";
}

absl::StatusOr<BackendKind> ParseBackendKind(std::string_view text) {
  for (BackendKind kind :
       {BackendKind::kAuto, BackendKind::kUring, BackendKind::kEpoll}) {
    if (text == BackendKindName(kind)) return kind;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown backend \"", text, "\": expected auto, uring or epoll"));
}

}  // namespace ringway
