// SPDX-License-Identifier: Apache-2.0
//
// The choice and the sizes of a backend. The defaults fit most programs.

#ifndef RINGWAY_BACKENDS_BACKEND_OPTIONS_H_
#define RINGWAY_BACKENDS_BACKEND_OPTIONS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/compiler.h"

namespace ringway {

enum class BackendKind : uint8_t {
  kAuto,   // io_uring; epoll with one log line if io_uring is refused
  kUring,  // io_uring or an error
  kEpoll,  // epoll or an error
};

std::string_view BackendKindName(BackendKind kind);

// "auto", "uring" or "epoll"; InvalidArgument otherwise.
absl::StatusOr<BackendKind> ParseBackendKind(std::string_view text);

// Whether reads and writes of files opened with O_DIRECT use a separate ring
// that polls for completions instead of waiting for interrupts.
enum class DirectPolling : uint8_t {
  kOff,
  kAuto,      // until a device refuses it, then no more; each is counted
  kRequired,  // -EOPNOTSUPP if the device has no poll queues
};

// Upper limit of receive_memory_bytes and receive_copy_bytes. This is address
// space; only used pages become memory.
inline constexpr uint64_t kMostReceiveBytes = uint64_t{4} << 30;

// Upper limit of receive_buffer_count.
inline constexpr uint32_t kMostReceiveBuffers = 32'768;

// Enough for any datagram with its sender and control messages.
inline constexpr uint32_t kDatagramBufferBytes = 68 * 1024;

// Upper limit of bounded_workers and unbounded_workers.
inline constexpr uint32_t kMostKernelWorkers = 32'768;

struct UringOptions {
  UringOptions() {}

  // Makes the kernel refuse every opcode and registration that this runtime
  // does not use (IORING_REGISTER_RESTRICTIONS).
  bool restricted = false;

  // 128-byte submission and 32-byte completion entries, for commands with more
  // than 16 bytes of arguments.
  bool large_entries = false;

  // Slots for registered files, 0 to 32,768: see BackendHints::RegisterFd().
  uint32_t registered_files = 0;

  // Threads the kernel may start for requests that would block it: on regular
  // files and block devices, and on everything else. 0 to kMostKernelWorkers; 0
  // keeps the kernel's own limits.
  uint32_t bounded_workers = 8;
  uint32_t unbounded_workers = 64;

  // For reads and writes marked kDirectIo. The ring is made with the first of
  // them, or at once if it is required.
  DirectPolling direct_polling = DirectPolling::kOff;

  // Features to treat as unknown to the kernel, so that tests run as on an
  // older one: IORING_SETUP_* and IORING_FEAT_* flags, and opcodes (bit n is
  // opcode n).
  uint32_t masked_setup_flags = 0;
  uint32_t masked_features = 0;
  uint64_t masked_opcodes = 0;
};

struct BackendOptions {
  // Not an aggregate: g++ 12 destroys aggregate temporaries twice in co_await.
  BackendOptions() {}

  BackendKind kind = BackendKind::kAuto;

  // Operations submitted to the kernel in one batch, 1 to 32,768; rounded up
  // to a power of two. More may be in flight: the surplus stays queued in the
  // loop.
  uint32_t submission_entries = 512;

  // Completions that fit without the kernel's overflow list, 2 to 65,536, at
  // least submission_entries; rounded up to a power of two. Overflow is
  // slower, never lossy. io_uring looks up operations to cancel in a table of
  // a 32nd of this size (Linux 6.18), so it should be large for tens of
  // thousands in flight.
  uint32_t completion_entries = 4096;

  // The most memory that all buffers lent to multishot receives take, up to
  // kMostReceiveBytes; ReceiveBufferCounts() of them fit. They are used and
  // given back as needed: BackendStats::receive_memory. With copies and memory
  // of receives' own, peers can make a worker use
  //
  //   receive_memory_bytes + receive_copy_bytes
  //     + 2 * receive_own_bytes * connections
  //
  // and not more, if the task of each connection keeps one delivery at a time.
  // Datagrams are in docs/backends.md.
  size_t receive_memory_bytes = 64 * 1024 * 1024;

  // The size of a buffer, 64 bytes to 1 GiB.
  uint32_t receive_buffer_bytes = 256 * 1024;

  // The most buffers, up to kMostReceiveBuffers, which must fit into
  // receive_memory_bytes. 0: as many as fit.
  uint32_t receive_buffer_count = 0;

  // Lets streams put several deliveries into a buffer, one after the other, so
  // that large messages come whole and small ones take little memory. A buffer
  // serves again when all of them have been returned. On io_uring this needs
  // Linux 6.12 and is tested at start-up.
  bool share_receive_buffers = true;

  // When fewer receive buffers than this are left, deliveries are copied and
  // their buffers returned at once, so that tasks that keep deliveries do not
  // starve others. 0: a quarter of them. At most their number.
  uint32_t receive_low_water = 0;

  // Upper limit of the bytes in such copies, 0 to kMostReceiveBytes. Beyond
  // it deliveries keep their buffers.
  size_t receive_copy_bytes = 4 * 1024 * 1024;

  // When no receive buffer is left, a receive gets memory of its own of this
  // size, 0 to 1 MiB, unless it has deliveries that were not taken yet: so
  // however many buffers are held, every connection advances. 0: it waits until
  // a buffer is returned.
  uint32_t receive_own_bytes = 4 * 1024;

  // Enables Backend::PollableFd(), for loops that are nested in another one.
  // On io_uring completions then cost a little more.
  bool pollable = false;

  // Threads for operations that have no asynchronous form on this backend, 1 to
  // 256; started when first needed.
  uint32_t offload_threads = 4;

  // For io_uring only; the other backends ignore them.
  UringOptions uring;
};

// InvalidArgument with the option and its limits if one is out of range.
absl::Status CheckBackendOptions(const BackendOptions& options);

// The most receive buffers there may be, at least one of each kind. On io_uring
// datagrams have their own, no larger than any datagram: up to 64, in a
// sixteenth of receive_memory_bytes. Requires valid options.
struct ReceiveBufferCount {
  uint32_t streams = 0;
  uint32_t datagrams = 0;
};
ReceiveBufferCount ReceiveBufferCounts(const BackendOptions& options);

// The size of a receive buffer for datagrams alone.
inline uint32_t DatagramBufferBytes(const BackendOptions& options) {
  return std::min(options.receive_buffer_bytes, kDatagramBufferBytes);
}

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_BACKEND_OPTIONS_H_
