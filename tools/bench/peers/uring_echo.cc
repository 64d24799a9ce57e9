// SPDX-License-Identifier: Apache-2.0
//
// An echo server on io_uring by hand. Bytes are sent from where the kernel has
// put them. One send at a time per connection keeps the order; what arrives
// meanwhile waits in its buffers.

#include <memory>
#include <vector>

#include "ringway/tools/bench/peers/peer.h"
#include "ringway/tools/bench/peers/uring_server.h"

namespace {

struct Connection : peer::UringConnection {
  std::vector<peer::Filled> unsent;  // the first one is being sent
};

class UringEcho final : public peer::UringServer<UringEcho, Connection> {
 public:
  UringEcho(int listener, int termination, int spin_us)
      : UringServer(listener, termination, spin_us) {}

 private:
  friend UringServer;

  bool OnBytes(int fd, Connection& connection, const peer::Filled& bytes) {
    connection.unsent.push_back(bytes);
    if (connection.unsent.size() == 1) SendFirst(fd, connection);
    return true;
  }

  void OnSent(int fd, Connection& connection, int result) {
    peer::Filled& first = connection.unsent.front();
    if (result >= 0 && static_cast<unsigned>(result) < first.n_bytes) {
      first.offset += static_cast<unsigned>(result);
      first.n_bytes -= static_cast<unsigned>(result);
      return SendFirst(fd, connection);
    }
    Unuse(first.buffer);
    connection.unsent.erase(connection.unsent.begin());
    if (!connection.unsent.empty()) SendFirst(fd, connection);
    CloseIfDone(fd);
  }

  static bool IsSending(const Connection& connection) {
    return !connection.unsent.empty();
  }

  void SendFirst(int fd, const Connection& connection) {
    const peer::Filled& first = connection.unsent.front();
    Send(fd, At(first), first.n_bytes);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int termination = peer::CatchTermination();
  int spin_us = 0;
  const int listener = peer::ListenAsTold(argc, argv, &spin_us);
  const auto server =
      std::make_unique<UringEcho>(listener, termination, spin_us);
  server->Run();
  return 0;
}
