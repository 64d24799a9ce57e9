// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/kernel_ring.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <mutex>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "ringway/backends/common/or_errno.h"
#include "ringway/backends/uring/call_error.h"
#include "ringway/core/errno_status.h"

namespace ringway::uring {
namespace {

struct NamedFlag {
  uint32_t flag;
  const char* name;
};

constexpr NamedFlag kFlagNames[] = {
    {IORING_SETUP_SINGLE_ISSUER, "SINGLE_ISSUER"},
    {IORING_SETUP_DEFER_TASKRUN, "DEFER_TASKRUN"},
    {IORING_SETUP_COOP_TASKRUN, "COOP_TASKRUN"},
    {IORING_SETUP_TASKRUN_FLAG, "TASKRUN_FLAG"},
    {IORING_SETUP_SUBMIT_ALL, "SUBMIT_ALL"},
};

// Best first. The kernel returns EINVAL for a flag or a combination that it
// does not support. A set that defers or batches task work includes
// TASKRUN_FLAG, on which NeedsEnter() depends.
constexpr uint32_t kFlagSets[] = {
    // 6.1: completions are processed on this thread inside its own enter,
    // without interrupts.
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
    // 6.0
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN |
        IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
    // 5.19
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
        IORING_SETUP_SUBMIT_ALL,
    // 5.18
    IORING_SETUP_SUBMIT_ALL,
    0,
};

// Required with any flag set: without them completions could be lost
// (NODROP), waits could not time out (EXT_ARG), sockets would occupy kernel
// threads (FAST_POLL), arguments would have to outlive the submission
// (SUBMIT_STABLE).
constexpr NamedFlag kRequiredFeatures[] = {
    {IORING_FEAT_NODROP, "NODROP"},
    {IORING_FEAT_EXT_ARG, "EXT_ARG"},
    {IORING_FEAT_FAST_POLL, "FAST_POLL"},
    {IORING_FEAT_SUBMIT_STABLE, "SUBMIT_STABLE"},
};

constexpr NamedFlag kRequiredOpcodes[] = {
    {IORING_OP_NOP, "NOP"},
    {IORING_OP_READ, "READ"},
    {IORING_OP_READV, "READV"},
    {IORING_OP_WRITEV, "WRITEV"},
    {IORING_OP_SPLICE, "SPLICE"},
    {IORING_OP_WRITE, "WRITE"},
    {IORING_OP_RECV, "RECV"},
    {IORING_OP_SEND, "SEND"},
    {IORING_OP_RECVMSG, "RECVMSG"},
    {IORING_OP_SENDMSG, "SENDMSG"},
    {IORING_OP_ACCEPT, "ACCEPT"},
    {IORING_OP_CONNECT, "CONNECT"},
    {IORING_OP_SOCKET, "SOCKET"},
    {IORING_OP_SHUTDOWN, "SHUTDOWN"},
    {IORING_OP_CLOSE, "CLOSE"},
    {IORING_OP_POLL_ADD, "POLL_ADD"},
    {IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL"},
};

// Held while queues are mapped or unmapped. One thread's mapping may reuse
// the addresses of another's. The kernel orders the two calls, but liburing
// bypasses the C library, so ThreadSanitizer only sees this lock.
class MappingLock {
 public:
#ifdef ABSL_HAVE_THREAD_SANITIZER
  MappingLock() : lock_(mutex_) {}

 private:
  static constinit inline std::mutex mutex_;
  const std::lock_guard<std::mutex> lock_;
#else
  MappingLock() {}
#endif
};

// The kernel takes the pages of a large queue without waiting for any to be
// reclaimed, and refuses while the page cache holds what is free (seen on 6.18
// with 65,536 completion entries). Asking again after a moment succeeds.
int InitQueue(uint32_t entries, io_uring& ring, io_uring_params& params) {
  constexpr int kAttempts = 8;
  const io_uring_params wanted = params;
  for (int attempt = 1;; ++attempt) {
    params = wanted;
    int rc;
    {
      MappingLock lock;
      rc = io_uring_queue_init_params(entries, &ring, &params);
    }
    if (rc != -ENOMEM || attempt == kAttempts) return rc;
    absl::SleepFor(absl::Milliseconds(1 << attempt));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<KernelRing>> KernelRing::Create(
    const Config& config) {
  std::unique_ptr<KernelRing> ring(new KernelRing);
  if (absl::Status s = ring->SetUp(config); !s.ok()) return s;
  if (absl::Status s = ring->CheckOpcodes(config.masked_opcodes); !s.ok())
    return s;
  if (absl::Status s = ring->LimitWorkers(config); !s.ok()) return s;
  if (config.restricted_to != 0) {
    if (absl::Status s = ring->Restrict(config.restricted_to); !s.ok())
      return s;
  }
  if (!config.polled) {  // a polled ring does not support no-ops
    if (absl::Status s = ring->CheckRoundTrip(); !s.ok()) return s;
  }
  // A child must not share the queues: it would submit its parent's entries.
  if (int rc = io_uring_ring_dontfork(&ring->ring_); rc < 0) {
    return ErrnoToStatus(-rc, "madvise(MADV_DONTFORK) of an io_uring");
  }
  return ring;
}

absl::Status KernelRing::SetUp(const Config& config) {
  uint32_t wanted = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  if (config.restricted_to != 0) wanted |= IORING_SETUP_R_DISABLED;
  if (config.polled) wanted |= IORING_SETUP_IOPOLL;
  if (config.large_entries) wanted |= IORING_SETUP_SQE128 | IORING_SETUP_CQE32;

  io_uring_params params;
  int rc = -EINVAL;
  for (uint32_t flags : kFlagSets) {
    if ((flags & config.masked_setup_flags) != 0) continue;
    params = {};
    params.flags = flags | wanted;
    params.cq_entries = config.completion_entries;
    rc = InitQueue(config.submission_entries, ring_, params);
    if (rc != -EINVAL) break;
  }
  if (rc < 0) return CallError(-rc, "io_uring_setup", "");
  ready_ = true;

  // Entry i is always in slot i: the indirection array is filled once, here.
  sqe_shift_ = cqe_shift_ = config.large_entries ? 1 : 0;
  sq_mask_ = *ring_.sq.kring_mask;
  cq_mask_ = *ring_.cq.kring_mask;
  for (uint32_t i = 0; i <= sq_mask_; ++i) ring_.sq.array[i] = i;
  return CheckFeatures(params.features & ~config.masked_features);
}

KernelRing::~KernelRing() {
  if (!ready_) return;
  MappingLock lock;
  io_uring_queue_exit(&ring_);
}

void KernelRing::ForgetInChild() {
  close(ring_.ring_fd);
  ready_ = false;
}

absl::Status KernelRing::CheckFeatures(uint32_t features) {
  for (const NamedFlag& feature : kRequiredFeatures) {
    if ((features & feature.flag) == 0) {
      return absl::UnimplementedError(
          absl::StrCat("this kernel's io_uring lacks ", feature.name,
                       "; Linux 6.0 or later is needed"));
    }
  }
  return absl::OkStatus();
}

absl::Status KernelRing::CheckOpcodes(uint64_t masked) {
  // io_uring_get_probe_ring() does not return the errno.
  constexpr unsigned kMaxOpcodes = 256;
  alignas(io_uring_probe)
      std::array<std::byte, sizeof(io_uring_probe) +
                                kMaxOpcodes * sizeof(io_uring_probe_op)>
          storage = {};
  auto* probe = reinterpret_cast<io_uring_probe*>(storage.data());
  if (int rc = io_uring_register_probe(&ring_, probe, kMaxOpcodes); rc < 0) {
    return CallError(-rc, "io_uring_register", "listing io_uring's opcodes");
  }
  for (int opcode = 0; opcode < 64; ++opcode) {
    if (io_uring_opcode_supported(probe, opcode))
      known_opcodes_ |= uint64_t{1} << opcode;
  }
  known_opcodes_ &= ~masked;
  for (const NamedFlag& opcode : kRequiredOpcodes) {
    if (!Knows(static_cast<uint8_t>(opcode.flag))) {
      return absl::UnimplementedError(
          absl::StrCat("this kernel's io_uring lacks ", opcode.name,
                       "; Linux 6.0 or later is needed"));
    }
  }
  return absl::OkStatus();
}

absl::Status KernelRing::CheckRoundTrip() {
  // Some sandboxes allow io_uring_setup but refuse io_uring_enter.
  io_uring_sqe* sqe = NextEntry();
  sqe->opcode = IORING_OP_NOP;
  const __kernel_timespec one_second = {.tv_sec = 1, .tv_nsec = 0};
  int rc;
  do {
    rc = Enter(/*block=*/true, &one_second);
  } while (rc == -EINTR);
  if (rc < 0 && rc != -ETIME) {
    return CallError(-rc, "io_uring_enter", "a first no-op");
  }
  if (Reap([](const io_uring_cqe&) {}) != 1) {
    return absl::UnavailableError(
        "io_uring did not complete a no-op within a second");
  }
  return absl::OkStatus();
}

// The kernel runs requests that would block on its own threads and starts
// hundreds of them unless limited (IORING_REGISTER_IOWQ_MAX_WORKERS, Linux
// 5.15).
absl::Status KernelRing::LimitWorkers(const Config& config) {
  unsigned int limits[2] = {config.bounded_workers, config.unbounded_workers};
  if (int rc = io_uring_register_iowq_max_workers(&ring_, limits); rc < 0) {
    return CallError(-rc, "io_uring_register",
                     "limiting the worker threads of an io_uring");
  }
  return absl::OkStatus();
}

absl::Status KernelRing::Restrict(uint64_t opcodes) {
  std::vector<io_uring_restriction> rules;
  const auto allow = [&rules](uint16_t kind, uint8_t value) {
    io_uring_restriction& rule = rules.emplace_back();
    rule.opcode = kind;
    rule.sqe_op = value;  // the union's other members are at the same offset
  };
  for (uint8_t opcode = 0; opcode < 64; ++opcode) {
    if ((opcodes >> opcode & 1) != 0 && Knows(opcode))
      allow(IORING_RESTRICTION_SQE_OP, opcode);
  }
  for (uint8_t opcode :
       {IORING_REGISTER_PBUF_RING, IORING_UNREGISTER_PBUF_RING,
        IORING_REGISTER_BUFFERS2, IORING_REGISTER_BUFFERS_UPDATE,
        IORING_REGISTER_FILES2, IORING_REGISTER_FILES_UPDATE,
        IORING_REGISTER_ENABLE_RINGS}) {
    allow(IORING_RESTRICTION_REGISTER_OP, opcode);
  }
  allow(IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
        IOSQE_ASYNC | IOSQE_BUFFER_SELECT | IOSQE_FIXED_FILE);
  if (int rc = io_uring_register_restrictions(
          &ring_, rules.data(), static_cast<unsigned>(rules.size()));
      rc < 0) {
    return CallError(-rc, "io_uring_register",
                     "restricting an io_uring to known opcodes");
  }
  if (int rc = io_uring_enable_rings(&ring_); rc < 0) {
    return CallError(-rc, "io_uring_register",
                     "enabling a restricted io_uring");
  }
  return absl::OkStatus();
}

io_uring_sqe* KernelRing::NextEntry() {
  if (unsubmitted() > sq_mask_) return nullptr;
  io_uring_sqe* sqe = EntryAt(tail_++);
  memset(sqe, 0, sizeof(*sqe) << sqe_shift_);
  return sqe;
}

uint32_t KernelRing::unsubmitted() const {
  // Without SQPOLL the kernel moves the head only inside Enter(), on this
  // thread.
  return tail_ - *ring_.sq.khead;
}

bool KernelRing::NeedsEnter() const {
  const uint32_t flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED);
  return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

int KernelRing::Enter(bool block, const __kernel_timespec* timeout) {
  io_uring_smp_store_release(ring_.sq.ktail, tail_);
  return SystemCall(unsubmitted(), block, timeout);
}

int KernelRing::WaitOnly(const __kernel_timespec& timeout) {
  return SystemCall(0, /*block=*/true, &timeout);
}

int KernelRing::SystemCall(uint32_t to_submit, bool block,
                           const __kernel_timespec* timeout) {
  unsigned flags = IORING_ENTER_GETEVENTS;
  io_uring_getevents_arg arg = {};
  const void* arg_pointer = nullptr;
  size_t arg_size = _NSIG / 8;
  if (block && timeout != nullptr) {
    flags |= IORING_ENTER_EXT_ARG;
    arg.ts = reinterpret_cast<uintptr_t>(timeout);
    arg_pointer = &arg;
    arg_size = sizeof(arg);
  }
  return static_cast<int>(
      OrErrno(syscall(__NR_io_uring_enter, ring_.ring_fd, to_submit,
                      block ? 1 : 0, flags, arg_pointer, arg_size)));
}

std::string KernelRing::FlagNames() const {
  std::string names;
  for (const NamedFlag& flag : kFlagNames) {
    if ((setup_flags() & flag.flag) == 0) continue;
    absl::StrAppend(&names, names.empty() ? "" : "|", flag.name);
  }
  return names.empty() ? "no setup flags" : names;
}

}  // namespace ringway::uring
