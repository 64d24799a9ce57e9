// SPDX-License-Identifier: Apache-2.0
//
// Cancels that race completions, for every kind of operation that moves bytes
// or may run on a thread: whichever wins, the operation ends once, as a result
// or as cancelled, and everything the peer sent is either in the result or
// still to be had. No fd, no buffer and no operation is left over.
//
// RINGWAY_TEST_SCALE=50 makes it a long run.

#include "ringway/backends/testing/cancel_race.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <span>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/datagram.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

// Receives one byte, by any opcode.
class ReceiveRace : public Race {
 public:
  using Preparer = void (*)(ReceiveRace&, int fd);

  ReceiveRace(System& s, BackendDriver& d, TestFdPair fds, Preparer prepare)
      : Race(s, d), fds_(std::move(fds)), prepare_(prepare) {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
  }

  Operation& Prepare() override {
    prepare_(*this, fds_.first.get());
    return op;
  }
  void Trigger() override {
    ASSERT_EQ(system.Send(fds_.second.get(), {&++sent_, 1}), 1);
  }
  void Settle() override {
    if (op.result == -ECANCELED) {
      ASSERT_EQ(system.Receive(fds_.first.get(), 1), std::string(1, sent_));
    } else {
      ASSERT_EQ(op.result, 1);
      ASSERT_EQ(byte, sent_);
    }
  }

  CountedOperation op;
  char byte = 0;
  iovec part = {&byte, 1};
  msghdr message = {};

 private:
  TestFdPair fds_;
  const Preparer prepare_;
  char sent_ = 0;
};

// Sends one byte into what is full, by any opcode. A pair that is drained to
// its last byte once per round.
class SendRace : public Race {
 public:
  using Preparer = void (*)(SendRace&, int fd);

  SendRace(System& s, BackendDriver& d, TestFdPair fds, bool is_socket,
           Preparer prepare)
      : Race(s, d), fds_(std::move(fds)), prepare_(prepare) {
    if (is_socket) system.Shrink(fds_.second.get());
    message.msg_iov = &part;
    message.msg_iovlen = 1;
  }

  Operation& Prepare() override {
    n_sent_ = 0;
    for (int64_t n; (n = system.Send(fds_.second.get(), kBlock)) > 0;) {
      n_sent_ += static_cast<size_t>(n);
    }
    n_received_ = 0;
    prepare_(*this, fds_.second.get());
    return op;
  }
  void Trigger() override { Drain(); }
  void Settle() override {
    if (op.result != -ECANCELED) {
      ASSERT_EQ(op.result, 1);
      ++n_sent_;
    }
    Drain();
    ASSERT_EQ(n_received_, n_sent_);
  }

  CountedOperation op;
  char byte = 'x';
  iovec part = {&byte, 1};
  msghdr message = {};
  TestFd file = system.File("x");

