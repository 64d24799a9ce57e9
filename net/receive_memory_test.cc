// SPDX-License-Identifier: Apache-2.0
//
// The receive memory of a worker as its peers can use it: with default options
// many connections whose tasks keep what they received stay below the
// documented bound, and the memory is given back when they have gone on.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/system.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFdPair;
using testing::NetTest;
using testing::Pattern;
using testing::TurnUntil;
using testing::WriteAll;

constexpr size_t kConnections = 200;
constexpr size_t kBytes = 60'000;  // of each, 12 MB together

// What docs/backends.md says.
uint64_t Bound(const BackendOptions& options) {
  return options.receive_memory_bytes + options.receive_copy_bytes +
         2 * options.receive_own_bytes * kConnections;
}

class ReceiveMemoryTest : public NetTest {
 protected:
  using NetTest::NetTest;

  ReceiveMemory memory() { return loop().stats().backend.receive_memory; }

  // Keeps each delivery until the next Release(), until the stream ends.
  Task<absl::Status> KeepEach(TcpStream stream) {
    while (true) {
      absl::StatusOr<ReceivedBuffer> buffer = co_await stream.Receive();
      if (!buffer.ok() || buffer->empty()) co_return buffer.status();
      ++n_keeping_;
      while (!released_) {
        absl::Status woken = co_await release_.Wait();
        if (!woken.ok()) co_return woken;
      }
      n_received_ += buffer->size();
    }
  }

  // Until `kConnections` keep something and nothing moves any more.
  Task<void> Fill() {
    for (size_t i = 0; i < kConnections; ++i) {
      TestFdPair pair = system().SocketPair();
      keepers_.push_back(Spawn(KeepEach(Adopt(std::move(pair.first)))));
      peers_.push_back(Adopt(std::move(pair.second)));
      sent_.push_back(Pattern(kBytes, static_cast<uint32_t>(i)));
    }
    for (size_t i = 0; i < kConnections; ++i)
      writers_.push_back(Spawn(WriteAll(peers_[i], sent_[i])));
    co_await TurnUntil([this] { return n_keeping_ == kConnections; });
    for (uint64_t before = UINT64_MAX;
         before != loop().stats().backend.deliveries;) {
      before = loop().stats().backend.deliveries;
      co_await testing::TurnTimes(50);
    }
  }

  // Everything is received and every connection ends.
  Task<void> Release() {
    released_ = true;
    release_.NotifyAll();
    for (JoinHandle<absl::Status>& writer : writers_)
      EXPECT_EQ(co_await std::move(writer), absl::OkStatus());
    peers_.clear();
    for (JoinHandle<absl::Status>& keeper : keepers_)
      EXPECT_EQ(co_await std::move(keeper), absl::OkStatus());
    EXPECT_EQ(n_received_, kConnections * kBytes);
  }

  void ExpectNothingHeld() {
    EXPECT_EQ(memory().lent, 0u);
    EXPECT_EQ(memory().copies, 0u);
    EXPECT_EQ(memory().own, 0u);
  }

 private:
  Notify release_;
  bool released_ = false;
  size_t n_keeping_ = 0;
  size_t n_received_ = 0;
  std::vector<std::vector<std::byte>> sent_;
  std::vector<TcpStream> peers_;
  std::vector<JoinHandle<absl::Status>> writers_;
  std::vector<JoinHandle<absl::Status>> keepers_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ReceiveMemoryTest);

TEST_P(ReceiveMemoryTest, OfStalledConnectionsIsBoundedAndGivenBack) {
  const BackendOptions options;
  auto main = [&]() -> Task<void> {
    co_await Fill();
    const ReceiveMemory full = memory();
    EXPECT_GT(full.lent + full.copies + full.own, kConnections * 1'000);
    EXPECT_LE(full.lent, full.buffers);
    EXPECT_LE(full.total(), Bound(options));
    EXPECT_LE(full.most, Bound(options));

    co_await Release();

    ExpectNothingHeld();
    EXPECT_LE(memory().most, Bound(options));
    // Without the work of its kernel deferred, the pool of io_uring shrinks
    // only while bytes pass through it.
    if (Options().uring.masked_setup_flags != 0) co_return;
    const uint64_t few = uint64_t{17} * options.receive_buffer_bytes;
    while (memory().buffers > few) {
      const absl::Status slept = co_await Sleep(absl::Milliseconds(10));
      EXPECT_EQ(slept, absl::OkStatus());
      if (!slept.ok()) co_return;
    }
  };
  Run(main());
}

// Buffers, copies and memory of connections' own, all of them used up.
class LittleReceiveMemoryTest : public ReceiveMemoryTest {
 protected:
  LittleReceiveMemoryTest() : ReceiveMemoryTest(Little()) {}

  static ExecutorOptions Little() {
    ExecutorOptions options;
    options.loop.backend.receive_memory_bytes = 256 * 1'024;
    options.loop.backend.receive_buffer_bytes = 16 * 1'024;
    options.loop.backend.receive_copy_bytes = 64 * 1'024;
    return options;
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(LittleReceiveMemoryTest);

TEST_P(LittleReceiveMemoryTest, IsUsedUpAndNotExceeded) {
  const BackendOptions options = Little().loop.backend;
  auto main = [&]() -> Task<void> {
    co_await Fill();
    const ReceiveMemory full = memory();
    EXPECT_GT(full.own, 0u);
    EXPECT_LE(full.buffers, options.receive_memory_bytes);
    EXPECT_LE(full.copies, options.receive_copy_bytes);
    EXPECT_LE(full.own, 2 * options.receive_own_bytes * kConnections);
    EXPECT_LE(full.most, Bound(options));
    co_await Release();
    ExpectNothingHeld();
    EXPECT_LE(memory().most, Bound(options));
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
