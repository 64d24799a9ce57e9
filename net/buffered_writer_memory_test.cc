// SPDX-License-Identifier: Apache-2.0
//
// The memory of a BufferedWriter is bounded however long it is in use.

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::Connected;
using testing::ConnectedTcp;
using testing::Peer;

using BufferedWriterMemoryTest = testing::NetTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(BufferedWriterMemoryTest);

// Bytes once joined the rest of a send that the kernel had cut short, and what
// was sent before them stayed in front: a writer that was never quite empty
// grew for ever. Each task here is woken where a short send has reached its
// bytes and the others' are behind them.
TEST_P(BufferedWriterMemoryTest, StaysBoundedWhereItIsNeverEmpty) {
  Connected pair = ConnectedTcp(system());
  Peer near_end(system(), std::move(pair.near_end));
  near_end.SetBuffer(SO_SNDBUF, 4 * 1024);
  Peer far_end = std::move(pair.far_end);
  TcpStream stream = Adopt(near_end.Release());
  constexpr size_t kLimit = 64 * 1024;
  constexpr size_t kRounds = 50;
  constexpr size_t kTasks = 24;  // whose bytes are more than the socket takes
  auto main = [&]() -> Task<void> {
    BufferedWriter writer(stream.writer(), kLimit);
    size_t most = 0;
    const auto write = [&](size_t n_bytes) -> Task<void> {
      const std::vector<std::byte> bytes(n_bytes);
      for (size_t i = 0; i < kRounds; ++i) {
        EXPECT_EQ(co_await writer.Enqueue(bytes), absl::OkStatus());
        most = std::max(most, writer.memory_bytes());
        EXPECT_EQ(co_await writer.Flush(), absl::OkStatus());
      }
    };
    size_t left = 0;
    std::vector<JoinHandle<void>> writing;
    for (size_t i = 0; i < kTasks; ++i) {
      const size_t size = 1'000 + i * 37;
      left += size * kRounds;
      writing.push_back(Spawn(write(size)));
    }
    while (left > 0)
      left -= (co_await far_end.Receive(std::min<size_t>(left, 1'000))).size();
    for (JoinHandle<void>& each : writing)
      EXPECT_EQ(co_await each, absl::OkStatus());
    EXPECT_LE(most, 2 * kLimit);
  };
  Run(main());
  far_end.Close();
}

}  // namespace
}  // namespace ringway::net
