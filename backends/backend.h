// SPDX-License-Identifier: Apache-2.0
//
// Backend: the loop's interface to io_uring, epoll or the simulator.
//
// Each loop has one backend, used by the thread that made it (checked); only
// Notify() may be called from other threads. Backends never run callbacks or
// resume coroutines: they move completed operations to a `done` list, which
// the loop runs after the batch. So there is no recursion, the stack is
// constant, and the order can be bounded or shuffled in one place. There is
// one virtual call per batch, not per operation.

#ifndef RINGWAY_BACKENDS_BACKEND_H_
#define RINGWAY_BACKENDS_BACKEND_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway {

// The outcome of Backend::Cancel(). Except for kNotFound, the operation still
// completes exactly once, with -ECANCELED or with its own result if that came
// first.
enum class CancelOutcome : uint8_t {
  kNotStarted,  // it was still queued; it is in `done` now, as cancelled
  kRequested,   // it is in flight; its completion will follow
  kNotFound,    // it is not active; nothing was changed
};

// Memory for what is received, in bytes, now. Receive buffers count whole.
struct ReceiveMemory {
  uint64_t buffers = 0;  // of receive buffers in use or kept for the next use
  uint64_t lent = 0;     // of these, buffers in which a delivery is lent
  uint64_t copies = 0;   // deliveries copied because buffers were low
  uint64_t own = 0;      // memory of receives' own
  uint64_t most = 0;     // the highest value that total() has had

  uint64_t total() const { return buffers + copies + own; }
};

// Counters of one backend since it was made. Written by its thread only.
struct BackendStats {
  uint64_t submitted = 0;      // operations started
  uint64_t completed = 0;      // operations ended (multishot: once, at the end)
  uint64_t deliveries = 0;     // of multishots and zero-copy sends
  uint64_t in_flight = 0;      // currently
  uint64_t system_calls = 0;   // made by Submit() and Wait()
  uint64_t waits = 0;          // of these, those that could block
  uint64_t notifications = 0;  // wake-ups by Notify()
  uint64_t cancels = 0;        // cancels of in-flight operations
  uint64_t rearms = 0;         // multishot operations that were re-armed
  uint64_t buffer_starved = 0;     // of these, for lack of a receive buffer
  uint64_t buffers_copied = 0;     // deliveries copied because buffers were low
  uint64_t own_memory = 0;         // deliveries made when there were none
  uint64_t deliveries_lost = 0;    // for lack of memory: closed or returned
  uint64_t zero_copy_refused = 0;  // sends that had to be copied
  uint64_t zero_copy_forsaken = 0;      // sends that ended with -EBUSY
  uint64_t direct_polling_refused = 0;  // direct transfers not polled for
  uint64_t offloaded = 0;               // operations run by a helper thread
  ReceiveMemory receive_memory;
};

// The constant properties of a backend.
struct BackendInfo {
  std::string_view name;  // "uring", "epoll" or "sim"
  // Its set-up, for the log line: "uring (SINGLE_ISSUER|DEFER_TASKRUN|..., sq
  // 256, cq 4096)".
  std::string description;
  std::array<Support, kOpCodeCount> support = {};
  const Clock* clock = nullptr;  // the time that deadlines refer to
  SocketCalls* sockets = nullptr;
  // Peek() sees completions. False if only a system call finds them, as on
  // epoll, or if time is virtual.
  bool can_peek = false;
  // Completions of direct I/O are polled for where a device allows it.
  bool polls_direct_io = false;
  // Its fds and paths are the kernel's, so system calls may be made on them.
  bool is_kernel = true;
  // The room for the arguments of a kUringCommand; 0 if there are none.
  size_t command_bytes = 0;
};

// Hints to a backend, which may ignore them. They do not change results.
// Threads: the backend's only (checked).
class BackendHints {
 public:
  virtual ~BackendHints() = default;

  // Saves the kernel the page look-up for reads and writes whose buffer lies
  // in `region`. The region must stay mapped until it is forgotten, which
  // requires that no operation in flight uses it. Errors: ResourceExhausted
  // (RLIMIT_MEMLOCK, or too many regions), InvalidArgument (more than 1 GiB).
  virtual absl::Status RegisterMemory(std::span<std::byte>) {
    return absl::OkStatus();
  }
  virtual void ForgetMemory(std::span<std::byte>) {}

  // Saves the kernel the file look-up for operations on `fd`. The file stays
  // open until a kClose operation or ForgetFd(). Errors: ResourceExhausted
  // (no slot: UringOptions::registered_files), or the kernel's.
  virtual absl::Status RegisterFd(int /*fd*/) { return absl::OkStatus(); }
  virtual void ForgetFd(int /*fd*/) {}

