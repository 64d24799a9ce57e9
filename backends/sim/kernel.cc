// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/kernel.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/time/time.h"
#include "ringway/backends/datagram.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/sim/files/open_file.h"
#include "ringway/backends/sim/network/make_socket.h"
#include "ringway/backends/sim/network/pipe.h"
#include "ringway/backends/sim/network/stream_socket.h"
#include "ringway/backends/sim/operation_buffers.h"
#include "ringway/backends/sim/process.h"

namespace ringway::sim {
namespace {

// The most that one splice or sendfile moves at a time.
constexpr size_t kMoveBytes = 64 * 1024;

// The destination address of a message; null if it has none.
const Address* NameOf(const Operation& op, sa_family_t family, Address* storage,
                      int* error) {
  if (op.opcode != OpCode::kSendMsg && op.opcode != OpCode::kSendMsgZeroCopy) {
    return nullptr;
  }
  const msghdr& message = *static_cast<const msghdr*>(op.address);
  if (message.msg_iovlen > IOV_MAX) *error = -EMSGSIZE;
  // Fds, credentials, what one datagram is sent with: there are none here.
  if (message.msg_controllen > 0) {
    *error = -EOPNOTSUPP;
    return nullptr;
  }
  if (message.msg_name == nullptr || message.msg_namelen == 0) return nullptr;
  *error =
      Address::Parse(message.msg_name, message.msg_namelen, family, storage);
  return storage;
}

bool IsStream(const Socket& socket) { return socket.type() == SOCK_STREAM; }

// Messages are transferred one at a time, regardless of the flags.
bool WantsEverything(const Operation& op, const Socket& socket) {
  return (op.flags & MSG_WAITALL) != 0 && (op.flags & MSG_PEEK) == 0 &&
         IsStream(socket);
}

// Writes the control message with the time of `received`, if it has one, and
// returns its size; sets MSG_CTRUNC without room for it.
size_t WriteControl(Received& received, void* to, size_t room) {
  if (!received.arrival) return 0;
  // The simulated clock counts from the epoch.
  const timespec time =
      absl::ToTimespec(absl::FromUnixNanos(received.arrival->nanoseconds()));
  cmsghdr header = {};
  header.cmsg_len = CMSG_LEN(sizeof(time));
  header.cmsg_level = SOL_SOCKET;
  header.cmsg_type = SO_TIMESTAMPNS;
  if (to == nullptr || room < header.cmsg_len) {
    received.flags |= MSG_CTRUNC;
    return 0;
  }
  auto* const at = static_cast<std::byte*>(to);
  memcpy(at, &header, sizeof(header));
  memcpy(at + CMSG_LEN(0), &time, sizeof(time));
  return CMSG_SPACE(sizeof(time));
}

int64_t OrAgain(const Operation& op, int64_t result) {
  return result == kBlocked && (op.flags & MSG_DONTWAIT) != 0 ? -EAGAIN
                                                              : result;
}

}  // namespace

int64_t Kernel::Perform(Request& request, uint32_t host) {
  const Operation& op = request.op;
  switch (op.opcode) {
    case OpCode::kNop:
      return 0;
    case OpCode::kRead:
    case OpCode::kReadv:
      return Read(request);
    case OpCode::kWrite:
    case OpCode::kWritev:
      return Write(request);
    case OpCode::kClose:
      return fds_.Close(op.fd, "close");
    case OpCode::kPoll:
    case OpCode::kPollMultishot:
      return Poll(request);
    case OpCode::kSplice:
      return Splice(request);
    case OpCode::kSendFile:
      return SendFile(request);
    case OpCode::kSocket:
      return Make(op, host);
    case OpCode::kBind:
    case OpCode::kListen:
    case OpCode::kAccept:
    case OpCode::kAcceptMultishot:
    case OpCode::kConnect:
    case OpCode::kShutdown:
    case OpCode::kRecv:
    case OpCode::kRecvMsg:
    case OpCode::kRecvMultishot:
    case OpCode::kRecvMsgMultishot:
    case OpCode::kSend:
    case OpCode::kSendMsg:
    case OpCode::kSendZeroCopy:
    case OpCode::kSendMsgZeroCopy:
      return OnSocket(request);
    case OpCode::kFsync:
    case OpCode::kSyncFileRange:
    case OpCode::kFallocate:
    case OpCode::kTruncate:
    case OpCode::kGetDents:
    case OpCode::kSeek:
    case OpCode::kFadvise:
    case OpCode::kLock:
      if (request.on == nullptr) return -EBADF;
      return OnFile(op, *request.on);
    case OpCode::kCopyFileRange:
      return CopyFileRange(request);
    case OpCode::kOpenAt:
    case OpCode::kStatx:
    case OpCode::kRename:
    case OpCode::kUnlink:
    case OpCode::kMkdir:
    case OpCode::kLink:
    case OpCode::kSymlink:
    case OpCode::kOpenAt2:
    case OpCode::kReadLink:
    case OpCode::kChmod:
    case OpCode::kChown:
    case OpCode::kSetTimes:
    case OpCode::kAccess:
    case OpCode::kStatFs:
    case OpCode::kRealPath:
      return OnPath(op);
    case OpCode::kWaitPid:
      return WaitForProcess(request);
    case OpCode::kMakeWatcher:
    case OpCode::kAddWatch:
    case OpCode::kRemoveWatch:
    case OpCode::kUringCommand:
      return -EOPNOTSUPP;
  }
  return -EINVAL;
}

void Kernel::Fail(const Request& request, int errnum) {
  const Operation& op = request.op;
  if (op.opcode == OpCode::kClose) {
    fds_.Close(op.fd, "close");
    return;
  }
  if (request.on == nullptr) return;
  if (op.opcode == OpCode::kFsync && request.on->AsFile() != nullptr) {
    request.on->AsFile()->FailSync(errnum);
  }
  const bool breaks = errnum == ECONNRESET || errnum == EPIPE ||
                      (errnum == ETIMEDOUT && op.opcode != OpCode::kConnect);
  if (breaks && request.on->AsSocket() != nullptr) {
    request.on->AsSocket()->Break();
  }
}

void Kernel::Shorten(const Request& request, Buffers& buffers) {
  if (!request.is_short || buffers.left() < 2) return;
  size_t n_bytes = environment_.rng.Between(1, buffers.left() - 1);
  if (request.on != nullptr && request.on->AsFile() != nullptr)
    n_bytes = request.on->AsFile()->Shortened(n_bytes);
  buffers.Limit(n_bytes);
}

// --- Any fd.

int64_t Kernel::Read(Request& request) {
  const Operation& op = request.op;
  if (request.on == nullptr) return -EBADF;
  if (op.opcode == OpCode::kReadv && op.length > IOV_MAX) return -EINVAL;
  Buffers to = TransferOf(op);
  if (!to.accessible()) return -EFAULT;
  Shorten(request, to);
  return request.on->Read(to, op.offset);
}

int64_t Kernel::Write(Request& request) {
  const Operation& op = request.op;
  if (request.on == nullptr) return -EBADF;
  if (op.opcode == OpCode::kWritev && op.length > IOV_MAX) return -EINVAL;
  Buffers from = TransferOf(op);
  if (!from.accessible()) return -EFAULT;
  Shorten(request, from);
  return request.on->Write(from, op.offset);
}

int64_t Kernel::Poll(const Request& request) {
  if (request.on == nullptr) return -EBADF;
  const uint32_t always = POLLERR | POLLHUP;
  const uint32_t ready = request.on->Ready() & (request.op.flags | always);
  return ready == 0 ? kBlocked : static_cast<int64_t>(ready);
}

int64_t Kernel::Splice(Request& request) {
  const Operation& op = request.op;
  if (request.on == nullptr || request.other == nullptr) return -EBADF;
  const bool to_pipe = dynamic_cast<PipeEnd*>(request.on.get()) != nullptr;
  const bool from_pipe = dynamic_cast<PipeEnd*>(request.other.get()) != nullptr;
  if (!to_pipe && !from_pipe) return -EINVAL;
  if ((to_pipe && op.offset != kCurrentPosition) ||
      (from_pipe && op.offset2 != kCurrentPosition)) {
    return -ESPIPE;
  }
  const int64_t moved = Move(request, op.offset2, op.offset, op.length);
  const bool must_not_block = (op.flags & SPLICE_F_NONBLOCK) != 0;
  return moved == kBlocked && must_not_block ? -EAGAIN : moved;
}

int64_t Kernel::SendFile(Request& request) {
  const Operation& op = request.op;
  if (request.on == nullptr || request.other == nullptr) return -EBADF;
  if (request.other->AsFile() == nullptr) return -EINVAL;
  if (op.offset2 < 0) return -EINVAL;
  return Move(request, op.offset2, kCurrentPosition, op.length);
}

// Reads no more than can be written, so that nothing is lost.
int64_t Kernel::Move(Request& request, int64_t from_offset, int64_t to_offset,
                     size_t n_bytes) {
  request.waits_on_other = false;
  const size_t n = std::min({n_bytes, request.on->Room(), kMoveBytes});
  if (n == 0) return n_bytes == 0 ? 0 : kBlocked;
  scratch_.resize(kMoveBytes);
  Buffers in(scratch_.data(), n);
  Shorten(request, in);
  const int64_t taken = request.other->Read(in, from_offset);
  if (taken == kBlocked) request.waits_on_other = true;
  if (taken <= 0) return taken;
  Buffers out(scratch_.data(), static_cast<size_t>(taken));
  return request.on->Write(out, to_offset);
}

int64_t Kernel::WaitForProcess(const Request& request) {
  if (request.op.fd < 0) return -EINVAL;
  auto* process = dynamic_cast<Process*>(request.on.get());
  if (process == nullptr) return -EBADF;
  return process->Wait(static_cast<siginfo_t*>(request.op.address));
}

// --- Sockets.

int64_t Kernel::Make(const Operation& op, uint32_t host) {
  std::shared_ptr<Socket> made;
  const int error =
      MakeSocket(environment_, network_, op.fd, static_cast<int>(op.offset),
                 static_cast<int>(op.length), host, &made);
  return error != 0 ? error : fds_.Open(std::move(made), "socket");
}

int64_t Kernel::OnSocket(Request& request) {
  const Operation& op = request.op;
  if (request.on == nullptr) return -EBADF;
  Socket* socket = request.on->AsSocket();
  if (socket == nullptr) return -ENOTSOCK;
  switch (op.opcode) {
    case OpCode::kBind:
      return Bind(op, *socket);
    case OpCode::kListen:
      return socket->Listen(static_cast<int>(op.length));
    case OpCode::kAccept:
    case OpCode::kAcceptMultishot:
      return Accept(op, *socket);
    case OpCode::kConnect:
      return Connect(request, *socket);
    case OpCode::kShutdown:
      return socket->Shutdown(static_cast<int>(op.flags));
    case OpCode::kRecv:
      return OrAgain(op, Receive(request, *socket));
    case OpCode::kRecvMsg:
      return OrAgain(op, ReceiveMessage(request, *socket));
    case OpCode::kRecvMultishot:
      return ReceiveLent(request, *socket);
    case OpCode::kRecvMsgMultishot:
      return ReceiveDatagramLent(request, *socket);
    default:
      return OrAgain(op, Send(request, *socket));
  }
}

int64_t Kernel::Bind(const Operation& op, Socket& socket) {
  Address address;
  const int error =
      Address::Parse(op.address, op.length, socket.family(), &address);
  return error != 0 ? error : socket.Bind(address);
}

int64_t Kernel::Connect(Request& request, Socket& socket) {
  if (request.begun) return socket.FinishConnect();
  Address to;
  const int error = Address::Parse(request.op.address, request.op.length,
                                   socket.family(), &to);
  if (error != 0) return error;
  request.begun = true;
  return socket.Connect(to);
}

int64_t Kernel::Accept(const Operation& op, Socket& socket) {
  if (const int64_t error = socket.CanAccept(); error != 0) return error;
  if (fds_.full()) return -EMFILE;
  std::shared_ptr<Socket> accepted = socket.Accept();
  auto* length = static_cast<socklen_t*>(op.address2);
  if (op.address != nullptr && length != nullptr) {
    *length = accepted->remote().Store(op.address, *length);
  }
  return fds_.Open(std::move(accepted), "accept");
}

// With MSG_WAITALL it continues where earlier attempts stopped.
int64_t Kernel::Receive(Request& request, Socket& socket) {
  Received received;
  Buffers to = TransferOf(request.op);
  if (!to.accessible()) return -EFAULT;
  if (!WantsEverything(request.op, socket)) {
    if (IsStream(socket)) Shorten(request, to);
    return socket.Receive(to, static_cast<int>(request.op.flags), received);
  }
  to.Skip(request.transferred);
  while (to.left() > 0) {
    const int64_t n =
        socket.Receive(to, static_cast<int>(request.op.flags), received);
    if (n == kBlocked) return kBlocked;
    if (n <= 0 && request.transferred == 0) return n;
    if (n <= 0) break;
    request.transferred += static_cast<size_t>(n);
  }
  return static_cast<int64_t>(request.transferred);
}

int64_t Kernel::ReceiveMessage(Request& request, Socket& socket) {
  // No socket here queues errors.
  if ((request.op.flags & MSG_ERRQUEUE) != 0) return -EAGAIN;
  if (WantsEverything(request.op, socket)) return Receive(request, socket);
  msghdr& message = *static_cast<msghdr*>(request.op.address);
  if (message.msg_iovlen > IOV_MAX) return -EMSGSIZE;
  Received received;
  Buffers to = TransferOf(request.op);
  if (!to.accessible()) return -EFAULT;
  if (IsStream(socket)) Shorten(request, to);
  const int64_t n =
      socket.Receive(to, static_cast<int>(request.op.flags), received);
  if (n < 0) return n;
  message.msg_controllen =
      WriteControl(received, message.msg_control, message.msg_controllen);
  message.msg_flags = received.flags;
  if (received.from.family == AF_UNSPEC) {
    message.msg_namelen = 0;
  } else if (message.msg_name != nullptr) {
    message.msg_namelen =
        received.from.Store(message.msg_name, message.msg_namelen);
  }
  return n;
}

int64_t Kernel::ReceiveLent(Request& request, Socket& socket) {
  Received received;
  Buffers to(request.buffer.data(), request.buffer.size());
  if (IsStream(socket)) Shorten(request, to);
  return socket.Receive(to, 0, received);
}

// Uses the layout of datagram.h.
int64_t Kernel::ReceiveDatagramLent(Request& request, Socket& socket) {
  const size_t payload_at = DatagramPayloadOffset(request.op);
  if (payload_at > request.buffer.size()) return -EFAULT;
  const msghdr& room = *static_cast<const msghdr*>(request.op.address);
  Received received;
  Buffers to(request.buffer.data() + payload_at,
             request.buffer.size() - payload_at);
  const int64_t n = socket.Receive(to, 0, received);
  if (n < 0 || (n == 0 && !socket.KeepsBoundaries())) return n;
  DatagramHeader header;
  header.name_bytes = received.from.Store(
      request.buffer.data() + sizeof(header), room.msg_namelen);
  header.control_bytes = static_cast<uint32_t>(WriteControl(
      received, request.buffer.data() + sizeof(header) + room.msg_namelen,
      room.msg_controllen));
  header.payload_bytes = static_cast<uint32_t>(
      IsStream(socket) ? static_cast<size_t>(n) : received.full_size);
  header.flags = static_cast<uint32_t>(received.flags);
  memcpy(request.buffer.data(), &header, sizeof(header));
  return static_cast<int64_t>(payload_at) + n;
}

int64_t Kernel::Send(Request& request, Socket& socket) {
  const Operation& op = request.op;
  Address storage;
  int error = 0;
  const Address* to = NameOf(op, socket.family(), &storage, &error);
  if (error != 0) return error;
  Buffers from = TransferOf(op);
  if (!from.accessible()) return -EFAULT;
  const int flags = static_cast<int>(op.flags);
  if (!WantsEverything(op, socket)) {
    if (IsStream(socket)) Shorten(request, from);
    return socket.Send(from, to, flags);
  }
  from.Skip(request.transferred);
  while (from.left() > 0) {
    const int64_t n = socket.Send(from, to, flags);
    if (n == kBlocked) return kBlocked;
    if (n < 0 && request.transferred == 0) return n;
    if (n <= 0) break;
    request.transferred += static_cast<size_t>(n);
  }
  return static_cast<int64_t>(request.transferred);
}

}  // namespace ringway::sim
