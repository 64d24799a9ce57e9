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
//   PrepareRecv(op, fd, buffer);
//   loop.Start(op);                      // OnReceived(op) runs later, with
//   op.result set

#ifndef RINGWAY_BACKENDS_OPERATION_H_
#define RINGWAY_BACKENDS_OPERATION_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/check.h"
#include "core/runnable.h"

namespace ringway {

// Every backend switches over all of these without a default, so a new one
// breaks the build of a backend that forgot it.
enum class OpCode : uint8_t {
  kNop,
  kRead,
  kWrite,
  kRecv,
  kSend,
  kRecvMsg,
  kSendMsg,
  kRecvMultishot,
  kAccept,
  kAcceptMultishot,
  kConnect,
  kSocket,
  kShutdown,
  kClose,
  kPoll,
};

// "recv", "accept", ...: for messages and traces.
const char* OpCodeName(OpCode opcode);

enum class OpState : uint8_t { kIdle, kQueued, kInFlight, kDone };

// Use a file's current position instead of an explicit offset.
inline constexpr int64_t kCurrentPosition = -1;

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

  // What to do: set by the Prepare functions below, constant while active.
  OpCode opcode = OpCode::kNop;
  OpState state = OpState::kIdle;  // moved by the backend and the loop only
  bool cancel_requested = false;   // likewise
  bool needs_rearm =
      false;  // likewise: a multishot that is between two armings
  int fd = -1;
  uint32_t flags = 0;   // MSG_*, accept4, poll or shutdown flags of the call
  uint32_t length = 0;  // bytes at `address`; protocol for kSocket
  void* address =
      nullptr;         // buffer, sockaddr or msghdr; must outlive the operation
  int64_t offset = 0;  // file offset; type for kSocket
  socklen_t* address_length = nullptr;  // kAccept: in and out

  // What came of it, valid in kDone: what the system call would have returned,
  // or -errno.
  int32_t result = 0;
};

// One delivery of a multishot operation. Lives in the backend's pool.
struct MultishotEvent {
  MultishotEvent* next = nullptr;
  int32_t result = 0;  // accepted fd, or bytes received (> 0)
  uint16_t buffer_id =
      0;  // kRecvMultishot: give back with Backend::ReturnBuffer()
  std::byte* data = nullptr;  // kRecvMultishot: `result` bytes, valid until the
                              // buffer is returned
};

// An operation that delivers many times and ends once. Deliveries queue up in
// `events`; `delivery` is scheduled when there is something new (events, or the
// end). The end comes after all deliveries; it is -errno, or 0 for end of
// stream. Backends keep it armed by themselves through everything short of an
// error: exhausted buffers, overflow, kernels that end multishots early.
// Whoever owns it takes every event (see Backend::DropEvents) or leaks an fd or
// a buffer, so its owner is a listener or a stream, never a temporary.
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

inline bool IsMultishot(OpCode opcode) {
  return opcode == OpCode::kRecvMultishot || opcode == OpCode::kAcceptMultishot;
}

using OperationList = IntrusiveList<Operation>;

// The Prepare functions fill in an idle or done operation. They check nothing:
// bad arguments come back as the errno of the call. Memory handed over must
// stay valid until the operation is done, also after a cancel. Results are
// those of the system call of the same name.

void PrepareNop(Operation& op);
// `offset` in bytes, or kCurrentPosition. At most 0x7ffff000 bytes are
// transferred.
void PrepareRead(Operation& op, int fd, std::span<std::byte> buffer,
                 int64_t offset);
void PrepareWrite(Operation& op, int fd, std::span<const std::byte> buffer,
                  int64_t offset);
void PrepareRecv(Operation& op, int fd, std::span<std::byte> buffer,
                 int flags = 0);
// MSG_NOSIGNAL is always added: a closed peer is an error, never a signal.
void PrepareSend(Operation& op, int fd, std::span<const std::byte> buffer,
                 int flags = 0);
void PrepareRecvMsg(Operation& op, int fd, msghdr& message, int flags = 0);
void PrepareSendMsg(Operation& op, int fd, const msghdr& message,
                    int flags = 0);
// Receives into the backend's provided buffers, one event per receive.
void PrepareRecvMultishot(MultishotOperation& op, int fd);
// Accepted fds are CLOEXEC. `address` and `length` may be null.
void PrepareAccept(Operation& op, int fd, sockaddr* address, socklen_t* length);
void PrepareAcceptMultishot(MultishotOperation& op, int fd);
void PrepareConnect(Operation& op, int fd, const sockaddr* address,
                    socklen_t length);
// SOCK_CLOEXEC is always added to `type`.
void PrepareSocket(Operation& op, int domain, int type, int protocol);
void PrepareShutdown(Operation& op, int fd, int how);
void PrepareClose(Operation& op, int fd);
// Waits once for `events` (POLLIN, POLLOUT, ...); the result is the mask that
// became ready.
void PreparePoll(Operation& op, int fd, uint32_t events);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_OPERATION_H_