  // An implementation that ignores all hints.
  static BackendHints& None();
};

inline BackendHints& BackendHints::None() {
  static BackendHints none;
  return none;
}

// For CancelFd(): all operations in flight.
inline constexpr int kAnyFd = -1;

class Backend {
 public:
  explicit Backend(BackendInfo info) : info_(std::move(info)) {}
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  // Cancels and reaps all operations in flight, without running their
  // functions, before it releases memory that the kernel may refer to.
  // Operations end as done, with their results. Deliveries of multishot
  // operations must have been taken or dropped before, because they are
  // stored in the backend.
  virtual ~Backend() = default;

  // Starts operations from the front of `pending` while there is room. Never
  // blocks. The rest stays in `pending`, in order: call again after Wait().
  virtual void Submit(OperationList& pending, RunnableList& done) = 0;

  // Submits all started operations to the kernel and collects completions.
  // Blocks until there is one, Notify() is called, a signal arrives or
  // `deadline` passes; never blocks if the deadline has passed already. May
  // return without a completion. At most one system call, which also submits.
  virtual void Wait(MonotonicTime deadline, RunnableList& done) = 0;

  // True if Wait() would find a completion now. Reads memory only; used while
  // spinning. Always false unless can_peek().
  virtual bool Peek() const { return false; }

  // Requests that `op` end early. Cannot fail for lack of space.
  virtual CancelOutcome Cancel(Operation& op, RunnableList& done) = 0;

  // Cancel() for every operation in flight on `fd` (or kAnyFd), in either
  // direction. Returns their number. Operations that a loop has queued but
  // not submitted are not in flight. Cost: one pass over the operations in
  // flight.
  virtual size_t CancelFd(int fd, RunnableList& done) = 0;
  size_t CancelAll(RunnableList& done) { return CancelFd(kAnyFd, done); }

  // Cancels all operations in flight and blocks until they have ended.
  // Multishot deliveries can still be taken or dropped. For teardown; the
  // backend remains usable.
  virtual void Quiesce(RunnableList& done) = 0;

  // Runs `op`, which has been prepared but not started, on this thread at once
  // and returns the result of its system call. For what must be done when no
  // loop runs any more, such as removing a name; not for what waits for
  // anything but a disk.
  virtual int32_t RunNow(Operation& op);

  // Does as much of `op`, a kRead at an offset of a file that has been prepared
  // and not started, as the page cache has. Returns the number of bytes, which
  // is not 0, or -EAGAIN if it has nothing, or `op` asks for so much that the
  // backend could copy it on another thread.
  //
  // Cost: a system call, and for what is cached a third less than the
  //       operation, which goes through queues.
  virtual int32_t ReadCached(const Operation& op);

  // Makes the current or the next Wait() return. Any thread, at any time
  // while the backend exists; calls coalesce.
  virtual void Notify() = 0;

  // Takes the next delivery of `op`; false when there is none. `delivery.data`
  // stays valid until ReturnBuffer(delivery.buffer_id).
  virtual bool TakeDelivery(DeliveringOperation& op, Delivery& delivery) = 0;

  // Closes or returns the untaken deliveries of `op`.
  void DropDeliveries(DeliveringOperation& op);

  // Returns a receive buffer for reuse; resumes receives that wait for one.
  virtual void ReturnBuffer(uint32_t buffer_id) = 0;

  // Hints that may save the kernel work. Lives as long as the backend.
  virtual BackendHints& hints() { return BackendHints::None(); }

  // An fd that polls readable while completions can be collected, for nesting
  // this backend's loop in another. Owned by the backend. Requires
  // BackendOptions::pollable (checked).
  virtual int PollableFd() const = 0;

  virtual BackendStats stats() const = 0;

  // --- Constant properties.

  const BackendInfo& info() const { return info_; }
  std::string_view name() const { return info_.name; }
  std::string_view description() const { return info_.description; }
  Support support(OpCode opcode) const {
    return info_.support[static_cast<size_t>(opcode)];
  }
  const Clock& clock() const { return *info_.clock; }
  // Creates, binds and closes the sockets that its operations use.
  SocketCalls& sockets() const { return *info_.sockets; }
  bool can_peek() const { return info_.can_peek; }

 protected:
  // Closes or returns the content of `delivery`, an unwanted one of `op`.
  void Dispose(const DeliveringOperation& op, const Delivery& delivery);

 private:
  const BackendInfo info_;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_BACKEND_H_
