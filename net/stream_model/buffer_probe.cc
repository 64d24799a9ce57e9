// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/buffer_probe.h"

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/tcp.h"

namespace ringway::net::model {
namespace {

constexpr uint32_t kMostBuffers = 16;

// Deliveries that had no receive buffer of their own.
uint64_t CopiesOf(const Loop& loop) {
  const BackendStats& stats = loop.stats().backend;
  return stats.buffers_copied + stats.own_memory;
}

}  // namespace

Task<absl::Status> ProbeBuffers(Loop& loop, const ExecutorOptions& options) {
  const BackendOptions& backend = options.loop.backend;
  const uint32_t n_buffers = backend.receive_buffer_count;
  if (n_buffers > kMostBuffers || backend.receive_low_water != 1 ||
      backend.share_receive_buffers)
    co_return absl::OkStatus();
  const uint64_t before = CopiesOf(loop);
  SocketCalls& sockets = loop.backend().sockets();
  std::vector<TcpStream> streams;
  std::vector<ReceivedBuffer> held;
  for (uint32_t i = 0; i + 1 < n_buffers; ++i) {
    int fds[2];
    if (const int error = sockets.Pair(SOCK_STREAM, fds); error != 0)
      co_return ErrnoToStatus(-error, "socketpair");
    for (const int fd : fds)
      streams.push_back(TcpStream::Adopt(loop, SocketFd(sockets, fd)));
    TcpStream& from = streams[streams.size() - 1];
    TcpStream& to = streams[streams.size() - 2];
    const std::byte x{'x'};
    absl::Status sent = co_await from.Write(std::span(&x, 1));
    if (!sent.ok()) co_return sent;
    absl::StatusOr<ReceivedBuffer> buffer = co_await to.Receive();
    if (!buffer.ok()) co_return buffer.status();
    held.push_back(*std::move(buffer));
    if (CopiesOf(loop) != before)
      co_return absl::InternalError(absl::StrCat(
          "of ", n_buffers, " receive buffers only ", i, " are at hand"));
  }
  co_return absl::OkStatus();
}

}  // namespace ringway::net::model