 private:
  void Drain() {
    for (std::string part;
         !(part = system.Receive(fds_.first.get(), 65'536)).empty();) {
      n_received_ += part.size();
    }
  }

  inline static const std::string kBlock = std::string(4'096, 'x');

  TestFdPair fds_;
  const Preparer prepare_;
  size_t n_sent_ = 0;
  size_t n_received_ = 0;
};

// A datagram, which always fits: what was accepted has arrived.
class ZeroCopyRace : public Race {
 public:
  ZeroCopyRace(System& s, BackendDriver& d) : Race(s, d) {
    message_.msg_name = &address_;
    message_.msg_namelen = sizeof(address_);
    message_.msg_iov = &part_;
    message_.msg_iovlen = 1;
  }

  Operation& Prepare() override {
    PrepareSendMsgZeroCopy(op_, sender_.get(), message_);
    return op_;
  }
  void Settle() override {
    size_t n_sent = 0;
    for (Delivery delivery; driver->TakeDelivery(op_, delivery);) {
      n_sent += static_cast<size_t>(delivery.result);
    }
    ASSERT_EQ(op_.result, n_sent == 1 ? 0 : -ECANCELED);
    ASSERT_EQ(system.Receive(receiver_.get(), 64).size(), n_sent);
  }

 private:
  TestFd sender_ = system.UdpSocket(), receiver_ = system.UdpSocket();
  sockaddr_in address_ = system.AddressOf(receiver_.get());
  char byte_ = 'x';
  iovec part_ = {&byte_, 1};
  msghdr message_ = {};
  CountedMultishot op_;
};

// Moves one byte from pipe to pipe.
class SpliceRace : public Race {
 public:
  using Race::Race;

  Operation& Prepare() override {
    PrepareSplice(op_, from_.first.get(), kCurrentPosition, to_.second.get(),
                  kCurrentPosition, 1);
    return op_;
  }
  void Trigger() override {
    ASSERT_EQ(system.Send(from_.second.get(), "x"), 1);
  }
  void Settle() override {
    const bool moved = op_.result == 1;
    ASSERT_EQ(system.Receive((moved ? to_ : from_).first.get(), 2), "x")
        << op_.result;
  }

 private:
  TestFdPair from_ = system.Pipe(), to_ = system.Pipe();
  CountedOperation op_;
};

// Deliveries and what is left in the socket are all there was.
class MultishotReceiveRace : public Race {
 public:
  MultishotReceiveRace(System& s, BackendDriver& d, int type)
      : Race(s, d), fds_(s.SocketPair(type)), datagrams_(type == SOCK_DGRAM) {}

  Operation& Prepare() override {
    if (datagrams_) {
      PrepareRecvMsgMultishot(op_, fds_.first.get(), room_);
    } else {
      PrepareRecvMultishot(op_, fds_.first.get());
    }
    return op_;
  }
  void Trigger() override {
    ASSERT_EQ(system.Send(fds_.second.get(), {&++sent_, 1}), 1);
  }
  void Settle() override {
    ASSERT_EQ(op_.result, -ECANCELED);
    std::string received;
    for (Delivery delivery; driver->TakeDelivery(op_, delivery);) {
      received += AsText(Payload(delivery));
      driver->ReturnBuffer(delivery.buffer_id);
    }
    received += system.Receive(fds_.first.get(), 2);
    ASSERT_EQ(received, std::string(1, sent_));
  }

 private:
  std::span<std::byte> Payload(const Delivery& delivery) {
    if (datagrams_) return ReadDatagram(op_, delivery).payload;
    return {delivery.data, static_cast<size_t>(delivery.result)};
  }

  TestFdPair fds_;
  const bool datagrams_;
  msghdr room_ = {};
  CountedMultishot op_;
  char sent_ = 0;
};

// Nothing to wait for: it may be done before the cancel, or run on a thread.
class OpenRace : public Race {
 public:
  using Race::Race;

  Operation& Prepare() override {
    PrepareOpenAt(op_, AT_FDCWD, path_.c_str(), O_RDONLY | O_DIRECTORY);
    return op_;
  }
  void Settle() override {
    if (op_.result == -ECANCELED) return;
    ASSERT_GE(op_.result, 0);
    TestFd opened = system.Own(op_.result);
  }

 private:
  const std::string path_ = system.Directory();
  CountedOperation op_;
};

class FileReadRace : public Race {
 public:
  using Race::Race;

  Operation& Prepare() override {
    PrepareRead(op_, file_.get(), bytes_, 0);
    return op_;
  }
  void Settle() override {
    if (op_.result == -ECANCELED) return;
    ASSERT_EQ(op_.result, 5);
    ASSERT_EQ(AsText(std::span(bytes_).first(5)), "hello");
  }

 private:
  TestFd file_ = system.File("hello");
  std::array<std::byte, 64> bytes_ = {};
  CountedOperation op_;
};

TEST_P(CancelRace, Recv) {
  ReceiveRace race(
      system(), driver(), system().SocketPair(), [](ReceiveRace& r, int fd) {
        PrepareRecv(r.op, fd, std::as_writable_bytes(std::span(&r.byte, 1)));
      });
  Run(race);
}

TEST_P(CancelRace, RecvMsg) {
  ReceiveRace race(
      system(), driver(), system().SocketPair(),
      [](ReceiveRace& r, int fd) { PrepareRecvMsg(r.op, fd, r.message); });
  Run(race);
}

TEST_P(CancelRace, Read) {
  ReceiveRace race(
      system(), driver(), system().Pipe(), [](ReceiveRace& r, int fd) {
        PrepareRead(r.op, fd, std::as_writable_bytes(std::span(&r.byte, 1)),
                    kCurrentPosition);
      });
  Run(race);
}

TEST_P(CancelRace, Readv) {
  ReceiveRace race(system(), driver(), system().Pipe(),
                   [](ReceiveRace& r, int fd) {
                     PrepareReadv(r.op, fd, {&r.part, 1}, kCurrentPosition);
                   });
  Run(race);
}

TEST_P(CancelRace, Send) {
  SendRace race(
      system(), driver(), system().SocketPair(), /*is_socket=*/true,
      [](SendRace& r, int fd) { PrepareSend(r.op, fd, AsBytes("x")); });
  Run(race);
}

TEST_P(CancelRace, SendMsg) {
  SendRace race(
      system(), driver(), system().SocketPair(), /*is_socket=*/true,
      [](SendRace& r, int fd) { PrepareSendMsg(r.op, fd, r.message); });
  Run(race);
}

TEST_P(CancelRace, Write) {
  SendRace race(system(), driver(), system().Pipe(), /*is_socket=*/false,
                [](SendRace& r, int fd) {
                  PrepareWrite(r.op, fd, AsBytes("x"), kCurrentPosition);
                });
  Run(race);
}

TEST_P(CancelRace, Writev) {
  SendRace race(system(), driver(), system().Pipe(), /*is_socket=*/false,
                [](SendRace& r, int fd) {
                  PrepareWritev(r.op, fd, {&r.part, 1}, kCurrentPosition);
                });
  Run(race);
}

TEST_P(CancelRace, SendFile) {
  SendRace race(system(), driver(), system().SocketPair(), /*is_socket=*/true,
                [](SendRace& r, int fd) {
                  PrepareSendFile(r.op, fd, r.file.get(), 0, 1);
                });
  Run(race);
}

TEST_P(CancelRace, SendMsgZeroCopy) {
  ZeroCopyRace race(system(), driver());
  Run(race);
}

TEST_P(CancelRace, Splice) {
  SpliceRace race(system(), driver());
  Run(race);
}

TEST_P(CancelRace, MultishotRecv) {
  MultishotReceiveRace race(system(), driver(), SOCK_STREAM);
  Run(race);
}

TEST_P(CancelRace, MultishotRecvMsg) {
  MultishotReceiveRace race(system(), driver(), SOCK_DGRAM);
  Run(race);
}

TEST_P(CancelRace, Open) {
  OpenRace race(system(), driver());
  Run(race);
}

TEST_P(CancelRace, ReadOfAFile) {
  FileReadRace race(system(), driver());
  Run(race);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(CancelRace);

}  // namespace
}  // namespace ringway::testing
