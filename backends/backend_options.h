// SPDX-License-Identifier: Apache-2.0
//
// How a backend is chosen and sized. The defaults serve.

#ifndef RINGWAY_BACKENDS_BACKEND_OPTIONS_H_
#define RINGWAY_BACKENDS_BACKEND_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringway {

enum class BackendKind : uint8_t {
  kAuto,   // io_uring; where it is refused, the next best, with one log line
           // saying why
  kUring,  // io_uring or an error
  kEpoll,  // epoll or an error
};

std::string_view BackendKindName(BackendKind kind);

// "auto", "uring" or "epoll"; InvalidArgument otherwise.
absl::StatusOr<BackendKind> ParseBackendKind(std::string_view text);

struct BackendOptions {
  BackendOptions() {}  // not an aggregate: g++ 12 destroys aggregate
                       // temporaries twice in co_await

  BackendKind kind = BackendKind::kAuto;

  // Operations handed to the kernel in one batch, 1 to 32,768; rounded up to a
  // power of two. More may be in flight: the surplus waits its turn in the
  // loop.
  uint32_t submission_entries = 512;

  // Completions that fit without the kernel's overflow list, 2 to 65,536, at
  // least submission_entries; rounded up to a power of two. Overflow is slower,
  // never lossy.
  uint32_t completion_entries = 4096;

  // Buffers lent to multishot receives: how many (1 to 32,768, rounded up to a
  // power of two) and of how many bytes. Allocated when the first multishot
  // receive starts.
  uint32_t receive_buffer_count = 256;
  uint32_t receive_buffer_bytes = 16 * 1024;

  // IORING_SETUP_* flags to treat as unknown to the kernel: lets tests run as
  // on an older one.
  uint32_t uring_masked_setup_flags = 0;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_BACKEND_OPTIONS_H_
