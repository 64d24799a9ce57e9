// SPDX-License-Identifier: Apache-2.0
//
// Streams that are not TCP: a receive that gets less than it has room for is
// not followed by another one that finds nothing. Nor is anything lost, though
// such a receive may have stopped in the middle of what is there, and no edge
// follows; nor does what nobody receives keep the loop awake.

#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/epoll/epoll_fixture.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/sockets.h"

namespace ringway::epoll {
namespace {

using ::ringway::testing::AsBytes;
using ::ringway::testing::CountedMultishot;
using ::ringway::testing::FdPair;
using ::ringway::testing::MakeSocketPair;
using ::ringway::testing::SendAll;

class LevelReportsTest : public EpollBackendTest {
 protected:
  ~LevelReportsTest() override {
    driver_.Cancel(receive_);
    EXPECT_TRUE(driver_.RunUntil([&] { return !receive_.active(); }));
    TakeAll();
    driver_.TurnWithoutBlocking();
  }

  int here() const { return sockets_.first.get(); }
  int peer() const { return sockets_.second.get(); }

  // All that was delivered since the last call.
  std::string TakeAll() {
    std::string all;
    Delivery delivery;
    while (driver_->TakeDelivery(receive_, delivery)) {
      all.append(reinterpret_cast<const char*>(delivery.data),
                 static_cast<size_t>(delivery.result));
      driver_->ReturnBuffer(delivery.buffer_id);
    }
    return all;
  }

  void ExpectReceived(const std::string& expected) {
    std::string all;
    EXPECT_TRUE(driver_.RunUntil([&] {
      all += TakeAll();
      return all.size() >= expected.size();
    }));
    EXPECT_EQ(all, expected);
  }

  // Receives, and is told of levels from then on.
  void Begin() {
    PrepareRecvMultishot(receive_, here());
    driver_.Start(receive_);
    driver_.TurnWithoutBlocking();
    SendAll(peer(), "first");
    ExpectReceived("first");
    driver_.TurnWithoutBlocking();
  }

