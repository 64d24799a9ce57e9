// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/backend_options.h"

#include <algorithm>

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

namespace {

// The buffers for datagrams, and one or as many as were asked for.
absl::Status CheckReceiveMemory(const BackendOptions& o) {
  const uint64_t n_streams = std::max(o.receive_buffer_count, 1u);
  const uint64_t n_datagrams = ReceiveBufferCounts(o).datagrams;
  const uint64_t needed =
      n_streams * o.receive_buffer_bytes + n_datagrams * DatagramBufferBytes(o);
  if (needed <= o.receive_memory_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "BackendOptions::receive_memory_bytes is ", o.receive_memory_bytes,
      ", must be at least ", needed, " for ", n_streams,
      " buffers (receive_buffer_count, or one) of ", o.receive_buffer_bytes,
      " bytes (receive_buffer_bytes) and ", n_datagrams, " of ",
      DatagramBufferBytes(o), " for datagrams"));
}

}  // namespace

ReceiveBufferCount ReceiveBufferCounts(const BackendOptions& options) {
  constexpr uint32_t kMostForDatagrams = 64;
  constexpr uint64_t kShareOfDatagrams = 16;
  const uint64_t total = options.receive_memory_bytes;
  const uint64_t most = options.receive_buffer_count != 0
                            ? options.receive_buffer_count
                            : kMostReceiveBuffers;
  const uint64_t n_bytes = DatagramBufferBytes(options);
  const uint64_t n_datagrams =
      std::clamp<uint64_t>(total / kShareOfDatagrams / n_bytes, 1,
                           std::min<uint64_t>(most, kMostForDatagrams));
  const uint64_t rest = total - std::min(total, n_datagrams * n_bytes);
  ReceiveBufferCount count;
  count.streams = static_cast<uint32_t>(
      std::clamp<uint64_t>(rest / options.receive_buffer_bytes, 1, most));
  count.datagrams = static_cast<uint32_t>(n_datagrams);
  return count;
}

absl::Status CheckBackendOptions(const BackendOptions& o) {
  for (const absl::Status& status : {
           CheckOption("BackendOptions::kind", o.kind, BackendKind::kEpoll),
           CheckOption("BackendOptions::submission_entries",
                       o.submission_entries, 1, 32'768),
           CheckOption("BackendOptions::completion_entries",
                       o.completion_entries, std::max(2u, o.submission_entries),
                       65'536),
           CheckOption("BackendOptions::receive_memory_bytes",
                       o.receive_memory_bytes, 128, kMostReceiveBytes),
           CheckOption("BackendOptions::receive_buffer_bytes",
                       o.receive_buffer_bytes, 64, 1u << 30),
           CheckOption("BackendOptions::receive_buffer_count",
                       o.receive_buffer_count, 0, kMostReceiveBuffers),
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
  if (absl::Status status = CheckReceiveMemory(o); !status.ok()) return status;
  return CheckOption("BackendOptions::receive_low_water", o.receive_low_water,
                     0, ReceiveBufferCounts(o).streams);
}

}  // namespace ringway
