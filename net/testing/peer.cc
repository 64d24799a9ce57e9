// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/testing/peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/time/time.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/sleep.h"

namespace ringway::net::testing {
namespace {

constexpr size_t kPiece = 64 * 1024;

}  // namespace

void Peer::Send(std::string_view data) {
  const int64_t sent = system_->Send(fd(), data);
  RINGWAY_CHECK(sent == static_cast<int64_t>(data.size()),
                "a peer's send of %zu bytes gave %lld", data.size(),
                static_cast<long long>(sent));
}

size_t Peer::Fill() {
  const std::string piece(kPiece, 'f');
  size_t sum = 0;
  while (true) {
    const int64_t sent = system_->Send(fd(), piece);
    if (sent <= 0) return sum;
    sum += static_cast<size_t>(sent);
  }
}

size_t Peer::FillUntilRead(Peer& far_end) {
  size_t sum = 0;
  while (const size_t n = Fill()) {
    sum += n;
    AwaitAcknowledgement(far_end);
  }
  return sum;
}

// The far end may delay it for 40 ms and more (tcp(7), TCP_QUICKACK).
void Peer::AwaitAcknowledgement(Peer& far_end) {
  tcp_info info = {};
  do {
    const int on = 1;  // sends what was delayed
    int error = system_->sockets().SetOption(far_end.fd(), IPPROTO_TCP,
                                             TCP_QUICKACK, &on, sizeof(on));
    RINGWAY_CHECK(error == 0, "TCP_QUICKACK: errno %d", -error);
    socklen_t length = sizeof(info);
    error = system_->sockets().GetOption(fd(), IPPROTO_TCP, TCP_INFO, &info,
                                         length);
    if (error == -ENOPROTOOPT) return;  // simulated: nothing is delayed
    RINGWAY_CHECK(error == 0, "TCP_INFO: errno %d", -error);
  } while (info.tcpi_unacked > 0);
}

int64_t Peer::ReceiveInto(std::span<char> to) {
  return system_->ReceiveInto(fd(), to);
}

std::string Peer::ReceiveNow(size_t max) { return system_->Receive(fd(), max); }

// In a simulated world nothing progresses while time stands still.
Task<void> Peer::Pause() {
  const absl::Duration turn =
      system_->is_kernel() ? absl::ZeroDuration() : absl::Microseconds(100);
  const absl::Status slept = co_await Sleep(turn);
  RINGWAY_CHECK(slept.ok(), "a peer gave up waiting");
}

Task<void> Peer::SendAll(std::span<const std::byte> bytes) {
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()),
                        bytes.size());
  while (!rest.empty()) {
    const int64_t sent =
        system_->Send(fd(), rest.substr(0, std::min(rest.size(), kPiece)));
    if (sent > 0) {
      rest.remove_prefix(static_cast<size_t>(sent));
    } else {
      RINGWAY_CHECK(sent == -EAGAIN, "a peer's send: errno %d",
                    static_cast<int>(-sent));
      co_await Pause();
    }
  }
}

Task<std::string> Peer::Receive(size_t n_bytes) {
  std::string all;
  std::vector<char> piece(std::min(n_bytes, kPiece));
  while (all.size() < n_bytes) {
    const size_t want = std::min(piece.size(), n_bytes - all.size());
    const int64_t n = ReceiveInto(std::span(piece).first(want));
    if (n > 0) {
      all.append(piece.data(), static_cast<size_t>(n));
    } else if (n == -EAGAIN) {
      co_await Pause();
    } else {
      break;
    }
  }
  co_return all;
}

Task<PeerInput> Peer::ReceiveAll() {
  PeerInput input;
  std::vector<char> piece(kPiece);
  while (true) {
    const int64_t n = ReceiveInto(piece);
    if (n > 0) {
      input.bytes.append(piece.data(), static_cast<size_t>(n));
    } else if (n == -EAGAIN) {
      co_await Pause();
    } else {
      input.errnum = static_cast<int>(-n);
      break;
    }
  }
  co_return input;
}

void Peer::ShutdownWrite() {
  const int error = system_->ShutdownWrite(fd());
  RINGWAY_CHECK(error == 0, "a peer's shutdown: errno %d", -error);
}

void Peer::SetBuffer(int option, int n_bytes) {
  const int error = system_->sockets().SetOption(fd(), SOL_SOCKET, option,
                                                 &n_bytes, sizeof(n_bytes));
  RINGWAY_CHECK(error == 0, "a buffer size: errno %d", -error);
}

Connected ConnectedTcp(ringway::testing::System& system) {
  const ringway::testing::TestFd listener = system.TcpListener(/*backlog=*/1);
  Connected pair;
  pair.far_end =
      Peer(system, system.ConnectTo(system.AddressOf(listener.get())));
  pair.near_end = system.Accept(listener.get());
  RINGWAY_CHECK(pair.near_end.valid(), "a connection was not accepted");
  return pair;
}

}  // namespace ringway::net::testing