  // Sends `text` with control data of `type`, at which receives stop.
  void SendWith(int type, const std::string& text) {
    iovec part = {const_cast<char*>(text.data()), text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    const ucred self = {getpid(), getuid(), getgid()};
    const int fd = peer();
    const bool fds = type == SCM_RIGHTS;
    const size_t n_bytes = fds ? sizeof(fd) : sizeof(self);
    message.msg_controllen = CMSG_SPACE(n_bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(n_bytes);
    memcpy(CMSG_DATA(header), fds ? static_cast<const void*>(&fd) : &self,
           n_bytes);
    ASSERT_EQ(sendmsg(peer(), &message, 0), static_cast<ssize_t>(text.size()));
  }

  // The system calls of a loop that has nothing to do for a while.
  uint64_t IdleCalls() {
    driver_.TurnWithoutBlocking();
    const uint64_t before = driver_->stats().system_calls;
    for (int i = 0; i < 5; ++i)
      driver_.Turn(driver_->clock().Now() + absl::Milliseconds(5));
    return driver_->stats().system_calls - before;
  }

  FdPair sockets_ = MakeSocketPair();
  CountedMultishot receive_;
};

TEST_F(LevelReportsTest, EchoCostsOneReceiveOneSendAndAShareOfAWait) {
  constexpr uint64_t kRounds = 1'000;
  Begin();
  const uint64_t before = driver_->stats().system_calls;
  for (uint64_t i = 0; i < kRounds; ++i) {
    SendAll(peer(), "ping");
    ExpectReceived("ping");
    PrepareSend(op_, here(), AsBytes("pong"), MSG_WAITALL);
    ASSERT_EQ(driver_.RunToEnd(op_), 4);
    char reply[8];
    ASSERT_EQ(recv(peer(), reply, sizeof(reply), 0), 4);
  }
  // A wait, a receive, a send, and a wait after the send.
  EXPECT_LE(driver_->stats().system_calls - before, 4 * kRounds);
}

TEST_F(LevelReportsTest, BytesBehindAPassedFdArrive) {
  Begin();
  for (const int type : {SCM_RIGHTS, SCM_CREDENTIALS}) {
    for (int round = 0; round < 10; ++round) {
      SendAll(peer(), "before ");
      SendWith(type, "with ");
      SendAll(peer(), "after");
      ExpectReceived("before with after");
    }
  }
  EXPECT_LE(IdleCalls(), 10u);
}

TEST_F(LevelReportsTest, BytesThatNobodyReceivesKeepNothingAwake) {
  Begin();
  driver_.Cancel(receive_);
  ASSERT_TRUE(driver_.RunUntil([&] { return receive_.ended(); }));
  SendAll(peer(), "unread");
  driver_.TurnWithoutBlocking();
  EXPECT_LE(IdleCalls(), 10u);
  PrepareRecvMultishot(receive_, here());
  driver_.Start(receive_);
  ExpectReceived("unread");
  SendAll(peer(), "next");
  ExpectReceived("next");
}

TEST_F(LevelReportsTest, RoomToSendKeepsNothingAwake) {
  Begin();
  FillSendBuffer(here());
  PrepareSend(op_, here(), AsBytes("x"));
  driver_.Start(op_);
  driver_.TurnWithoutBlocking();
  EXPECT_LE(IdleCalls(), 10u);
  SendAll(peer(), "both ways");
  ExpectReceived("both ways");
  char buffer[4096];
  while (!op_.done()) {
    ASSERT_GT(recv(peer(), buffer, sizeof(buffer), 0), 0);
    driver_.TurnWithoutBlocking(1);
  }
  EXPECT_LE(IdleCalls(), 10u) << "there is room now";
  SendAll(peer(), "and on");
  ExpectReceived("and on");
}

TEST_F(LevelReportsTest, TheEndOfThePeerKeepsNothingAwake) {
  Begin();
  SendAll(peer(), "last");
  ASSERT_EQ(shutdown(peer(), SHUT_WR), 0);
  ExpectReceived("last");
  ASSERT_TRUE(driver_.RunUntil([&] { return receive_.ended(); }));
  EXPECT_EQ(receive_.result, 0);
  EXPECT_LE(IdleCalls(), 10u);
  PrepareSend(op_, here(), AsBytes("an answer"));
  EXPECT_EQ(driver_.RunToEnd(op_), 9);
}

TEST_F(LevelReportsTest, OutOfBandBytesKeepNothingAwake) {
  Begin();
  if (send(peer(), "!", 1, MSG_OOB) != 1)
    GTEST_SKIP() << "no out-of-band data on Unix sockets before Linux 5.15";
  driver_.TurnWithoutBlocking();
  EXPECT_LE(IdleCalls(), 10u);
  SendAll(peer(), "behind");
  std::string all;
  ASSERT_TRUE(driver_.RunUntil([&] {
    all += TakeAll();
    return all.ends_with("behind");
  }));
}

// More than there are buffers: the receive is put aside until some are back.
TEST_F(LevelReportsTest, AReceiveWithoutBuffersKeepsNothingAwake) {
  BackendOptions options;
  options.receive_buffer_count = 1;
  options.receive_buffer_bytes = 64;
  options.receive_copy_bytes = 0;
  options.receive_own_bytes = 0;
  testing::BackendDriver driver(*EpollBackend::Create(options));
  CountedMultishot receive;
  PrepareRecvMultishot(receive, here());
  driver.Start(receive);
  driver.TurnWithoutBlocking();
  std::string all;
  Delivery delivery;
  for (const char* text : {"one", "two"}) {
    SendAll(peer(), text);
    driver.TurnWithoutBlocking();
    ASSERT_TRUE(driver->TakeDelivery(receive, delivery));
    all.append(reinterpret_cast<const char*>(delivery.data),
               static_cast<size_t>(delivery.result));
    driver->ReturnBuffer(delivery.buffer_id);
  }
  SendAll(peer(), std::string(64, 'f'));
  driver.TurnWithoutBlocking();
  ASSERT_TRUE(driver->TakeDelivery(receive, delivery));
  SendAll(peer(), "three");
  driver.TurnWithoutBlocking();
  const uint64_t before = driver->stats().system_calls;
  for (int i = 0; i < 5; ++i)
    driver.Turn(driver->clock().Now() + absl::Milliseconds(5));
  EXPECT_LE(driver->stats().system_calls - before, 10u);
  driver->ReturnBuffer(delivery.buffer_id);
  ASSERT_TRUE(driver.RunUntil([&] { return receive.delivery_count > 0; }));
  ASSERT_TRUE(driver->TakeDelivery(receive, delivery));
  EXPECT_EQ(delivery.result, 5);
  driver->ReturnBuffer(delivery.buffer_id);
  EXPECT_EQ(all, "onetwo");
  driver.Cancel(receive);
  EXPECT_TRUE(driver.RunUntil([&] { return receive.ended(); }));
}

}  // namespace
}  // namespace ringway::epoll
