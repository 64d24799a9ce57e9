// SPDX-License-Identifier: Apache-2.0
//
// Operation: one request to the kernel (or to the simulator) as plain data.
//
// The caller owns it, usually inside an awaitable in a coroutine frame. Its
// address identifies it while it is in flight, so it is immovable and needs
// no allocation. A backend starts it and completes it exactly once; its
// Runnable function then runs. Destroying a queued or in-flight operation is
// a bug and aborts in every build.
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

// The watch for the end of the connection that a receive which stays armed has
// beside it.
enum class EndWatch : uint8_t {
  kNone,
  kArmed,    // in the kernel
  kFired,    // the peer has closed or reset
  kAwaited,  // the receive has ended, with `result`, and waits for its watch
};

// State that backends keep with an operation, so that they need no table.
// Each field has the same meaning on all backends that use it.
struct BackendState {
  union {
    void* memory = nullptr;  // a buffer for the operation, or what the pool
                             // that it was offloaded to links
    int64_t position;        // of a transfer at the position of its file, on
                             // io_uring: where that was before, or -1
  };
  uint32_t memory_bytes = 0;   // its size
  uint32_t own_buffer = 0;     // its id, if it is to be delivered, or 0
  uint32_t progress = 0;       // bytes moved by the attempts so far
  bool needs_rearm = false;    // it is between two armings
  bool offloaded = false;      // an OffloadPool has it
  bool lost_delivery = false;  // it lost a delivery and must end
  bool drained = false;        // a receive that has emptied the socket
  bool connecting = false;     // a handshake is in progress
  bool copies = false;         // a zero-copy send that must copy
  bool pinned = false;         // a zero-copy send of which only the end remains
  bool must_not_wait = false;  // a call that must not block (splice)
  uint16_t offload_place = 0;  // where threads of the pool find it
  EndWatch end_watch = EndWatch::kNone;
  // Of a receive, in a row and up to the few that decide whether it stays
  // armed.
  uint8_t small_deliveries = 0;
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

  // Changed by the backend and the loop only.
  OpState state = OpState::kIdle;
  bool cancel_requested = false;

  // The arguments: set by the Prepare functions (prepare.h), which document
  // the use of each field; constant from then on.
  OpCode opcode = OpCode::kNop;
  int fd = -1;
  int fd2 = -1;
  uint32_t flags = 0;
  uint32_t length = 0;
  void* address = nullptr;  // the memory of both must outlive the operation
  void* address2 = nullptr;
  int64_t offset = 0;
  int64_t offset2 = 0;

  // For its backend only, while it is in flight.
  BackendState backend;

  // The outcome, valid in kDone: the system call's result, or -errno.
  int32_t result = 0;
};

// One delivery of a DeliveringOperation. Stored in its backend's pool.
struct Delivery {
  Delivery* next = nullptr;
  int32_t result = 0;  // a new fd, bytes, or a poll mask
  // Lent buffers:
  uint32_t buffer_id = 0;     // for Backend::ReturnBuffer()
  std::byte* data = nullptr;  // `result` bytes, valid until returned
};

// An operation that delivers any number of times and ends once: multishots,
// and zero-copy sends, which deliver the number of bytes accepted and end
// when their memory may be changed.
//
// Deliveries queue up in `first_delivery`. `notice` is scheduled when there
// are new deliveries, or the end, which follows all of them and is -errno or
// 0. Backends keep the operation armed until an error ends it, despite
// exhausted buffers, overflow and kernels that end multishots early. Without
// memory for a delivery it ends with -ENOMEM after the earlier ones. -EBUSY
// ends a zero-copy send together with its backend: the kernel still refers to
// the memory, which must never be changed or freed. An
// untaken delivery leaks an fd or a buffer (see Backend::DropDeliveries), so
// the owner must be a listener or a stream, never a temporary.
struct DeliveringOperation : Operation {
  explicit DeliveringOperation(Function on_notice)
      : Operation(nullptr), notice(on_notice, this) {}
  ~DeliveringOperation() {
    RINGWAY_CHECK(
        first_delivery == nullptr,
        "a %s operation was destroyed with deliveries that were not taken",
        OpCodeName(opcode));
  }

  // A separate list node, because the operation is still in flight while its
  // notice is scheduled.
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

// The entry that the loop schedules at the end of `op`.
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
