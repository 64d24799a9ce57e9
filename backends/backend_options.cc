// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/backend_options.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_cat.h"
#include "ringway/core/check_option.h"

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

absl::Status CheckBackendOptions(const BackendOptions& o) {
  // Uses the rounded-up count; the largest values fit into 64 bits.
  const uint64_t receive_bytes =
      uint64_t{std::bit_ceil(std::min(o.receive_buffer_count, 1u << 31))} *
      o.receive_buffer_bytes;
  for (const absl::Status& status : {
           CheckOption("BackendOptions::kind", o.kind, BackendKind::kEpoll),
           CheckOption("BackendOptions::submission_entries",
                       o.submission_entries, 1, 32'768),
           CheckOption("BackendOptions::completion_entries",
                       o.completion_entries, std::max(2u, o.submission_entries),
                       65'536),
           CheckOption("BackendOptions::receive_buffer_count",
                       o.receive_buffer_count, 1, 32'768),
           CheckOption("BackendOptions::receive_buffer_bytes",
                       o.receive_buffer_bytes, 64, 1u << 30),
           CheckOption("BackendOptions::receive_buffer_count (a power of two) "
                       "times receive_buffer_bytes",
                       receive_bytes, 64, kMostReceiveBytes),
           CheckOption("BackendOptions::receive_low_water", o.receive_low_water,
                       0, o.receive_buffer_count),
           CheckOption("BackendOptions::receive_copy_bytes",
                       o.receive_copy_bytes, 0, kMostReceiveBytes),
           CheckOption("BackendOptions::receive_own_bytes", o.receive_own_bytes,
                       0, 1u << 20),
           CheckOption("BackendOptions::offload_threads", o.offload_threads, 1,
                       256),
           CheckOption("BackendOptions::uring.registered_files",
                       o.uring.registered_files, 0, 32'768),
           CheckOption("BackendOptions::uring.bounded_workers",
                       o.uring.bounded_workers, 0, kMostKernelWorkers),
           CheckOption("BackendOptions::uring.unbounded_workers",
                       o.uring.unbounded_workers, 0, kMostKernelWorkers),
           CheckOption("BackendOptions::uring.direct_polling",
                       o.uring.direct_polling, DirectPolling::kRequired),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace ringway
