// SPDX-License-Identifier: Apache-2.0
//
// Backend: what a loop needs from io_uring, epoll or the simulator - and
// nothing more.
//
// One backend per loop, used by the thread that made it (checked); only
// Notify() may be called from elsewhere. Backends never resume anybody: they
// move what has completed to a `done` list, and the loop continues it after the
// batch. So there is no recursion, the stack is constant, and order can be
// bounded or shuffled in one place. One virtual call per batch, not per
// operation.

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

// What Backend::Cancel() did. The operation still completes exactly once in
// every case but kNotFound; its result says how: -ECANCELED, or what it had
// come to before the cancel reached it.
enum class CancelOutcome : uint8_t {
  kNotStarted,  // it was still queued; it is in `done` now, as cancelled
  kRequested,   // it is in flight; its completion will follow
  kNotFound,    // it is not active; nothing was touched
};

// Counters of one backend since it was made. Written by its thread only.
struct BackendStats {
  uint64_t submitted = 0;      // operations started
  uint64_t completed = 0;      // operations ended (multishot: once, at the end)
  uint64_t deliveries = 0;     // of multishots and zero-copy sends
  uint64_t in_flight = 0;      // now
  uint64_t system_calls = 0;   // made by Submit() and Wait()
  uint64_t waits = 0;          // of these, the ones that could block
  uint64_t notifications = 0;  // wake-ups by Notify() that were seen
  uint64_t cancels = 0;        // cancels of in-flight operations
  uint64_t rearms = 0;         // multishot operations that were armed again
  uint64_t buffer_starved = 0;     // of these, for want of a provided buffer
  uint64_t buffers_copied = 0;     // deliveries copied because buffers ran low
  uint64_t deliveries_lost = 0;    // for want of memory: closed or given back
  uint64_t zero_copy_refused = 0;  // sends that had to be copied after all
  uint64_t direct_polling_refused = 0;  // direct transfers that could not be
  uint64_t offloaded = 0;  // operations carried out by a helper thread
};

// What a backend is, from its making to its end.
struct BackendInfo {
  std::string_view name;  // "uring", "epoll" or "sim"
  // How it was set up, for the log line: "uring
  // (SINGLE_ISSUER|DEFER_TASKRUN|..., sq 256, cq 4096)".
  std::string description;
  std::array<Support, kOpCodeCount> support = {};
  const Clock* clock = nullptr;  // the time that deadlines refer to
  SocketCalls* sockets = nullptr;
  // Peek() sees completions. False where only a system call finds them, as on
  // epoll, and where time is virtual.
  bool can_peek = false;
};

// Hints to a backend. One without a use for them accepts and ignores them;
// nothing else changes. Threads: the backend's only (checked).
class BackendHints {
 public:
  virtual ~BackendHints() = default;

  // Reads and writes whose buffer lies in `region` save the kernel its look-up
  // of the pages. The region must stay mapped until it is forgotten, which
  // requires that nothing in flight uses it. Errors: ResourceExhausted
  // (RLIMIT_MEMLOCK, or too many regions), InvalidArgument (more than 1 GiB).
  virtual absl::Status RegisterMemory(std::span<std::byte>) {
    return absl::OkStatus();
  }
  virtual void ForgetMemory(std::span<std::byte>) {}

  // Operations on `fd` save the kernel its look-up of the file. The file stays
  // open until a kClose operation or ForgetFd(). Errors: ResourceExhausted (no
  // slot: UringOptions::registered_files), or the kernel's.
  virtual absl::Status RegisterFd(int /*fd*/) { return absl::OkStatus(); }
  virtual void ForgetFd(int /*fd*/) {}

  // Those that are ignored.
  static BackendHints& None();
};

inline BackendHints& BackendHints::None() {
  static BackendHints none;
  return none;
}

// For CancelFd(): all that is in flight.
inline constexpr int kAnyFd = -1;

class Backend {
 public:
  explicit Backend(BackendInfo info) : info_(std::move(info)) {}
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  // Cancels what is in flight and reaps it - nobody is resumed - before
  // anything the kernel may still refer to is released. Operations end up done
  // with their results. What multishot operations delivered must have been
  // taken or dropped before: it lives in the backend.
  virtual ~Backend() = default;

  // Starts operations from the front of `pending` while there is room. Never
  // blocks. What does not fit stays in `pending`, in order: call again after
  // Wait().
  virtual void Submit(OperationList& pending, RunnableList& done) = 0;

  // Hands everything started so far to the kernel and collects completions.
  // Blocks until there is one, Notify() was called, a signal came or `deadline`
  // passed; a deadline that has passed already never blocks. May return with
  // nothing. At most one system call, which is also the submission.
  virtual void Wait(MonotonicTime deadline, RunnableList& done) = 0;

  // True if Wait() would find a completion now. Reads memory only; used while
  // spinning. Always false unless can_peek().
  virtual bool Peek() const { return false; }

  // Asks for `op` to end early. Cannot fail for want of space.
  virtual CancelOutcome Cancel(Operation& op, RunnableList& done) = 0;

  // Cancel() for everything in flight on `fd` (or kAnyFd), in either direction.
  // Returns how many operations were asked. What a loop has queued and not
  // submitted is not in flight. Cost: one pass over what is in flight.
  virtual size_t CancelFd(int fd, RunnableList& done) = 0;
  size_t CancelAll(RunnableList& done) { return CancelFd(kAnyFd, done); }

  // Cancels everything in flight and blocks until all of it has ended.
  // Multishot deliveries stay to be taken or dropped. For teardown; afterwards
  // the backend works as before.
  virtual void Quiesce(RunnableList& done) = 0;

  // Makes a current or the next Wait() return. Any thread, any time while the
  // backend lives; calls coalesce.
  virtual void Notify() = 0;

  // Takes the next delivery of `op`; false when there is none. `delivery.data`
  // stays valid until ReturnBuffer(delivery.buffer_id).
  virtual bool TakeDelivery(DeliveringOperation& op, Delivery& delivery) = 0;

  // Closes or gives back the deliveries of `op` that were not taken.
  void DropDeliveries(DeliveringOperation& op);

  // Gives a receive buffer back for reuse; resumes receives that wait for one.
  virtual void ReturnBuffer(uint16_t buffer_id) = 0;

  // What may spare the kernel work. Lives as long as the backend.
  virtual BackendHints& hints() { return BackendHints::None(); }

  // An fd that polls readable while completions are waiting to be collected: to
  // nest this backend's loop in another. Owned by the backend. Requires
  // BackendOptions::pollable (checked).
  virtual int PollableFd() const = 0;

  virtual BackendStats stats() const = 0;

  // --- What never changes.

  const BackendInfo& info() const { return info_; }
  std::string_view name() const { return info_.name; }
  std::string_view description() const { return info_.description; }
  Support support(OpCode opcode) const {
    return info_.support[static_cast<size_t>(opcode)];
  }
  const Clock& clock() const { return *info_.clock; }
  // Makes, names and closes the sockets that its operations use.
  SocketCalls& sockets() const { return *info_.sockets; }
  bool can_peek() const { return info_.can_peek; }

 protected:
  // Closes or gives back what `delivery`, an unwanted one of `op`, holds.
  void Dispose(const DeliveringOperation& op, const Delivery& delivery);

 private:
  const BackendInfo info_;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_BACKEND_H_
