// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/buffer_probe.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/net/received_buffer.h"
#include "ringway/net/tcp.h"

namespace ringway::net::model {
namespace {

constexpr uint32_t kMostBuffers = 16;

uint64_t CopiesOf(Executor& executor) {
  return executor.loop().stats().backend.buffers_copied;
}

Task<absl::Status> Probe(Executor& executor, uint32_t n_buffers) {
  const uint64_t before = CopiesOf(executor);
  std::vector<TcpStream> streams;
  std::vector<ReceivedBuffer> held;
  for (uint32_t i = 0; i + 1 < n_buffers; ++i) {
    ringway::testing::FdPair pair = ringway::testing::MakeSocketPair();
    streams.push_back(TcpStream::Adopt(executor.loop(), std::move(pair.first)));
    ringway::testing::SendAll(pair.second.get(), "x");
    absl::StatusOr<ReceivedBuffer> buffer = co_await streams.back().Receive();
    if (!buffer.ok()) co_return buffer.status();
    held.push_back(*std::move(buffer));
    if (CopiesOf(executor) != before)
      co_return absl::InternalError(absl::StrCat(
          "of ", n_buffers, " receive buffers only ", i, " are at hand"));
  }
  co_return absl::OkStatus();
}

}  // namespace

absl::Status ProbeBuffers(Executor& executor, const ExecutorOptions& options) {
  const BackendOptions& backend = options.loop.backend;
  if (backend.receive_buffer_count > kMostBuffers ||
      backend.receive_low_water != 1)
    return absl::OkStatus();
  return executor.Run(Probe(executor, backend.receive_buffer_count));
}

}  // namespace ringway::net::model
