// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/distribution/handover.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/failing_allocation.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::internal {
namespace {

using net::TcpStream;
using net::testing::TurnTimes;
using net::testing::ValueOf;
using ringway::testing::FailingAllocation;

// Of an executor; keeps what it is given.
struct Target final : HandoverTarget {
  explicit Target(Executor& executor) : own(executor) {
    endpoints.reserve(100);  // for tests without memory
    fds.reserve(100);
  }

  void TakeOver(size_t endpoint, SocketFd fd) override {
    endpoints.push_back(endpoint);
    fds.push_back(std::move(fd));
  }
  uint64_t n_over() const override { return 0; }
  const ExecutorHandle& handle() const override { return own; }

  ExecutorHandle own;
  std::vector<size_t> endpoints;
  std::vector<SocketFd> fds;
};

class HandoverTest : public net::testing::NetTest {
 protected:
  Target& AddTarget() {
    targets_.push_back(std::make_unique<Target>(executor()));
    return *targets_.back();
  }
  Handover& Make(size_t max_connections) {
    std::vector<HandoverTarget*> targets;
    for (const std::unique_ptr<Target>& target : targets_)
      targets.push_back(target.get());
    handover_ = std::make_unique<Handover>(
        targets, Handover::Options{Balancing::kLeastConnections, 1,
                                   max_connections, false});
    return *handover_;
  }
  size_t n_taken() const {
    size_t n = 0;
    for (const std::unique_ptr<Target>& target : targets_)
      n += target->fds.size();
    return n;
  }
  void DropTaken() {
    for (const std::unique_ptr<Target>& target : targets_) target->fds.clear();
  }

  void TearDown() override {
    DropTaken();
    NetTest::TearDown();
    handover_.reset();
    targets_.clear();
  }

 private:
  std::vector<std::unique_ptr<Target>> targets_;
  std::unique_ptr<Handover> handover_;
};

TEST_P(HandoverTest, EachConnectionIsTakenOnceWithItsEndpoint) {
  Target& first = AddTarget();
  Target& second = AddTarget();
  Handover& handover = Make(100);
  auto main = [&]() -> Task<void> {
    for (size_t i = 0; i < 6; ++i) {
      auto pair = ValueOf(net::StreamPair(loop()));
      EXPECT_TRUE((co_await handover.Give(i, std::move(pair.first))).ok());
      EXPECT_EQ(n_taken(), i + 1);
    }
    EXPECT_EQ(first.endpoints, (std::vector<size_t>{0, 2, 4}));
    EXPECT_EQ(second.endpoints, (std::vector<size_t>{1, 3, 5}));
    DropTaken();
  };
  Run(main());
}

// A connection that one worker had already been offered ended as a failed one,
// although it was served, when there was no memory to offer it to the next.
TEST_P(HandoverTest, WithoutMemoryAConnectionIsHandedOverOrClosed) {
  AddTarget();
  AddTarget();
  Handover& handover = Make(1'000'000);
  auto main = [&]() -> Task<void> {
    bool happened = true;
    int n_closed = 0;
    uint64_t n = 0;
    while (happened) {
      auto pair = ValueOf(net::StreamPair(loop()));
      bool gave = false;
      {
        FailingAllocation failure(++n);
        try {
          gave = (co_await handover.Give(7, std::move(pair.first))).ok();
        } catch (const std::bad_alloc&) {
          ++n_closed;
        }
        happened = failure.happened();
      }
      co_await TurnTimes(3);
      EXPECT_EQ(n_taken(), gave ? 1u : 0u) << n;
      DropTaken();
      std::array<std::byte, 1> byte;
      EXPECT_EQ(ValueOf(co_await pair.second.Read(byte)), 0u) << n;
    }
    EXPECT_GT(n, 3u);
    EXPECT_GT(n_closed, 0);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HandoverTest);

}  // namespace
}  // namespace ringway::internal
