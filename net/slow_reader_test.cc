// SPDX-License-Identifier: Apache-2.0
//
// Clients that send and never read, beside clients that do: each of the former
// makes its echoing connection keep a received buffer until a write ends that
// does not, and with default options a few hundred of them once held every
// receive buffer of the worker. No other client may notice; and when they read
// at last, every byte comes.

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/system.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/check.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFdPair;
using testing::AsString;
using testing::NetTest;
using testing::Pattern;
using testing::ReadExactly;
using testing::TurnTimes;
using testing::ValueOf;
using testing::WriteAll;

constexpr size_t kBytesOfSlow = 60'000;
constexpr size_t kFast = 32;
constexpr int kRounds = 20;

// Keeps what it received until it is written, as handlers do.
Task<absl::Status> EchoLent(TcpStream stream) {
  while (true) {
    absl::StatusOr<ReceivedBuffer> buffer = co_await stream.Receive();
    if (!buffer.ok() || buffer->empty()) co_return buffer.status();
    absl::Status written = co_await stream.Write(buffer->bytes());
    if (!written.ok()) co_return written;
  }
}

Task<absl::Status> EchoOwn(TcpStream stream) {
  std::vector<std::byte> buffer(4'096);
  while (true) {
    const absl::StatusOr<size_t> n = co_await stream.Read(buffer);
    if (!n.ok() || *n == 0) co_return n.status();
    absl::Status written = co_await stream.Write(std::span(buffer).first(*n));
    if (!written.ok()) co_return written;
  }
}

Task<absl::Status> EchoBuffered(TcpStream stream) {
  BufferedReader in(stream.reader());
  while (true) {
    const absl::StatusOr<std::span<const std::byte>> view = co_await in.Fill(1);
    if (!view.ok() || view->empty()) co_return view.status();
    const size_t n = view->size();
    absl::Status written = co_await stream.Write(*view);
    if (!written.ok()) co_return written;
    in.Consume(n);
  }
}

class SlowReaderTest : public NetTest {
 protected:
  using NetTest::NetTest;
  using Echo = Task<absl::Status> (*)(TcpStream);

  // How a fast client is served, whatever the slow ones do. The machine may be
  // busy with other things, seldom.
  static constexpr absl::Duration kPromptly = absl::Milliseconds(50);
  static constexpr size_t kSeldom = kFast * kRounds / 100;

  // A client whose other end is echoed.
  TcpStream Client() {
    TestFdPair pair = system().SocketPair();
    system().Shrink(pair.first.get());
    system().Shrink(pair.second.get());
    Spawn(echo_(Adopt(std::move(pair.first)))).Detach();
    return Adopt(std::move(pair.second));
  }

  // Returns once all have been served.
  Task<void> ServeBoth(size_t n_slow, Echo echo = &EchoLent);

 private:
  Echo echo_ = nullptr;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SlowReaderTest);

// The slow ones hold all buffers, and more.
class FewBuffersSlowReaderTest : public SlowReaderTest {
 protected:
  FewBuffersSlowReaderTest() : SlowReaderTest(FewBuffers()) {}

  static ExecutorOptions FewBuffers() {
    ExecutorOptions options;
    options.loop.backend.receive_buffer_count = 8;
    options.loop.backend.receive_buffer_bytes = 16 * 1024;
    options.loop.backend.receive_copy_bytes = 64 * 1024;
    return options;
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FewBuffersSlowReaderTest);

Task<void> SlowReaderTest::ServeBoth(size_t n_slow, Echo echo) {
  echo_ = echo;
  std::vector<TcpStream> slow;
  std::vector<std::vector<std::byte>> sent;
  std::vector<JoinHandle<absl::Status>> writers;
  for (size_t i = 0; i < n_slow; ++i) {
    slow.push_back(Client());
    sent.push_back(Pattern(kBytesOfSlow, static_cast<uint32_t>(i)));
  }
  for (size_t i = 0; i < n_slow; ++i)
    writers.push_back(Spawn(WriteAll(slow[i], sent[i])));
  // Until nothing moves any more.
  for (uint64_t before = UINT64_MAX;
       before != loop().stats().backend.deliveries;) {
    before = loop().stats().backend.deliveries;
    co_await TurnTimes(50);
  }

  size_t n_late = 0;
  std::vector<TcpStream> fast;
  for (size_t i = 0; i < kFast; ++i) fast.push_back(Client());
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < kFast; ++i) {
      const std::vector<std::byte> bytes =
          Pattern(1'000, static_cast<uint32_t>(i) + 7);
      auto exchange = [&]() -> Task<absl::StatusOr<std::string>> {
        absl::Status written = co_await fast[i].Write(bytes);
        if (!written.ok()) co_return written;
        co_return co_await ReadExactly(fast[i], bytes.size());
      };
      const MonotonicTime start = loop().now();
      const absl::StatusOr<std::string> echoed =
          co_await WithTimeout(absl::Seconds(10), exchange());
      if (loop().now() - start > kPromptly) ++n_late;
      EXPECT_TRUE(echoed.ok() && *echoed == AsString(bytes))
          << "client " << i << ", round " << round << ": " << echoed.status();
      if (!echoed.ok()) co_return;
    }
  }
  EXPECT_LE(n_late, system().is_kernel() ? kSeldom : 0);
  for (size_t i = 0; i < n_slow; ++i) {
    EXPECT_TRUE(co_await ReadExactly(slow[i], kBytesOfSlow) ==
                AsString(sent[i]))
        << "slow client " << i;
    EXPECT_EQ(co_await writers[i], absl::OkStatus());
  }
}

// Each has two fds here: 4,000 where so many are allowed.
size_t SlowClients() {
  rlimit limit;
  RINGWAY_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  RINGWAY_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  return std::min<size_t>(::ringway::testing::Scaled(4'000),
                          (limit.rlim_cur - 200) / 2);
}

TEST_P(SlowReaderTest, ClientsThatDoNotReadSlowNoOtherDown) {
  Run(ServeBoth(system().is_kernel() ? SlowClients() : 300));
}

TEST_P(SlowReaderTest, NorWhereHandlersReadIntoBuffersOfTheirOwn) {
  Run(ServeBoth(300, &EchoOwn));
}

TEST_P(SlowReaderTest, NorWhereHandlersReadBuffered) {
  Run(ServeBoth(300, &EchoBuffered));
}

TEST_P(FewBuffersSlowReaderTest, NorWhenAllBuffersAreHeld) {
  Run(ServeBoth(300));
  const BackendStats& stats = loop().stats().backend;
  EXPECT_GT(stats.buffers_copied, 0u);
  EXPECT_GT(stats.own_memory, 0u);
}

}  // namespace
}  // namespace ringway::net
