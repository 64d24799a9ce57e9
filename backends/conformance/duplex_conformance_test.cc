// SPDX-License-Identifier: Apache-2.0
//
// Both directions of one connection at once: a write that waits beside receives
// that are put aside. 10,000 rounds (test_scale.h).
//
// On a readiness backend an fd has one registration for all its waiting
// operations. Once, a receive that was put aside - after its share of a turn,
// or for lack of a buffer - registered the fd again for reading only, and a
// write, which had relied on the existing registration, waited forever. This
// requires a write and a receive that begin in the same turn, with more to
// receive than a turn delivers; tests of one direction at a time, or of
// operations that begin before there is data, never had that.

#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

constexpr uint32_t kBufferBytes = 64;
// More than the smallest socket buffer holds.
constexpr size_t kMoreThanFits = 32 * 1024;
// More than one turn delivers to one fd, and less than the buffer holds.
constexpr size_t kManyDeliveries = 20;

int Rounds() { return static_cast<int>(Scaled(10'000)); }

class DuplexConformance : public BackendConformance {
 protected:
  static BackendOptions WithBuffers(uint32_t count) {
    BackendOptions options = Options();
    options.receive_buffer_bytes = kBufferBytes;
    options.receive_buffer_count = count;
    options.receive_copy_bytes = 0;
    options.receive_own_bytes = 0;  // receives are put aside
    options.share_receive_buffers = false;
    return options;
  }

  // Writes that end and receives that are put aside take turns on one
  // connection, as often as there are rounds.
  void GoOnThroughAllRounds(uint32_t n_buffers) {
    BackendDriver driver(MakeForTest(WithBuffers(n_buffers)));
    TestFdPair sockets = system().SocketPair();
    near_ = std::move(sockets.first);
    far_ = std::move(sockets.second);
    system().Shrink(near_.get());
    system().Shrink(far_.get());
    const int rounds = Rounds();
    StartWrite(driver);
    driver.TurnWithoutBlocking(1);
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
      SCOPED_TRACE(round);
      SendAll(far_.get(), data_.substr(0, kManyDeliveries * kBufferBytes));
      ReadUntilWritten(driver);
      if (HasFailure()) break;
      // Both begin in the turn that has seen the fd.
      StartWrite(driver);
      CountedMultishot receive;
      PrepareRecvMultishot(receive, near_.get());
      driver.Start(receive);
      ReceiveEverything(driver, receive);
      driver.Cancel(receive);
      ASSERT_TRUE(driver.RunUntil([&] { return receive.ended(); }));
    }
    ReadUntilWritten(driver);
    driver.Cancel(readable_);
    EXPECT_TRUE(driver.RunUntil([&] { return !readable_.active(); }));
  }

 private:
  void StartWrite(BackendDriver& driver) {
    write_.completions = 0;
    PrepareSend(write_, near_.get(), AsBytes(data_), MSG_WAITALL);
    driver.Start(write_);
  }

  // The peer reads as long as there is something, until the write has ended.
  void ReadUntilWritten(BackendDriver& driver) {
    while (!write_.done() && !HasFailure()) {
      if (!readable_.active()) {
        readable_.completions = 0;
        PreparePoll(readable_, far_.get(), POLLIN);
        driver.Start(readable_);
      }
      ASSERT_TRUE(driver.RunUntil([&] {
        return readable_.done() || write_.done();
      })) << "the write waits beside a peer that has read everything";
      if (readable_.done()) system().Receive(far_.get(), kMoreThanFits);
    }
    ASSERT_EQ(write_.result, static_cast<int32_t>(data_.size()));
  }

  void ReceiveEverything(BackendDriver& driver, CountedMultishot& receive) {
    size_t n_received = 0;
    ASSERT_TRUE(driver.RunUntil([&] {
      while (const size_t n = ReceiveSome(driver, receive)) n_received += n;
      return n_received == kManyDeliveries * kBufferBytes;
    }));
  }

  // Takes deliveries and returns their buffers a turn later.
  static size_t ReceiveSome(BackendDriver& driver, CountedMultishot& receive) {
    size_t n_received = 0;
    std::vector<uint32_t> held;
    Delivery delivery;
    while (driver->TakeDelivery(receive, delivery)) {
      n_received += static_cast<size_t>(delivery.result);
      held.push_back(delivery.buffer_id);
    }
    if (held.empty()) return 0;
    driver.TurnWithoutBlocking(1);
    for (uint32_t id : held) driver->ReturnBuffer(id);
    return n_received;
  }

  const std::string data_ = std::string(kMoreThanFits, 'x');
  TestFd near_, far_;
  CountedOperation write_;     // of the near end
  CountedOperation readable_;  // the far end
};

TEST_P(DuplexConformance, WriteGoesOnBesideAReceiveThatHadItsShareOfATurn) {
  GoOnThroughAllRounds(/*n_buffers=*/64);
}

TEST_P(DuplexConformance, WriteGoesOnBesideAReceiveThatWaitsForABuffer) {
  GoOnThroughAllRounds(/*n_buffers=*/4);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(DuplexConformance);

}  // namespace
}  // namespace ringway::testing
