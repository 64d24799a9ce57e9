// SPDX-License-Identifier: Apache-2.0
//
// Operation: one request to the kernel (or to the simulator) as plain data.
//
// The caller owns it - usually inside an awaitable, hence inside a coroutine
// frame - and its address is its identity while it is in flight, so it is
// immovable and costs no allocation. A backend starts it and completes it
// exactly once; whoever made it says in its Runnable function how to go on.
// Destroying a queued or in-flight operation is a caller bug and aborts in
// every build.
//
//     idle --Start()--> queued --Submit()--> in flight --reaped--> done
//                          \--Cancel()---------------------------->/
//
// Example (a receive by hand; net::TcpStream does this for you):
//   Operation op(&OnReceived);
//   PrepareRecv(op, fd, buffer);  // prepare.h
//   loop.Start(op);  // OnReceived(op) runs later, with op.result set

#ifndef RINGWAY_BACKENDS_OPERATION_H_
#define RINGWAY_BACKENDS_OPERATION_H_

#include <cstddef>
#include <cstdint>

#include "ringway/backends/opcode.h"
#include "ringway/core/check.h"
#include "ringway/core/runnable.h"

namespace ringway {

enum class OpState : uint8_t { kIdle, kQueued, kInFlight, kDone };

// What backends keep with an operation, so that they need no table of their
// own. Each field has one meaning on all backends that use it.
struct BackendState {
  void* memory = nullptr;      // a buffer that goes with the operation
  uint32_t progress = 0;       // bytes moved by the attempts so far
  bool needs_rearm = false;    // it is between two armings
  bool offloaded = false;      // an OffloadPool has it
  bool lost_delivery = false;  // it lacks a delivery, hence is to end
  bool drained = false;        // a receive that has left nothing behind
  bool connecting = false;     // a handshake is under way
  bool copies = false;         // a zero-copy send that has to copy after all
  bool not_polled = false;     // direct I/O that its device does not poll
  bool must_not_wait = false;  // a call that has to return instead (splice)
};

struct Operation : Runnable {
  explicit Operation(Function on_done) : Runnable(on_done) {}
  ~Operation() {
    RINGWAY_CHECK(!active(),
                  "a %s operation on fd %d was destroyed before it completed; "
                  "cancel it and wait "
                  "for its completion first",
                  OpCodeName(opcode), fd);
  }

  bool active() const {
    return state == OpState::kQueued || state == OpState::kInFlight;
  }

  // Moved by the backend and the loop only.
  OpState state = OpState::kIdle;
  bool cancel_requested = false;

  // What to do: set by the Prepare functions (prepare.h), which document what
  // each opcode keeps where; constant from then on.
  OpCode opcode = OpCode::kNop;
  int fd = -1;
  int fd2 = -1;
  uint32_t flags = 0;
  uint32_t length = 0;
  void* address = nullptr;   // must outlive the operation, and so must
  void* address2 = nullptr;  // this
  int64_t offset = 0;
  int64_t offset2 = 0;

  // Its backend's alone, while it is in flight.
  BackendState backend;

  // What came of it, valid in kDone: what the system call would have returned,
  // or -errno.
  int32_t result = 0;
};

// One delivery of a DeliveringOperation. Lives in its backend's pool.
struct Delivery {
  Delivery* next = nullptr;
  int32_t result = 0;  // a new fd, bytes, or a poll mask
  // Lent buffers:
  uint16_t buffer_id = 0;     // for Backend::ReturnBuffer()
  std::byte* data = nullptr;  // `result` bytes, valid until it is returned
};

// An operation that delivers any number of times and ends once: multishots, and
// zero-copy sends, which deliver the number of bytes that were accepted and end
// when their memory may be changed.
//
// Deliveries queue up in `first_delivery`. `notice` is scheduled when there is
// something new: deliveries, or the end, which comes after all of them and is
// -errno or 0. Backends keep it armed through everything short of an error:
// exhausted buffers, overflow, kernels that end multishots early. Without
// memory for a delivery it ends with -ENOMEM behind the ones before it. Its
// owner takes every delivery (see Backend::DropDeliveries) or leaks an fd or a
// buffer, so that owner is a listener or a stream, never a temporary.
struct DeliveringOperation : Operation {
  explicit DeliveringOperation(Function on_notice)
      : Operation(nullptr), notice(on_notice, this) {}
  ~DeliveringOperation() {
    RINGWAY_CHECK(
        first_delivery == nullptr,
        "a %s operation was destroyed with deliveries that were not taken",
        OpCodeName(opcode));
  }

  // A list node of its own: the operation is still in flight while its notice
  // is scheduled.
  struct Notice : Runnable {
    Notice(Function run, DeliveringOperation* owner)
        : Runnable(run), operation(owner) {}
    DeliveringOperation* operation;
  };
  Notice notice;
  Delivery* first_delivery = nullptr;
  Delivery* last_delivery = nullptr;
  uint32_t delivery_count = 0;  // deliveries that have not been taken
};

// What the loop schedules at the end of `op`.
inline Runnable& EndOf(Operation& op) {
  if (!Delivers(op.opcode)) return op;
  return static_cast<DeliveringOperation&>(op).notice;
}

// True if `op` works on `fd`, in either direction. Directories that paths are
// relative to do not count.
inline bool UsesFd(const Operation& op, int fd) {
  return fd >= 0 && TraitsOf(op.opcode).fds != opcode::kNoFd &&
         (op.fd == fd || op.fd2 == fd);
}

using OperationList = IntrusiveList<Operation>;

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_OPERATION_H_
