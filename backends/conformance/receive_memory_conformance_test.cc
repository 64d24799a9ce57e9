// SPDX-License-Identifier: Apache-2.0
//
// BackendStats::receive_memory: every gauge rises with what tasks keep, stays
// below the limit that options set, and falls again to where it began; memory
// that nothing needs is given back while the worker is idle.

#include <liburing.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/multishot_fixture.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

constexpr uint32_t kBufferBytes = 4'096;
// What backends may keep for the next use.
constexpr uint64_t kKept = uint64_t{17} * kBufferBytes;

class ReceiveMemoryConformance : public MultishotConformance {
 protected:
  static BackendOptions Buffers(size_t n_bytes_in_all) {
    BackendOptions options = Options();
    options.receive_memory_bytes = n_bytes_in_all;
    options.receive_buffer_bytes = kBufferBytes;
    return options;
  }

  // The kernel may use a buffer at any time unless the ring defers its work.
  static bool GivesBackWhileIdle() {
    return (Options().uring.masked_setup_flags & IORING_SETUP_DEFER_TASKRUN) ==
           0;
  }

  static ReceiveMemory MemoryOf(BackendDriver& driver) {
    return driver->stats().receive_memory;
  }

  void StartAll(BackendDriver& driver, std::deque<Receiver>& receivers) {
    for (Receiver& receiver : receivers) {
      PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
      driver.Start(receiver.op);
    }
    driver.StartEverything();
  }

  // Sends `n_bytes` to each, and keeps all deliveries of them.
  void Keep(BackendDriver& driver, std::deque<Receiver>& receivers,
            size_t n_bytes) {
    for (size_t i = 0; i < receivers.size(); ++i) {
      const std::string sent = Pattern(n_bytes, static_cast<unsigned>(i));
      SendAll(receivers[i].sockets.second.get(), sent);
      std::string received;
      ASSERT_TRUE(driver.RunUntil([&] {
        for (Delivery delivery;
             driver->TakeDelivery(receivers[i].op, delivery);) {
          received += TextOf(delivery);
          kept_.push_back(delivery);
        }
        return received.size() >= n_bytes;
      }));
      ASSERT_TRUE(received == sent) << "receiver " << i;
    }
  }

  void ReturnAll(BackendDriver& driver) {
    for (const Delivery& delivery : kept_)
      driver->ReturnBuffer(delivery.buffer_id);
    kept_.clear();
  }

  // Turns, idle, until there are no more buffers than at first.
  void ExpectGivenBack(BackendDriver& driver, const ReceiveMemory& before) {
    if (!GivesBackWhileIdle()) return;
    EXPECT_TRUE(driver.RunUntil([&] {
      const ReceiveMemory now = MemoryOf(driver);
      return now.buffers <= std::max(before.buffers, kKept + now.lent);
    })) << MemoryOf(driver).buffers
        << " bytes";
  }

  void Stop(BackendDriver& driver, std::deque<Receiver>& receivers) {
    for (Receiver& receiver : receivers) {
      driver.Cancel(receiver.op);
      EXPECT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
      driver->DropDeliveries(receiver.op);
    }
  }

  static std::string TextOf(const Delivery& delivery) {
    return std::string(
        AsText({delivery.data, static_cast<size_t>(delivery.result)}));
  }

  std::vector<Delivery> kept_;
};

TEST_P(ReceiveMemoryConformance, BuffersRiseWithWhatIsKeptAndFallAgain) {
  constexpr size_t kReceivers = 100;
  BackendDriver driver(MakeForTest(Buffers(1 << 20)));
  EXPECT_EQ(MemoryOf(driver).total(), 0u) << "before the first receive";
  std::deque<Receiver> receivers = MakeReceivers(kReceivers);
  StartAll(driver, receivers);
  const ReceiveMemory before = MemoryOf(driver);
  EXPECT_EQ(before.lent, 0u);

  Keep(driver, receivers, kBufferBytes);
  const ReceiveMemory kept = MemoryOf(driver);
  EXPECT_GE(kept.lent, kReceivers * kBufferBytes);
  EXPECT_GE(kept.buffers, kept.lent);
  EXPECT_GE(kept.most, kept.total());
  EXPECT_EQ(kept.copies + kept.own, 0u);

  ReturnAll(driver);
  EXPECT_EQ(MemoryOf(driver).lent, 0u);
  ExpectGivenBack(driver, before);
  EXPECT_EQ(MemoryOf(driver).most, kept.most);
  Stop(driver, receivers);
}

