// SPDX-License-Identifier: Apache-2.0
//
// KernelRing: the two shared-memory queues of one io_uring instance and the
// system call that serves both. Independent of Operation.
//
// liburing sets up the ring and maps it. This class drives the queues because
// one io_uring_enter per turn must submit, wait with or without a deadline
// and flush completions, with every errno returned to the caller; liburing
// 2.3 has no such call.

#ifndef RINGWAY_BACKENDS_URING_KERNEL_RING_H_
#define RINGWAY_BACKENDS_URING_KERNEL_RING_H_

#include <liburing.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringway::uring {

class KernelRing {
 public:
  struct Config {
    uint32_t submission_entries;
    uint32_t completion_entries;
    bool large_entries;  // IORING_SETUP_SQE128 and CQE32
    bool polled;         // IORING_SETUP_IOPOLL: for direct reads and writes
    // If not 0, the kernel accepts only these IORING_OP_*: bit n is opcode n.
    uint64_t restricted_to;
    uint32_t bounded_workers;    // 0: the kernel's own limit
    uint32_t unbounded_workers;  // likewise
    // Treated as unknown to the kernel.
    uint32_t masked_setup_flags;
    uint32_t masked_features;
    uint64_t masked_opcodes;
  };

  // Sets up a ring with the best set of flags that the kernel accepts, and
  // checks with one round trip that it works. Only the calling thread may use
  // it.
  //
  // Errors: that of io_uring_setup, with the cause and the remedy;
  //         Unimplemented if the kernel lacks a required feature.
  static absl::StatusOr<std::unique_ptr<KernelRing>> Create(
      const Config& config);

  KernelRing(const KernelRing&) = delete;
  KernelRing& operator=(const KernelRing&) = delete;
  ~KernelRing();

  // For a forked child, before it destroys its copy: the queues are not
  // mapped there, and unmapping would hit whatever the child has mapped at
  // their addresses.
  void ForgetInChild();

  // A zeroed submission entry, or null if the queue is full until the next
  // Enter().
  io_uring_sqe* NextEntry();

  // Entries written since the kernel last took some.
  uint32_t unsubmitted() const;

  // Calls `visit(io_uring_sqe&)` for each of these entries, oldest first. The
  // kernel has not read them yet, so they can still be changed.
  template <typename Visitor>
  void ForEachUnsubmitted(Visitor&& visit) {
    for (uint32_t i = *ring_.sq.khead; i != tail_; ++i) visit(*EntryAt(i));
  }

  // Submits all entries and, if `block`, waits for a completion, at most
  // `timeout` if that is not null. Always requests events: with DEFER_TASKRUN
  // completions are posted only then. Returns the number submitted, or
  // -errno.
  int Enter(bool block, const __kernel_timespec* timeout);

  // Waits for a completion without submitting anything, at most `timeout`.
  // Returns 0 or -errno.
  int WaitOnly(const __kernel_timespec& timeout);

  // Calls `visit(const io_uring_cqe&)` for every available completion.
  // Returns their number.
  template <typename Visitor>
  uint32_t Reap(Visitor&& visit) {
    uint32_t head = *ring_.cq.khead;
    const uint32_t tail = io_uring_smp_load_acquire(ring_.cq.ktail);
    const uint32_t n = tail - head;
    for (; head != tail; ++head)
      visit(ring_.cq.cqes[(head & cq_mask_) << cqe_shift_]);
    if (n > 0) io_uring_smp_store_release(ring_.cq.khead, head);
    return n;
  }

  bool HasCompletions() const {
    return io_uring_smp_load_acquire(ring_.cq.ktail) != *ring_.cq.khead;
  }

  // True if the kernel holds back completions until the next Enter().
  bool NeedsEnter() const;

  // True if every completion makes HasCompletions() or NeedsEnter() true:
  // either there is a flag for those held back, or none are.
  bool ShowsCompletions() const {
    constexpr unsigned kHeldBack =
        IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN;
    return (ring_.flags & IORING_SETUP_TASKRUN_FLAG) != 0 ||
           (ring_.flags & kHeldBack) == 0;
  }

  // True if the kernel supports this IORING_OP_*.
  bool Knows(uint8_t opcode) const {
    return (known_opcodes_ >> opcode & 1) != 0;
  }

  uint32_t setup_flags() const { return ring_.flags; }
  // The room for arguments in a command entry, in bytes.
  size_t command_bytes() const { return sqe_shift_ == 0 ? 16 : 80; }
  uint32_t submission_entries() const { return sq_mask_ + 1; }
  uint32_t completion_entries() const { return cq_mask_ + 1; }
  int fd() const { return ring_.ring_fd; }
  io_uring* get() { return &ring_; }

  // "SINGLE_ISSUER|DEFER_TASKRUN|...": the relevant flags in use.
  std::string FlagNames() const;

 private:
  KernelRing() = default;
  absl::Status SetUp(const Config& config);
  absl::Status CheckFeatures(uint32_t features);
  absl::Status CheckOpcodes(uint64_t masked);
  absl::Status CheckRoundTrip();
  absl::Status LimitWorkers(const Config& config);
  absl::Status Restrict(uint64_t opcodes);
  io_uring_sqe* EntryAt(uint32_t index) {
    return &ring_.sq.sqes[(index & sq_mask_) << sqe_shift_];
  }
  int SystemCall(uint32_t to_submit, bool block,
                 const __kernel_timespec* timeout);

  io_uring ring_{};
  bool ready_ = false;
  uint64_t known_opcodes_ = 0;  // bit n: opcode n
  uint32_t sq_mask_ = 0;
  uint32_t cq_mask_ = 0;
  uint32_t sqe_shift_ = 0;  // 1: entries are twice the usual size
  uint32_t cqe_shift_ = 0;
  uint32_t tail_ = 0;  // ours; published to the kernel by Enter()
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_KERNEL_RING_H_
