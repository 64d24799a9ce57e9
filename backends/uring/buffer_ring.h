// SPDX-License-Identifier: Apache-2.0
//
// BufferRing: the receive buffers that the kernel selects from (a
// provided-buffer ring, Linux 5.19).
//
// The cycle of a buffer: available to the kernel -> used and lent to users ->
// returned by all of them. If buffers are shared (IOU_PBUF_RING_INC, Linux
// 6.12) the kernel puts one receive after the other into a buffer until it is
// full, so that large buffers hold large messages whole and small ones cost no
// page each.
//
// The kernel uses the buffers of a ring in turn, so there should be no more
// than needed, for the cache. A few are made at first. More follow when few are
// available; what was never needed for a while leaves the ring again, and its
// memory returns to the system.

#ifndef RINGWAY_BACKENDS_URING_BUFFER_RING_H_
#define RINGWAY_BACKENDS_URING_BUFFER_RING_H_

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/backends/common/receive_account.h"
#include "ringway/backends/uring/kernel_ring.h"
#include "ringway/core/memory/aligned_buffer.h"

namespace ringway::uring {

class BufferRing {
 public:
  // Shared buffers at first, and at least.
  static constexpr uint32_t kFewest = 4;

  struct Config {
    uint16_t group;    // for io_uring_sqe::buf_group
    uint32_t most;     // buffers, up to 32,768
    uint32_t n_bytes;  // of each
    bool shared;       // by several receives
  };

  // Registers the buffers with `ring`, which must be destroyed before the
  // result: the kernel writes into it until then. They are noted in `account`,
  // which must outlive the result. Errors: the kernel's; ResourceExhausted. May
  // throw std::bad_alloc.
  static absl::StatusOr<std::unique_ptr<BufferRing>> Create(
      KernelRing& ring, const Config& config, ReceiveAccount& account);

  // The `n_bytes` that a completion with `cqe_flags` has put into a buffer,
  // lent until Return() of the buffer's id. Completions must be passed in
  // their order.
  std::byte* Lend(uint32_t cqe_flags, size_t n_bytes);

  // Takes back what one Lend() lent (checked).
  void Return(uint32_t id);

  // Makes one more buffer available to the kernel; false if there are as many
  // as there may be.
  bool Grow();

  // Buffers that the kernel may still put something into; completions not yet
  // reaped may have used some.
  uint32_t available() const { return available_; }

  // The same, and those that Grow() can add.
  uint32_t left() const {
    return available_ + config_.most - made_ +
           static_cast<uint32_t>(removed_.size());
  }

  // Few enough that there should be more.
  bool IsLow() const { return available_ < kFewest / 2; }

  // True if there are more than needed just now.
  bool HasSurplus() const { return config_.shared && available_ > kFewest; }

  // Takes out of the ring, and gives the memory back of, what has been
  // available all the time since the last call, except for kFewest. Requires
  // that the kernel uses no buffer meanwhile and that all completions have been
  // passed to Lend().
  void Shrink();

 private:
  struct Buffer {
    uint32_t n_used = 0;  // bytes; the kernel continues behind them
    uint32_t n_lent = 0;  // by Lend(), and not returned
    bool in_ring = false;
  };

  BufferRing(const Config& config, AlignedBuffer memory, AlignedBuffer ring,
             ReceiveAccount& account);
  io_uring_buf_ring* ring() {
    return reinterpret_cast<io_uring_buf_ring*>(ring_.data());
  }
  std::byte* Data(size_t id) { return memory_.data() + id * config_.n_bytes; }
  void Make();
  void Add(uint32_t id);
  void Retire(uint32_t id);
  void Reconsider();

  // Buffers that return between two decisions about their number: so many that
  // bursts are among them. What is given back for one and needed by the next
  // costs a page fault for every 4 KiB.
  static constexpr uint32_t kWindow = 4096;

  const Config config_;
  const uint32_t n_entries_;  // of the ring
  ReceiveAccount& account_;
  uint32_t usual_;           // as many as should be available or lent
  uint32_t lowest_ = 0;      // available_, since the last decision
  uint32_t n_returned_ = 0;  // buffers, since then
  uint32_t unused_ = 0;      // the lowest available_ since the last Shrink()
  AlignedBuffer memory_;
  AlignedBuffer ring_;
  std::vector<Buffer> buffers_;    // by id
  std::vector<uint32_t> removed_;  // ids
  uint32_t made_ = 0;
  uint32_t available_ = 0;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_BUFFER_RING_H_
