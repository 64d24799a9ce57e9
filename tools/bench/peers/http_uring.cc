// SPDX-License-Identifier: Apache-2.0
//
// A responder for HTTP by hand on io_uring, as a floor: it parses nothing, and
// answers each empty line with the same response.
//
//   http_uring [--listen=ADDRESS] [--pin=CPU] [--bytes=N]

#include <cstddef>
#include <memory>
#include <string>

#include "ringway/tools/bench/peers/http_answer.h"
#include "ringway/tools/bench/peers/peer.h"
#include "ringway/tools/bench/peers/uring_server.h"

namespace {

struct Connection : peer::UringConnection {
  peer::EmptyLines lines;
  size_t n_due = 0;   // responses
  size_t n_sent = 0;  // bytes of the one that is being sent
};

class HttpUring final : public peer::UringServer<HttpUring, Connection> {
 public:
  HttpUring(int listener, int termination, size_t n_bytes)
      : UringServer(listener, termination, /*spin_us=*/0),
        response_(peer::ResponseOf(n_bytes)) {}

 private:
  friend UringServer;

  bool OnBytes(int fd, Connection& connection, const peer::Filled& bytes) {
    const bool idle = connection.n_due == 0;
    connection.n_due += connection.lines.Count(At(bytes), bytes.n_bytes);
    if (idle && connection.n_due > 0) SendRest(fd, connection);
    return false;
  }

  void OnSent(int fd, Connection& connection, int result) {
    if (result < 0) {
      connection.n_due = 0;
      return CloseIfDone(fd);
    }
    connection.n_sent += static_cast<size_t>(result);
    if (connection.n_sent == response_.size()) {
      connection.n_sent = 0;
      --connection.n_due;
    }
    if (connection.n_due > 0) SendRest(fd, connection);
    CloseIfDone(fd);
  }

  static bool IsSending(const Connection& connection) {
    return connection.n_due > 0;
  }

  void SendRest(int fd, const Connection& connection) {
    Send(fd, response_.data() + connection.n_sent,
         response_.size() - connection.n_sent);
  }

  const std::string response_;
};

}  // namespace

int main(int argc, char** argv) {
  const peer::HttpFlags flags = peer::ParseHttpFlags(argc, argv);
  const int termination = peer::CatchTermination();
  const auto server = std::make_unique<HttpUring>(
      peer::ListenOn(argv[0], flags.listen, flags.pin), termination,
      flags.n_bytes);
  server->Run();
  return 0;
}
