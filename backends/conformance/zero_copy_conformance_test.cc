// SPDX-License-Identifier: Apache-2.0
//
// Zero-copy sends: they deliver the number of bytes accepted, and end when the
// memory is the caller's again - also where a backend copies.

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <span>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"

namespace ringway::testing {
namespace {

constexpr size_t kLarge = 256 * 1024;

std::string Pattern(size_t n_bytes) {
  std::string pattern(n_bytes, '\0');
  for (size_t i = 0; i < n_bytes; ++i) {
    pattern[i] = static_cast<char>(i * 17 + i / 263);
  }
  return pattern;
}

class ZeroCopyConformance : public OperationConformance {
 protected:
  void SetUp() override {
    OperationConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    // Not a Unix pair: those have no zero-copy anywhere.
    TestFd listener = system().TcpListener(1);
    near_ = system().ConnectTo(system().AddressOf(listener.get()));
    far_ = system().Accept(listener.get());
  }

  // Runs `send_` to its end, with the peer reading all along.
  std::string ReceiveUntilEnd() {
    std::string received;
    CountedOperation readable;
    driver().Start(send_);
    while (!send_.ended() && !HasFailure()) {
      readable.completions = 0;
      PreparePoll(readable, far_.get(), POLLIN);
      driver().Start(readable);
      EXPECT_TRUE(
          driver().RunUntil([&] { return send_.ended() || readable.done(); }));
      received += system().Receive(far_.get(), kLarge);
    }
    driver().Cancel(readable);
    EXPECT_TRUE(driver().RunUntil([&] { return readable.done(); }));
    return received;
  }

  // The bytes that `send_` has delivered as accepted.
  size_t TakeAccepted() {
    size_t n_bytes = 0;
    for (Delivery delivery; driver()->TakeDelivery(send_, delivery);) {
      EXPECT_GT(delivery.result, 0);
      EXPECT_EQ(delivery.data, nullptr);
      n_bytes += static_cast<size_t>(delivery.result);
    }
    return n_bytes;
  }

  // Sends until the socket and the peer's buffer are full.
  void Fill() {
    const std::string block(4096, 'x');
    while (system().Send(near_.get(), block) > 0)
      driver().TurnWithoutBlocking(1);
  }

