// SPDX-License-Identifier: Apache-2.0
//
// Registered: files and memory registered with a ring, so that the kernel
// need not look them up per operation.
//
// A registered fd has the slot of its own number, so looking it up is a bit
// test, and an operation needs no further field. A submission entry may refer
// to a slot only while it is filled, so before a slot is cleared, entries
// that the kernel has not read yet are changed to not use it. Entries that
// the kernel has read hold their file or memory themselves.

#ifndef RINGWAY_BACKENDS_URING_REGISTERED_H_
#define RINGWAY_BACKENDS_URING_REGISTERED_H_

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/uring/kernel_ring.h"
#include "ringway/core/owner_thread.h"

namespace ringway::uring {

class Registered final : public BackendHints {
 public:
  static constexpr uint32_t kMaxRegions = 64;
  static constexpr size_t kMaxRegionBytes = size_t{1} << 30;  // the kernel's

  // `ring` must outlive the result.
  explicit Registered(KernelRing& ring) : ring_(ring) {}

  // Allocates slots for fds below `slots`.
  absl::Status ReserveFiles(uint32_t slots);

  absl::Status RegisterFd(int fd) override;
  // Cost: a system call and a pass over the unsubmitted entries if `fd` is
  //       registered.
  void ForgetFd(int fd) override;
  bool HasFd(int fd) const {
    return static_cast<size_t>(fd) < has_fd_.size() &&
           has_fd_[static_cast<size_t>(fd)];
  }

  absl::Status RegisterMemory(std::span<std::byte> region) override;
  void ForgetMemory(std::span<std::byte> region) override;

  // True if nothing is registered: Apply() would do nothing.
  bool empty() const { return n_fds_ == 0 && n_regions_ == 0; }

  // Changes `sqe`, the entry of `op`, to use registered files and memory.
  void Apply(const Operation& op, io_uring_sqe& sqe) const;

 private:
  absl::Status ReserveMemory();
  void UnuseFd(int fd);
  void UnuseRegion(size_t slot);
  void UseRegion(const Operation& op, uint8_t fixed_opcode,
                 io_uring_sqe& sqe) const;

  const OwnerThread owner_;
  KernelRing& ring_;
  std::vector<bool> has_fd_;
  uint32_t n_fds_ = 0;
  std::vector<std::span<std::byte>> regions_;  // by slot; empty: free
  uint32_t n_regions_ = 0;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_REGISTERED_H_