TEST_P(ReceiveMemoryConformance, CopiesRiseAndFallByTheByte) {
  BackendOptions options = WithBuffers(4, 1'024);
  options.receive_low_water = 4;
  BackendDriver driver(MakeForTest(options));
  std::deque<Receiver> receivers = MakeReceivers(10);
  StartAll(driver, receivers);

  Keep(driver, receivers, 100);
  EXPECT_EQ(MemoryOf(driver).copies, 1'000u);
  EXPECT_EQ(MemoryOf(driver).lent, 0u);
  EXPECT_GE(MemoryOf(driver).most, 1'000u);

  ReturnAll(driver);
  EXPECT_EQ(MemoryOf(driver).copies, 0u);
  Stop(driver, receivers);
}

TEST_P(ReceiveMemoryConformance, OwnMemoryRisesAndFallsByItsSize) {
  BackendOptions options = WithBuffers(1, 64);
  options.receive_copy_bytes = 0;
  options.receive_own_bytes = 100;
  BackendDriver driver(MakeForTest(options));
  std::deque<Receiver> receivers = MakeReceivers(11);
  StartAll(driver, receivers);

  // The first has the buffer.
  Keep(driver, receivers, 10);
  EXPECT_EQ(MemoryOf(driver).lent, 64u);
  EXPECT_EQ(MemoryOf(driver).own, 1'000u);
  EXPECT_EQ(MemoryOf(driver).copies, 0u);

  ReturnAll(driver);
  EXPECT_EQ(MemoryOf(driver).lent, 0u);
  EXPECT_EQ(MemoryOf(driver).own, 0u);
  Stop(driver, receivers);
}

// Peers send as much as they can, and each task keeps one delivery.
TEST_P(ReceiveMemoryConformance, StaysBelowItsBoundWhateverPeersSend) {
  constexpr size_t kReceivers = 60;
  BackendOptions options = Buffers(128 * 1'024);
  options.receive_copy_bytes = 20'000;
  options.receive_own_bytes = 1'000;
  BackendDriver driver(MakeForTest(options));
  std::deque<Receiver> receivers = MakeReceivers(kReceivers);
  StartAll(driver, receivers);
  for (size_t i = 0; i < kReceivers; ++i)
    SendAll(receivers[i].sockets.second.get(), Pattern(40'000));
  std::vector<bool> keeps(kReceivers);
  size_t n_keeping = 0;
  EXPECT_TRUE(driver.RunUntil([&] {
    for (size_t i = 0; i < kReceivers; ++i) {
      Delivery delivery;
      if (keeps[i] || !driver->TakeDelivery(receivers[i].op, delivery))
        continue;
      keeps[i] = true;
      kept_.push_back(delivery);
      ++n_keeping;
    }
    return n_keeping == kReceivers;
  }));
  driver.TurnWithoutBlocking(1'000);

  const ReceiveMemory memory = MemoryOf(driver);
  EXPECT_LE(memory.lent, memory.buffers);
  EXPECT_LE(memory.buffers, options.receive_memory_bytes);
  EXPECT_LE(memory.copies, options.receive_copy_bytes);
  EXPECT_LE(memory.own, 2 * options.receive_own_bytes * kReceivers);
  EXPECT_GT(memory.own, 0u) << "buffers were never short";
  EXPECT_LE(memory.most, options.receive_memory_bytes +
                             options.receive_copy_bytes +
                             2 * options.receive_own_bytes * kReceivers);
  ReturnAll(driver);
  Stop(driver, receivers);
  EXPECT_EQ(MemoryOf(driver).lent, 0u);
  EXPECT_EQ(MemoryOf(driver).copies, 0u);
  EXPECT_EQ(MemoryOf(driver).own, 0u);
}

// Kept deliveries stay as they are while the memory of other buffers is given
// back, and what is received afterwards is whole.
TEST_P(ReceiveMemoryConformance, NothingIsLostWhileMemoryIsGivenBack) {
  BackendDriver driver(MakeForTest(Buffers(1 << 20)));
  std::deque<Receiver> receivers = MakeReceivers(60);
  std::deque<Receiver> holders = MakeReceivers(3);
  StartAll(driver, receivers);
  StartAll(driver, holders);
  const ReceiveMemory before = MemoryOf(driver);
  for (int round = 0; round < 4; ++round) {
    Keep(driver, receivers, kBufferBytes + 1);
    const std::vector<Delivery> returned = std::exchange(kept_, {});
    Keep(driver, holders, 500);
    std::vector<std::string> texts;
    for (const Delivery& delivery : kept_) texts.push_back(TextOf(delivery));
    for (const Delivery& delivery : returned)
      driver->ReturnBuffer(delivery.buffer_id);

    ExpectGivenBack(driver, before);

    for (size_t i = 0; i < kept_.size(); ++i)
      EXPECT_EQ(TextOf(kept_[i]), texts[i]);
    ReturnAll(driver);
  }
  Stop(driver, receivers);
  Stop(driver, holders);
  EXPECT_EQ(MemoryOf(driver).lent, 0u);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ReceiveMemoryConformance);

}  // namespace
}  // namespace ringway::testing
