// SPDX-License-Identifier: Apache-2.0

#include "backends/backend_options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ringway {
namespace {

absl::Status CheckRange(std::string_view name, uint32_t value, uint32_t low,
                        uint32_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("BackendOptions::", name,
                                                 " is ", value, ", must be ",
                                                 low, " to ", high));
}

}  // namespace

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

absl::Status CheckBackendOptions(const BackendOptions& o) {
  for (const absl::Status& status :
       {CheckRange("submission_entries", o.submission_entries, 1, 32768),
        CheckRange("completion_entries", o.completion_entries,
                   std::max(2u, o.submission_entries), 65536),
        CheckRange("receive_buffer_count", o.receive_buffer_count, 1, 32768),
        CheckRange("receive_buffer_bytes", o.receive_buffer_bytes, 64,
                   1u << 30),
        CheckRange("receive_low_water", o.receive_low_water, 0,
                   o.receive_buffer_count),
        CheckRange("offload_threads", o.offload_threads, 1, 256),
        CheckRange("uring.registered_files", o.uring.registered_files, 0,
                   32768)}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace ringway
