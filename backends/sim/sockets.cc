// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/sockets.h"

#include <poll.h>

#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

#include "ringway/backends/sim/fault_table.h"
#include "ringway/backends/sim/network/datagram_socket.h"
#include "ringway/backends/sim/network/make_socket.h"
#include "ringway/backends/sim/network/stream_socket.h"

namespace ringway::sim {
namespace {

constexpr std::string_view kUser = "a socket call";
constexpr int kDuplicate[] = {EMFILE, ENOMEM};

int Give(const Address& address, sockaddr_storage& name, socklen_t& length) {
  length = address.Store(&name, sizeof(name));
  return 0;
}

template <typename T>
int OpenBoth(FdTable& table,
             std::pair<std::shared_ptr<T>, std::shared_ptr<T>> pair,
             int (&fds)[2]) {
  fds[0] = table.Open(std::move(pair.first), "socketpair");
  if (fds[0] < 0) return fds[0];
  fds[1] = table.Open(std::move(pair.second), "socketpair");
  if (fds[1] >= 0) return 0;
  table.Close(fds[0], "socketpair");
  return fds[1];
}

}  // namespace

std::shared_ptr<sim::Socket> Sockets::Find(int fd, int& error) {
  std::shared_ptr<Description> found = fds_.Get(fd, kUser);
  error = found == nullptr ? -EBADF : -ENOTSOCK;
  if (found == nullptr || found->AsSocket() == nullptr) return nullptr;
  error = 0;
  return std::static_pointer_cast<sim::Socket>(std::move(found));
}

int Sockets::BadLuck(OpCode opcode, int fd) {
  return BadLuck(opcode, fd, PossibleErrors(opcode, true));
}

int Sockets::BadLuck(OpCode opcode, int fd, std::span<const int> errors) {
  int errnum = environment_.failure.ErrorOfNext(errors);
  if (environment_.rng.Chance(environment_.faults.failure))
    errnum = errors[environment_.rng.Below(errors.size())];
  if (errnum == 0) return 0;
  environment_.trace.Record({environment_.now(), TraceEvent::kFault,
                             /*backend=*/0, opcode, fd, -errnum});
  return -errnum;
}

int Sockets::MakeFd(int family, int type, int protocol) {
  if (int error = BadLuck(OpCode::kSocket, -1); error != 0) return error;
  std::shared_ptr<sim::Socket> made;
  const int error =
      MakeSocket(environment_, network_, family, type, protocol, host_, &made);
  return error != 0 ? error : fds_.Open(std::move(made), "socket");
}

int Sockets::Pair(int type, int (&fds)[2]) {
  if (int error = BadLuck(OpCode::kSocket, -1); error != 0) return error;
  if (type == SOCK_DGRAM) {
    return OpenBoth(
        fds_, DatagramSocket::MakePair(environment_, network_, host_), fds);
  }
  return OpenBoth(
      fds_, StreamSocket::MakePair(environment_, network_, host_, type), fds);
}

int Sockets::Duplicate(int fd) {
  std::shared_ptr<Description> found = fds_.Get(fd, kUser);
  if (found == nullptr) return -EBADF;
  const int error = BadLuck(OpCode::kSocket, fd, kDuplicate);
  return error != 0 ? error : fds_.Open(std::move(found), "dup");
}

// Nothing here blocks in any mode.
int Sockets::SetMode(int fd) {
  int error;
  Find(fd, error);
  return error;
}

int Sockets::CloseFd(int fd) { return fds_.Close(fd, "close"); }

int Sockets::Bind(int fd, const sockaddr* address, socklen_t length) {
  int error;
  const std::shared_ptr<sim::Socket> socket = Find(fd, error);
  if (socket == nullptr) return error;
  Address to;
  error = Address::Parse(address, length, socket->family(), &to);
  if (error == 0) error = BadLuck(OpCode::kBind, fd);
  return error != 0 ? error : static_cast<int>(socket->Bind(to));
}

int Sockets::Listen(int fd, int backlog) {
  int error;
  const std::shared_ptr<sim::Socket> socket = Find(fd, error);
  if (socket != nullptr) error = BadLuck(OpCode::kListen, fd);
  return error != 0 ? error : static_cast<int>(socket->Listen(backlog));
}

int Sockets::Connect(int fd, const sockaddr* address, socklen_t length) {
  int error;
  const std::shared_ptr<sim::Socket> socket = Find(fd, error);
  if (socket == nullptr) return error;
  if (address->sa_family == AF_UNSPEC) {
    auto* const datagrams = dynamic_cast<DatagramSocket*>(socket.get());
    if (datagrams == nullptr) return -EAFNOSUPPORT;
    datagrams->Disconnect();
    return 0;
  }
  Address to;
  error = Address::Parse(address, length, socket->family(), &to);
  if (error != 0) return error;
  const int64_t connected = socket->Connect(to);
  return connected == kBlocked ? -EINPROGRESS : static_cast<int>(connected);
}

int Sockets::LocalName(int fd, sockaddr_storage& name, socklen_t& length) {
  int error;
  const std::shared_ptr<sim::Socket> socket = Find(fd, error);
  return socket == nullptr ? error : Give(socket->local(), name, length);
}

int Sockets::PeerName(int fd, sockaddr_storage& name, socklen_t& length) {
  int error;
  const std::shared_ptr<sim::Socket> socket = Find(fd, error);
  if (socket == nullptr) return error;
  if (!socket->has_peer()) return -ENOTCONN;
  return Give(socket->remote(), name, length);
}

int Sockets::RemoveStaleName(const sockaddr* address, socklen_t length) {
  Address name;
  const int error = Address::Parse(address, length, AF_UNIX, &name);
  if (error != 0) return error;
  if (name.path.empty() || name.is_abstract()) return 0;
  const int found = files_.IsStale(name.path);
  if (found < 0) return found;
  if (found > 0) files_.Unlink({nullptr, name.path}, 0);
  return 0;
}

int Sockets::IsReadable(int fd) {
  int error;
  const std::shared_ptr<sim::Socket> socket = Find(fd, error);
  if (socket == nullptr) return error;
  constexpr uint32_t kReadable = POLLIN | POLLHUP | POLLERR;
  return (socket->Ready() & kReadable) != 0 ? 1 : 0;
}

int Sockets::SetOption(int fd, int level, int option, const void* value,
                       socklen_t length) {
  int error;
  const std::shared_ptr<sim::Socket> socket = Find(fd, error);
  return socket == nullptr ? error
                           : socket->SetOption(level, option, value, length);
}

int Sockets::GetOption(int fd, int level, int option, void* value,
                       socklen_t& length) {
  int error;
  const std::shared_ptr<sim::Socket> socket = Find(fd, error);
  return socket == nullptr ? error
                           : socket->GetOption(level, option, value, length);
}

}  // namespace ringway::sim
