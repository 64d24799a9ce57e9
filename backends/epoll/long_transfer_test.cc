// SPDX-License-Identifier: Apache-2.0
//
// Long transfers to a peer that reads as fast as data is sent: send() never
// returns EAGAIN, so only the backend's own limit ends a turn. Real peers
// stop sometimes, so tests with one rarely show this.

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/epoll/epoll_backend.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/sockets.h"

namespace {

std::vector<size_t> sent;  // bytes of each call

ssize_t Sent(size_t n_bytes) {
  sent.push_back(n_bytes);
  return static_cast<ssize_t>(n_bytes);
}

}  // namespace

extern "C" ssize_t __wrap_send(int, const void*, size_t n_bytes, int) {
  return Sent(n_bytes);
}

extern "C" ssize_t __wrap_sendmsg(int, const msghdr* message, int) {
  size_t n_bytes = 0;
  for (size_t i = 0; i < message->msg_iovlen; ++i) {
    n_bytes += message->msg_iov[i].iov_len;
  }
  return Sent(n_bytes);
}

namespace ringway::epoll {
namespace {

using ::ringway::testing::AsBytes;
using ::ringway::testing::BackendDriver;
using ::ringway::testing::CountedOperation;
using ::ringway::testing::FdPair;
using ::ringway::testing::MakeSocketPair;

constexpr size_t kLong = 64 << 20;
constexpr size_t kMostPerTurn = 4 << 20;

class LongTransferTest : public ::testing::Test {
 protected:
  LongTransferTest() { sent.clear(); }

  // Runs `op_`, a transfer of kLong bytes, to its end, and expects that
  // something else starts and ends in the meantime, every turn.
  void ExpectThatOthersGetTheirTurns() {
    driver_.Start(op_);
    size_t before = 0;
    int turns = 0;
    while (!op_.done() && turns < 1'000) {
      CountedOperation other;
      PrepareNop(other);
      driver_.Start(other);
      driver_.TurnWithoutBlocking(1);
      EXPECT_TRUE(other.done());
      ++turns;
      EXPECT_LE(TotalSent() - before, kMostPerTurn) << "in turn " << turns;
      before = TotalSent();
    }
    EXPECT_EQ(op_.completions, 1);
    EXPECT_EQ(op_.result, static_cast<int32_t>(kLong));
    EXPECT_EQ(TotalSent(), kLong);
  }

  static size_t TotalSent() {
    size_t total = 0;
    for (size_t n : sent) total += n;
    return total;
  }

  const std::string data_ = std::string(kLong, 'x');
  FdPair sockets_ = MakeSocketPair();
  BackendDriver driver_{*EpollBackend::Create(BackendOptions())};
  CountedOperation op_;
};

TEST_F(LongTransferTest, SendOfAllLetsTheOthersIn) {
  PrepareSend(op_, sockets_.first.get(), AsBytes(data_), MSG_WAITALL);
  ExpectThatOthersGetTheirTurns();
}

TEST_F(LongTransferTest, SendMsgOfAllLetsTheOthersIn) {
  iovec parts[3];
  size_t from = 0;
  for (iovec& part : parts) {
    part.iov_base = const_cast<char*>(data_.data()) + from;
    part.iov_len = &part == &parts[2] ? kLong - from : kLong / 3;
    from += part.iov_len;
  }
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 3;
  PrepareSendMsg(op_, sockets_.first.get(), message, MSG_WAITALL);
  ExpectThatOthersGetTheirTurns();
}

TEST_F(LongTransferTest, SendsBehindItKeepTheirOrder) {
  PrepareSend(op_, sockets_.first.get(), AsBytes(data_), MSG_WAITALL);
  driver_.Start(op_);
  CountedOperation behind;
  PrepareSend(behind, sockets_.first.get(), AsBytes("x"), MSG_WAITALL);
  driver_.Start(behind);
  ASSERT_TRUE(driver_.RunUntil([&] { return op_.done() || behind.done(); }));
  EXPECT_TRUE(op_.done());
  ASSERT_TRUE(driver_.RunUntil([&] { return behind.done(); }));
  EXPECT_EQ(sent.back(), 1u);
}

TEST_F(LongTransferTest, CancelledOneTellsWhatWasTaken) {
  PrepareSend(op_, sockets_.first.get(), AsBytes(data_), MSG_WAITALL);
  driver_.Start(op_);
  driver_.TurnWithoutBlocking(2);
  ASSERT_FALSE(op_.done());
  driver_.Cancel(op_);
  ASSERT_TRUE(driver_.RunUntil([&] { return op_.done(); }));
  EXPECT_EQ(static_cast<size_t>(op_.result), TotalSent());
}

}  // namespace
}  // namespace ringway::epoll
