// SPDX-License-Identifier: Apache-2.0
//
// Cancels that race completions, for what makes connections and what waits for
// readiness: every connection is in the result or still in the queue.

#include <poll.h>

#include <cerrno>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/cancel_race.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

class PollRace : public Race {
 public:
  using Race::Race;

  Operation& Prepare() override {
    PreparePoll(op_, fds_.first.get(), POLLIN);
    return op_;
  }
  void Trigger() override { ASSERT_EQ(system.Send(fds_.second.get(), "x"), 1); }
  void Settle() override {
    if (op_.result != -ECANCELED) {
      ASSERT_EQ(op_.result, POLLIN);
    }
    ASSERT_EQ(system.Receive(fds_.first.get(), 2), "x");
  }

 private:
  TestFdPair fds_ = system.SocketPair();
  CountedOperation op_;
};

class MultishotPollRace : public Race {
 public:
  using Race::Race;

  Operation& Prepare() override {
    PreparePollMultishot(op_, fds_.first.get(), POLLIN);
    return op_;
  }
  void Trigger() override { ASSERT_EQ(system.Send(fds_.second.get(), "x"), 1); }
  void Settle() override {
    ASSERT_EQ(op_.result, -ECANCELED);
    driver->DropDeliveries(op_);
    ASSERT_EQ(system.Receive(fds_.first.get(), 2), "x");
  }

 private:
  TestFdPair fds_ = system.SocketPair();
  CountedMultishot op_;
};

// Every connection made is accepted, or still in the queue.
class AcceptRace : public Race {
 public:
  using Race::Race;

  Operation& Prepare() override {
    PrepareAccept(op_, listener_.get(), nullptr, nullptr);
    return op_;
  }
  void Trigger() override {
    client_ = system.ConnectTo(system.AddressOf(listener_.get()));
  }
  void Settle() override {
    TestFd server = op_.result >= 0 ? system.Own(op_.result)
                                    : system.Accept(listener_.get());
    ASSERT_TRUE(server.valid()) << op_.result;
    if (op_.result < 0) {
      ASSERT_EQ(op_.result, -ECANCELED);
    }
    system.ResetPeer(std::move(client_));  // leaves no port in TIME_WAIT
  }

 private:
  TestFd listener_ = system.TcpListener(16), client_;
  CountedOperation op_;
};

class MultishotAcceptRace : public Race {
 public:
  using Race::Race;

  Operation& Prepare() override {
    PrepareAcceptMultishot(op_, listener_.get());
    return op_;
  }
  void Trigger() override {
    client_ = system.ConnectTo(system.AddressOf(listener_.get()));
  }
  void Settle() override {
    ASSERT_EQ(op_.result, -ECANCELED);
    Delivery delivery;
    TestFd server = driver->TakeDelivery(op_, delivery)
                        ? system.Own(delivery.result)
                        : system.Accept(listener_.get());
    ASSERT_TRUE(server.valid());
    system.ResetPeer(std::move(client_));
  }

 private:
  TestFd listener_ = system.TcpListener(16), client_;
  CountedMultishot op_;
};

// What a cancelled connect has nevertheless made is in the listener's queue.
class ConnectRace : public Race {
 public:
  using Race::Race;

  Operation& Prepare() override {
    client_ = system.TcpSocket();
    PrepareConnect(op_, client_.get(), AsSockaddr(address_), sizeof(address_));
    return op_;
  }
  void Settle() override {
    TestFd server = system.Accept(listener_.get());
    if (op_.result != -ECANCELED) {
      ASSERT_EQ(op_.result, 0);
      ASSERT_TRUE(server.valid());
    }
    system.ResetPeer(std::move(client_));
  }

 private:
  TestFd listener_ = system.TcpListener(16), client_;
  const sockaddr_in address_ = system.AddressOf(listener_.get());
  CountedOperation op_;
};

// Instantiated in cancel_race_test.cc.

TEST_P(CancelRace, Poll) {
  PollRace race(system(), driver());
  Run(race);
}

TEST_P(CancelRace, MultishotPoll) {
  MultishotPollRace race(system(), driver());
  Run(race);
}

TEST_P(CancelRace, Accept) {
  AcceptRace race(system(), driver());
  Run(race);
}

TEST_P(CancelRace, MultishotAccept) {
  MultishotAcceptRace race(system(), driver());
  Run(race);
}

TEST_P(CancelRace, Connect) {
  ConnectRace race(system(), driver());
  Run(race);
}

}  // namespace
}  // namespace ringway::testing
