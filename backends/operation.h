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

#include "ringway/core/check.h"
#include "ringway/core/runnable.h"

namespace ringway {

// Every backend switches over all of these without a default, so a new one
// breaks the build of a backend that forgot it.
enum class OpCode : uint8_t {
  kNop,
  // Any fd.
  kRead,
  kReadv,
  kWrite,
  kWritev,
  kClose,
  kPoll,
  kPollMultishot,
  kSplice,
  kSendFile,
  // Sockets.
  kSocket,
  kBind,
  kListen,
  kAccept,
  kAcceptMultishot,
  kConnect,
  kShutdown,
  kRecv,
  kRecvMsg,
  kRecvMultishot,
  kRecvMsgMultishot,
  kSend,
  kSendMsg,
  kSendZeroCopy,
  kSendMsgZeroCopy,
  // Files and directories.
  kOpenAt,
  kStatx,
  kFsync,
  kFallocate,
  kTruncate,
  kRename,
  kUnlink,
  kMkdir,
  kLink,
  kSymlink,
  // Processes and devices.
  kWaitPid,
  kUringCommand,
};

inline constexpr size_t kOpCodeCount =
    static_cast<size_t>(OpCode::kUringCommand) + 1;

// "recv", "accept", ...: for messages and traces.
const char* OpCodeName(OpCode opcode);

enum class OpState : uint8_t { kIdle, kQueued, kInFlight, kDone };

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
  bool needs_rearm = false;    // a multishot that is between two armings
  bool offloaded = false;      // an OffloadPool has it
  bool lost_delivery = false;  // a multishot that lacks one, hence is to end
  bool drained = false;        // a receive that has left nothing behind

  // What to do: set by the Prepare functions (prepare.h), which say what each
  // opcode keeps where; constant while active.
  OpCode opcode = OpCode::kNop;
  int fd = -1;
  int fd2 = -1;
  uint32_t flags = 0;
  uint32_t length = 0;
  void* address = nullptr;   // must outlive the operation, and so must
  void* address2 = nullptr;  // this
  int64_t offset = 0;
  int64_t offset2 = 0;

  // What came of it, valid in kDone: what the system call would have returned,
  // or -errno.
  int32_t result = 0;
};

// One delivery of a multishot operation. Lives in the backend's pool.
struct MultishotEvent {
  MultishotEvent* next = nullptr;
  int32_t result = 0;      // accepted fd, bytes, or poll mask
  uint16_t buffer_id = 0;  // receives: give back with Backend::ReturnBuffer()
  std::byte* data = nullptr;  // receives: `result` bytes, valid until the
                              // buffer is returned
};

// An operation that delivers many times and ends once. Deliveries queue up in
// `first_event`; `delivery` is scheduled when there is something new (events,
// or the end). The end comes after all deliveries; it is -errno, or 0. Backends
// keep it armed by themselves through everything short of an error: exhausted
// buffers, overflow, kernels that end multishots early. Without memory for a
// delivery it ends with -ENOMEM behind the ones before it. Whoever owns it
// takes every event (see Backend::DropEvents) or leaks an fd or a buffer, so
// its owner is a listener or a stream, never a temporary.
//
// A zero-copy send is one, too: it delivers the number of bytes accepted, and
// ends when its memory may be changed.
struct MultishotOperation : Operation {
  explicit MultishotOperation(Function on_delivery)
      : Operation(nullptr), delivery(on_delivery, this) {}
  ~MultishotOperation() {
    RINGWAY_CHECK(
        first_event == nullptr,
        "a %s operation was destroyed with deliveries that nobody took",
        OpCodeName(opcode));
  }

  // A list node of its own: the operation is still in flight while a delivery
  // is scheduled.
  struct Delivery : Runnable {
    Delivery(Function run, MultishotOperation* owner)
        : Runnable(run), operation(owner) {}
    MultishotOperation* operation;
  };
  Delivery delivery;
  MultishotEvent* first_event = nullptr;
  MultishotEvent* last_event = nullptr;
  uint32_t event_count = 0;  // deliveries that nobody has taken yet
};

// True for the opcodes that only a MultishotOperation may have.
inline bool IsMultishot(OpCode opcode) {
  switch (opcode) {
    case OpCode::kPollMultishot:
    case OpCode::kAcceptMultishot:
    case OpCode::kRecvMultishot:
    case OpCode::kRecvMsgMultishot:
    case OpCode::kSendZeroCopy:
    case OpCode::kSendMsgZeroCopy:
      return true;
    default:
      return false;
  }
}

// True for the ones whose deliveries are lent buffers.
inline bool DeliversBuffers(OpCode opcode) {
  return opcode == OpCode::kRecvMultishot ||
         opcode == OpCode::kRecvMsgMultishot;
}

// True if `op` works on `fd`, in either direction. Directories that paths are
// relative to do not count.
bool UsesFd(const Operation& op, int fd);

using OperationList = IntrusiveList<Operation>;

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_OPERATION_H_
