// SPDX-License-Identifier: Apache-2.0
//
// Receive buffers that hold several deliveries: whatever is kept, and in
// whatever order it is returned, nothing is overwritten while it is lent, and
// every buffer serves again. Many are held at times and few at others, so that
// buffers are added and their memory is given back.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/multishot_fixture.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/backends/testing/views.h"
#include "ringway/core/rng.h"

namespace ringway::testing {
namespace {

constexpr uint32_t kBuffers = 32;

class SharedBuffersConformance : public MultishotConformance {
 protected:
  // Sends `bytes` in random pieces to `receiver`, which keeps up to `most`
  // deliveries and returns them in random order.
  void Exchange(BackendDriver& driver, Receiver& receiver,
                std::string_view bytes, size_t most) {
    size_t n_sent = 0, n_received = 0;
    while (n_received < bytes.size() && !HasFailure()) {
      if (n_sent == n_received) {
        const size_t n =
            std::min<size_t>(rng_.Between(1, 6'000), bytes.size() - n_sent);
        SendAll(receiver.sockets.second.get(), bytes.substr(n_sent, n));
        n_sent += n;
      }
      ASSERT_TRUE(driver.RunUntil(
          [&] { return receiver.op.first_delivery != nullptr; }));
      for (Delivery delivery; driver->TakeDelivery(receiver.op, delivery);) {
        const size_t n = static_cast<size_t>(delivery.result);
        kept_.emplace_back(delivery, bytes.substr(n_received, n));
        n_received += n;
      }
      while (kept_.size() > most) ReturnOne(driver);
    }
    while (!kept_.empty()) ReturnOne(driver);
  }

 private:
  void ReturnOne(BackendDriver& driver) {
    std::swap(kept_[rng_.Below(kept_.size())], kept_.back());
    const auto& [delivery, expected] = kept_.back();
    EXPECT_TRUE(AsText({delivery.data, static_cast<size_t>(delivery.result)}) ==
                expected)
        << "it was overwritten";
    driver->ReturnBuffer(delivery.buffer_id);
    kept_.pop_back();
  }

  Rng rng_{1};
  std::vector<std::pair<Delivery, std::string_view>> kept_;
};

TEST_P(SharedBuffersConformance, NothingIsOverwrittenWhileItIsLent) {
  for (const uint32_t n_bytes : {1'000u, 4'096u, 64u * 1024}) {
    SCOPED_TRACE(n_bytes);
    BackendOptions options = WithBuffers(kBuffers, n_bytes);
    options.share_receive_buffers = true;
    options.receive_low_water = 1;
    options.receive_copy_bytes = 0;
    BackendDriver driver(MakeForTest(options));
    Receiver receiver(system());
    PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
    driver.Start(receiver.op);
    const std::string bytes = Pattern(Scaled(2'000'000));
    for (const size_t most : {0, 8, 1, 20, 0})
      Exchange(driver, receiver, bytes, most);
    EXPECT_EQ(driver->stats().buffers_copied, 0u);
    driver.Cancel(receiver.op);
    ASSERT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
  }
}

// With as many bytes as all buffers have, each of them is in use.
TEST_P(SharedBuffersConformance, AllOfThemCanBeHeld) {
  BackendOptions options = WithBuffers(8, 1'024);
  options.share_receive_buffers = true;
  options.receive_low_water = 1;
  options.receive_copy_bytes = 0;
  BackendDriver driver(MakeForTest(options));
  Receiver receiver(system());
  PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
  driver.Start(receiver.op);
  const std::string bytes = Pattern(20 * 1'024);
  SendAll(receiver.sockets.second.get(), bytes);
  for (int round = 0; round < 2; ++round) {
    std::string received;
    std::vector<Delivery> held;
    EXPECT_TRUE(driver.RunUntil([&] {
      for (Delivery delivery; driver->TakeDelivery(receiver.op, delivery);) {
        received +=
            AsText({delivery.data, static_cast<size_t>(delivery.result)});
        held.push_back(delivery);
      }
      return received.size() >= 8 * 1'024;
    }));
    driver.TurnWithoutBlocking(10);
    EXPECT_EQ(receiver.op.first_delivery, nullptr);
    EXPECT_TRUE(received ==
                bytes.substr(static_cast<size_t>(round) * 8'192, 8'192));
    for (const Delivery& delivery : held)
      driver->ReturnBuffer(delivery.buffer_id);
  }
  driver.Cancel(receiver.op);
  ASSERT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
  driver->DropDeliveries(receiver.op);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SharedBuffersConformance);

}  // namespace
}  // namespace ringway::testing