  TestFd near_, far_;
  CountedMultishot send_;
};

TEST_P(ZeroCopyConformance, DeliversTheBytesAcceptedThenEndsWithZero) {
  PrepareSendZeroCopy(send_, near_.get(), AsBytes("hello"));
  driver().Start(send_);
  EXPECT_TRUE(
      driver().RunUntil([&] { return send_.first_delivery != nullptr; }));
  EXPECT_EQ(ReceiveAll(far_.get(), 5), "hello");
  EXPECT_TRUE(driver().RunUntil([&] { return send_.ended(); }));
  EXPECT_EQ(send_.delivery_count, 1u);
  EXPECT_EQ(TakeAccepted(), 5u);
  EXPECT_EQ(send_.result, 0);
}

TEST_P(ZeroCopyConformance, MemoryMayBeChangedAfterTheEnd) {
  std::string data = Pattern(kLarge);
  const std::string sent = data;
  PrepareSendZeroCopy(send_, near_.get(), AsBytes(data));
  std::string received = ReceiveUntilEnd();
  data.assign(data.size(), '!');
  const size_t accepted = TakeAccepted();
  received += ReceiveAll(far_.get(), accepted - received.size());
  EXPECT_EQ(send_.result, 0);
  EXPECT_GT(accepted, 0u);
  EXPECT_EQ(received.size(), accepted);
  EXPECT_TRUE(received == sent.substr(0, accepted));
}

TEST_P(ZeroCopyConformance, SendOfAllEndsWhenEverythingIsTaken) {
  const std::string sent = Pattern(4 * kLarge);
  PrepareSendZeroCopy(send_, near_.get(), AsBytes(sent), MSG_WAITALL);
  std::string received = ReceiveUntilEnd();
  EXPECT_EQ(TakeAccepted(), sent.size());
  received += ReceiveAll(far_.get(), sent.size() - received.size());
  EXPECT_TRUE(received == sent);
}

TEST_P(ZeroCopyConformance, SendMsgGathersItsParts) {
  char first[] = "he", second[] = "llo";
  iovec parts[] = {{first, 2}, {second, 3}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  PrepareSendMsgZeroCopy(send_, near_.get(), message);
  EXPECT_EQ(ReceiveUntilEnd() + ReceiveAll(far_.get(), 0), "hello");
  EXPECT_EQ(TakeAccepted(), 5u);
  EXPECT_EQ(send_.result, 0);
}

TEST_P(ZeroCopyConformance, SendsOneAfterTheOtherKeepTheirOrder) {
  std::string received, sent;
  for (int i = 0; i < 50; ++i) {
    const std::string message = std::to_string(i) + ",";
    PrepareSendZeroCopy(send_, near_.get(), AsBytes(message));
    received += ReceiveUntilEnd();
    ASSERT_EQ(TakeAccepted(), message.size());
    sent += message;
  }
  received += ReceiveAll(far_.get(), sent.size() - received.size());
  EXPECT_EQ(received, sent);
}

TEST_P(ZeroCopyConformance, ErrorDeliversNothing) {
  PrepareSendZeroCopy(send_, -1, AsBytes("x"));
  EXPECT_EQ(driver().RunToEnd(send_), -EBADF);
  EXPECT_EQ(send_.delivery_count, 0u);

  CountedOperation shutdown;
  PrepareShutdown(shutdown, near_.get(), SHUT_WR);
  EXPECT_EQ(driver().RunToEnd(shutdown), 0);
  PrepareSendZeroCopy(send_, near_.get(), AsBytes("x"));
  EXPECT_EQ(driver().RunToEnd(send_), -EPIPE);
  EXPECT_EQ(send_.delivery_count, 0u);
}

TEST_P(ZeroCopyConformance, WaitingSendEndsCancelledAndDeliversNothing) {
  Fill();
  PrepareSendZeroCopy(send_, near_.get(), AsBytes("x"));
  driver().Start(send_);
  driver().TurnWithoutBlocking();
  ASSERT_EQ(send_.told, 0);
  EXPECT_EQ(driver().Cancel(send_), CancelOutcome::kRequested);
  EXPECT_TRUE(driver().RunUntil([&] { return send_.ended(); }));
  EXPECT_EQ(send_.result, -ECANCELED);
  EXPECT_EQ(TakeAccepted(), 0u);
}

TEST_P(ZeroCopyConformance, QueuedSendNeverStarts) {
  PrepareSendZeroCopy(send_, near_.get(), AsBytes("x"));
  driver().Start(send_);
  EXPECT_EQ(driver().Cancel(send_), CancelOutcome::kNotStarted);
  driver().TurnWithoutBlocking();
  EXPECT_EQ(send_.told, 1);
  EXPECT_EQ(send_.result, -ECANCELED);
  EXPECT_EQ(system().Receive(far_.get(), 1), "");
}

TEST_P(ZeroCopyConformance, SocketsWithoutZeroCopyGetACopy) {
  TestFdPair sockets = system().SocketPair();
  PrepareSendZeroCopy(send_, sockets.first.get(), AsBytes("hello"));
  EXPECT_EQ(driver().RunToEnd(send_), 0);
  EXPECT_EQ(TakeAccepted(), 5u);
  EXPECT_EQ(system().Receive(sockets.second.get(), 64), "hello");
}

// --- Without memory that may be pinned

// A send with RLIMIT_MEMLOCK at 0. Returns the reason of a failure.
std::string SendWithoutPinning(System& system, BackendDriver& driver, int near,
                               int far) {
  const rlimit nothing = {0, 0};
  if (setrlimit(RLIMIT_MEMLOCK, &nothing) != 0) return "setrlimit";
  const std::string sent = Pattern(32 * 1024);
  CountedMultishot send;
  PrepareSendZeroCopy(send, near, AsBytes(sent), MSG_WAITALL);
  if (driver.RunToEnd(send) != 0)
    return "result " + std::to_string(send.result);
  Delivery delivery;
  if (!driver->TakeDelivery(send, delivery)) return "no delivery";
  if (delivery.result != static_cast<int32_t>(sent.size())) return "short";
  if (system.Receive(far, sent.size()) != sent) return "not what was sent";
  if (driver->name() == "uring" &&
      driver->support(OpCode::kSendZeroCopy) == Support::kNative &&
      driver->stats().zero_copy_refused != 1) {
    return "it was not refused";
  }
  return "";
}

TEST_P(ZeroCopyConformance, WhereMemoryCannotBePinnedItIsCopied) {
  RINGWAY_REQUIRES_KERNEL("limit on memory");
  EXPECT_EXIT(
      {
        // The limit does not bind root. The ring comes before the limit: rings
        // are charged, too.
        if (geteuid() == 0 && setresuid(65'534, 65'534, 65'534) != 0) _exit(2);
        BackendDriver driver(MakeForTest());
        const std::string problem =
            SendWithoutPinning(system(), driver, near_.get(), far_.get());
        fprintf(stderr, "%s\n", problem.c_str());
        _exit(problem.empty() ? 7 : 1);
      },
      ::testing::ExitedWithCode(7), "");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ZeroCopyConformance);

}  // namespace
}  // namespace ringway::testing
