// SPDX-License-Identifier: Apache-2.0
//
// Sockets: the SocketCalls of one machine of a simulated world.

#ifndef RINGWAY_BACKENDS_SIM_SOCKETS_H_
#define RINGWAY_BACKENDS_SIM_SOCKETS_H_

#include <cstdint>
#include <memory>
#include <span>

#include "ringway/backends/operation.h"
#include "ringway/backends/sim/environment/environment.h"
#include "ringway/backends/sim/fd_table.h"
#include "ringway/backends/sim/files/file_store.h"
#include "ringway/backends/sim/network/network.h"
#include "ringway/backends/sim/network/socket.h"
#include "ringway/backends/socket_calls.h"

namespace ringway::sim {

// Calls that may fail for lack of memory or fds do so by the world's faults,
// like the operations of the same names. IPv4 and Unix only, and their usual
// protocols: Multipath TCP is EPROTONOSUPPORT.
class Sockets final : public SocketCalls {
 public:
  // For the machine with the address `host`. The other arguments must outlive
  // this.
  Sockets(Environment& environment, FdTable& fds, FileStore& files,
          Network& network, uint32_t host)
      : environment_(environment),
        fds_(fds),
        files_(files),
        network_(network),
        host_(host) {}

  int Pair(int type, int (&fds)[2]) override;
  int Duplicate(int fd) override;
  int SetMode(int fd) override;
  int Bind(int fd, const sockaddr* address, socklen_t length) override;
  int Listen(int fd, int backlog) override;
  int Connect(int fd, const sockaddr* address, socklen_t length) override;
  int LocalName(int fd, sockaddr_storage& name, socklen_t& length) override;
  int PeerName(int fd, sockaddr_storage& name, socklen_t& length) override;
  int RemoveStaleName(const sockaddr* address, socklen_t length) override;
  int IsReadable(int fd) override;
  int SetOption(int fd, int level, int option, const void* value,
                socklen_t length) override;
  int GetOption(int fd, int level, int option, void* value,
                socklen_t& length) override;

 private:
  int MakeFd(int family, int type, int protocol) override;
  int CloseFd(int fd) override;

  // Null, and -errno in `error`, if it is not a socket.
  std::shared_ptr<sim::Socket> Find(int fd, int& error);
  // -errno if a fault is injected into a call like `opcode`, else 0. One of
  // `errors`, or of those of the opcode.
  int BadLuck(OpCode opcode, int fd);
  int BadLuck(OpCode opcode, int fd, std::span<const int> errors);

  Environment& environment_;
  FdTable& fds_;
  FileStore& files_;
  Network& network_;
  const uint32_t host_;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_SOCKETS_H_
