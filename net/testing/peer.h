// SPDX-License-Identifier: Apache-2.0
//
// Peer: the far end of a stream under test, outside the executor: plain
// non-blocking calls, on the kernel and in a simulated world.
//
//   Connected pair = ConnectedTcp(system());
//   pair.far_end.Send("hello");
//   ...
//   PeerInput all = co_await pair.far_end.ReceiveAll();

#ifndef RINGWAY_NET_TESTING_PEER_H_
#define RINGWAY_NET_TESTING_PEER_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "ringway/backends/testing/system.h"
#include "ringway/executor/task/task.h"

namespace ringway::net::testing {

// The input of a peer up to the end of stream or an error.
struct PeerInput {
  PeerInput() {}
  std::string bytes;
  int errnum = 0;
};

class Peer {
 public:
  Peer() = default;
  Peer(ringway::testing::System& system, ringway::testing::TestFd fd)
      : system_(&system), fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  bool open() const { return fd_.valid(); }

  // Sends all of `data`, which must fit (checked).
  void Send(std::string_view data);
  // Sends as much as fits now. Returns the number of bytes.
  size_t Fill();
  // The same, until not another byte fits before `far_end` of the same TCP
  // connection reads. After Fill() alone a delayed acknowledgement may still
  // make room.
  size_t FillUntilRead(Peer& far_end);
  // Receives available bytes, up to `max`.
  std::string ReceiveNow(size_t max = 64 * 1024);
  // True if the stream under test has ended and all its bytes were received.
  bool AtEnd() { return system_->AtEnd(fd()); }

  // These wait while the loop of the stream under test turns.
  Task<void> SendAll(std::span<const std::byte> bytes);
  // Until there are `n_bytes`, the end, or an error.
  Task<std::string> Receive(size_t n_bytes);
  Task<PeerInput> ReceiveAll();

  void ShutdownWrite();
  void Close() { fd_.Reset(); }
  // Releases its fd, for a stream on this end.
  ringway::testing::TestFd Release() { return std::move(fd_); }
  // Closes with a reset.
  void Reset() { system_->ResetPeer(std::move(fd_)); }
  // SO_SNDBUF or SO_RCVBUF.
  void SetBuffer(int option, int n_bytes);

 private:
  void AwaitAcknowledgement(Peer& far_end);
  // The bytes, 0 at the end, or -errno.
  int64_t ReceiveInto(std::span<char> to);
  Task<void> Pause();

  ringway::testing::System* system_ = nullptr;
  ringway::testing::TestFd fd_;
};

struct Connected {
  ringway::testing::TestFd near_end;
  Peer far_end;
};
// Two ends of a TCP connection on the loopback interface.
Connected ConnectedTcp(ringway::testing::System& system);

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TESTING_PEER_H_
