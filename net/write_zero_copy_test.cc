// SPDX-License-Identifier: Apache-2.0
//
// TcpStream::WriteZeroCopy() and WriteGather(): content and order, how long the
// bytes are kept, the threshold, and what ends them early.

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/opcode.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/memory/shared_bytes.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/writing/write_part.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using testing::NetTest;
using testing::Pattern;
using testing::Peer;
using testing::PeerInput;
using testing::TurnTimes;
using testing::TurnUntil;

// Bytes, and whether anybody refers to them.
struct Watched {
  explicit Watched(std::string content) {
    auto owner = std::make_shared<const std::string>(std::move(content));
    observer = owner;
    bytes = SharedBytes(owner, Bytes(*owner));
  }
  SharedBytes Take() { return std::exchange(bytes, SharedBytes()); }
  bool gone() const { return observer.expired(); }

  std::weak_ptr<const std::string> observer;
  SharedBytes bytes;
};

class WriteZeroCopyTest : public NetTest {
 protected:
  // A stream that does without copies, and its peer.
  void Connect(size_t threshold_bytes = 1) {
    Connected pair = ConnectedTcp(system());
    stream_ = Adopt(std::move(pair.near_end));
    peer_ = std::move(pair.far_end);
    stream_.set_zero_copy_threshold(threshold_bytes);
  }

  // How many sends were not plain ones.
  uint64_t zero_copy_sends() { return loop().backend().stats().deliveries; }

  // The backend has no zero-copy sends, and makes do.
  bool copies() {
    return loop().backend().support(OpCode::kSendZeroCopy) != Support::kNative;
  }

  template <typename Test>
  void RunConnected(Test test) {
    auto main = [&]() -> Task<void> {
      Connect();
      co_await test();
      stream_ = TcpStream();
      peer_.Close();
    };
    Run(main());
  }

  TcpStream stream_;
  Peer peer_;
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WriteZeroCopyTest);

Task<absl::Status> WriteKept(TcpStream& stream, SharedBytes bytes) {
  co_return co_await stream.WriteZeroCopy(std::move(bytes));
}

TEST_P(WriteZeroCopyTest, EveryByteArrivesAndTheMemoryIsReleased) {
  RunConnected([&]() -> Task<void> {
    for (const size_t n_bytes :
         {size_t{1}, size_t{16'384}, size_t{1'000'001}, size_t{9'000'001}}) {
      Watched sent(AsString(Pattern(n_bytes, 1)));
      const std::string expected = AsString(sent.bytes.bytes());
      JoinHandle<absl::Status> written = Spawn(WriteKept(stream_, sent.Take()));
      EXPECT_TRUE(co_await peer_.Receive(n_bytes) == expected);
      EXPECT_EQ(co_await written, absl::OkStatus());
      co_await TurnUntil([&] { return sent.gone(); });
    }
    EXPECT_GE(zero_copy_sends(), 4u);
  });
}

TEST_P(WriteZeroCopyTest, AnEmptyWriteSendsNothing) {
  RunConnected([&]() -> Task<void> {
    stream_.set_zero_copy_threshold(0);
    EXPECT_EQ(co_await stream_.WriteZeroCopy(SharedBytes()), absl::OkStatus());
    EXPECT_EQ(co_await stream_.WriteGather({}), absl::OkStatus());
    EXPECT_EQ(zero_copy_sends(), 0u);
  });
}

TEST_P(WriteZeroCopyTest, KeepsItsPlaceAmongWrites) {
  std::vector<std::string> texts;
  std::string expected;
  for (size_t i = 0; i < 40; ++i) {
    texts.push_back(AsString(Pattern(1 + 997 * (i % 7), i)));
    expected += texts.back() + "tail";
  }
  RunConnected([&]() -> Task<void> {
    JoinHandle<std::string> received = Spawn(peer_.Receive(expected.size()));
    std::vector<JoinHandle<absl::Status>> writes;
    for (size_t i = 0; i < texts.size(); ++i) {
      writes.push_back(Spawn(WriteKept(stream_, SharedBytes(texts[i]))));
      co_await TurnTimes(1 + i % 2);
      EXPECT_EQ(co_await stream_.Write(Bytes("tail")), absl::OkStatus());
    }
    for (JoinHandle<absl::Status>& write : writes)
      EXPECT_EQ(co_await write, absl::OkStatus());
    EXPECT_TRUE(testing::ValueOf(co_await received) == expected);
  });
}

// The kernel accepts what its send buffer has room for; the peer's window is
// smaller, so a part waits for the peer.
TEST_P(WriteZeroCopyTest, TheNextWriteDoesNotWaitForThePeer) {
  RINGWAY_REQUIRES_KERNEL("send buffers");
  RunConnected([&]() -> Task<void> {
    peer_.SetBuffer(SO_RCVBUF, 4096);
    Watched sent(AsString(Pattern(300'000, 2)));
    std::string expected = AsString(sent.bytes.bytes());
    EXPECT_EQ(co_await stream_.WriteZeroCopy(sent.Take()), absl::OkStatus());
    EXPECT_EQ(co_await stream_.Write(Bytes("more")), absl::OkStatus());
    co_await TurnTimes(5);
    EXPECT_EQ(sent.gone(), copies()) << "the kernel still needs the memory";
    expected += "more";
    EXPECT_TRUE(co_await peer_.Receive(expected.size()) == expected);
    co_await TurnUntil([&] { return sent.gone(); });
  });
}

TEST_P(WriteZeroCopyTest, GathersPartsOfBothKindsInOrder) {
  RunConnected([&]() -> Task<void> {
    stream_.set_zero_copy_threshold(3000);
    for (int round = 0; round < 20; ++round) {
      std::vector<std::string> copied;
      copied.reserve(60);
      std::vector<WritePart> parts;
      std::string expected;
      for (int i = 0; i < 60; ++i) {
        const size_t n_bytes = (i * 7919 + round * 104'729) % 6000;
        const size_t size = i % 5 == 0 ? 0 : n_bytes;
        const std::string text = AsString(Pattern(size, i));
        expected += text;
        // Runs of one kind, longer than one system call takes.
        if ((i / 20 + round) % 2 == 0 || i % 11 == 0) {
          copied.push_back(text);
          parts.emplace_back(Bytes(copied.back()));
        } else {
          parts.emplace_back(SharedBytes(text));
        }
      }
      Task<absl::Status> write =
          [](TcpStream& s, std::span<const WritePart> p) -> Task<absl::Status> {
        co_return co_await s.WriteGather(p);
      }(stream_, parts);
      JoinHandle<absl::Status> written = Spawn(std::move(write));
      EXPECT_TRUE(co_await peer_.Receive(expected.size()) == expected);
      EXPECT_EQ(co_await written, absl::OkStatus());
    }
    EXPECT_GT(zero_copy_sends(), 0u);
  });
}

TEST_P(WriteZeroCopyTest, BelowTheThresholdItCopies) {
  RunConnected([&]() -> Task<void> {
    stream_.set_zero_copy_threshold(1000);
    EXPECT_EQ(stream_.zero_copy_threshold(), 1000u);
    Watched small(std::string(999, 's'));
    EXPECT_EQ(co_await stream_.WriteZeroCopy(small.Take()), absl::OkStatus());
    EXPECT_TRUE(small.gone()) << "with the write";
    EXPECT_EQ(zero_copy_sends(), 0u);
    EXPECT_EQ(
        co_await stream_.WriteZeroCopy(SharedBytes(std::string(1000, 'l'))),
        absl::OkStatus());
    EXPECT_EQ(zero_copy_sends(), 1u);
    EXPECT_EQ((co_await peer_.Receive(1999)).size(), 1999u);
  });
}

TEST_P(WriteZeroCopyTest, WithinTheMachineItCopiesUnlessTold) {
  RINGWAY_REQUIRES_KERNEL("addresses of loopback");
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    EXPECT_EQ(stream.zero_copy_threshold(), SIZE_MAX);
    const std::string text(100'000, 'x');
    JoinHandle<absl::Status> written =
        Spawn(WriteKept(stream, SharedBytes(text)));
    EXPECT_TRUE(co_await pair.far_end.Receive(text.size()) == text);
    EXPECT_EQ(co_await written, absl::OkStatus());
    EXPECT_EQ(zero_copy_sends(), 0u);
  };
  Run(main());
}

TEST_P(WriteZeroCopyTest, CancelledInTheQueueNothingIsSentOrKept) {
  RunConnected([&]() -> Task<void> {
    const std::string first = AsString(Pattern(9'000'000, 3));
    JoinHandle<absl::Status> before =
        Spawn(testing::WriteAll(stream_, Bytes(first)));
    co_await TurnTimes(3);
    Watched behind(std::string(5000, 'b'));
    Task<absl::Status> write = WriteKept(stream_, behind.Take());
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        co_await WithTimeout(absl::Milliseconds(5), std::move(write))));
    EXPECT_TRUE(behind.gone());
    EXPECT_TRUE(co_await peer_.Receive(first.size()) == first);
    EXPECT_EQ(co_await before, absl::OkStatus());
    EXPECT_EQ(co_await stream_.Write(Bytes("next")), absl::OkStatus());
    EXPECT_EQ(co_await peer_.Receive(4), "next");
  });
}

TEST_P(WriteZeroCopyTest, CancelledInFlightItEndsAndReleasesItsMemory) {
  RunConnected([&]() -> Task<void> {
    Watched sent(AsString(Pattern(9'000'000, 4)));
    Task<absl::Status> write = WriteKept(stream_, sent.Take());
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        co_await WithTimeout(absl::Milliseconds(5), std::move(write))));
    stream_.Reset();
    co_await TurnUntil([&] { return sent.gone(); });
  });
}

TEST_P(WriteZeroCopyTest, WhatWasAcceptedArrivesAfterTheStreamIsDropped) {
  RINGWAY_REQUIRES_KERNEL("send buffers");
  RunConnected([&]() -> Task<void> {
    peer_.SetBuffer(SO_RCVBUF, 4096);
    Watched sent(AsString(Pattern(300'000, 5)));
    const std::string expected = AsString(sent.bytes.bytes());
    EXPECT_EQ(co_await stream_.WriteZeroCopy(sent.Take()), absl::OkStatus());
    EXPECT_EQ(co_await stream_.Close(), absl::OkStatus());
    const PeerInput input = co_await peer_.ReceiveAll();
    EXPECT_EQ(input.errnum, 0);
    EXPECT_TRUE(input.bytes == expected);
    co_await TurnUntil([&] { return sent.gone(); });
  });
}

TEST_P(WriteZeroCopyTest, APeerThatIsGoneIsAnError) {
  RINGWAY_REQUIRES_KERNEL("resets");
  RunConnected([&]() -> Task<void> {
    Watched sent(AsString(Pattern(9'000'000, 6)));
    JoinHandle<absl::Status> written = Spawn(WriteKept(stream_, sent.Take()));
    co_await TurnTimes(5);
    peer_.Reset();
    const absl::Status status = co_await written;
    const int errnum = ErrnoOf(status);
    EXPECT_TRUE(errnum == ECONNRESET || errnum == EPIPE) << errnum;
    const std::string fd = "fd " + std::to_string(stream_.fd());
    EXPECT_NE(status.message().find(fd), std::string_view::npos) << status;
    co_await TurnUntil([&] { return sent.gone(); });
  });
}

// The peer may read again long after the loop: from memory that must not have
// become anything else.
TEST_P(WriteZeroCopyTest, TheLoopEndsInTimeAlthoughThePeerDoesNotRead) {
  RINGWAY_REQUIRES_KERNEL("send buffers");
  Connected pair = ConnectedTcp(system());
  pair.far_end.SetBuffer(SO_RCVBUF, 4096);
  Watched sent(AsString(Pattern(300'000, 7)));
  const std::string expected = AsString(sent.bytes.bytes());
  const bool copied = copies();
  auto main = [&]() -> Task<void> {
    TcpStream stream = Adopt(std::move(pair.near_end));
    stream.set_zero_copy_threshold(1);
    EXPECT_EQ(co_await stream.WriteZeroCopy(sent.Take()), absl::OkStatus());
    co_await TurnTimes(3);
  };
  Run(main());
  const absl::Time begin = absl::Now();
  DestroyExecutor();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(20));
  EXPECT_EQ(sent.gone(), copied);
  MakeExecutor();
  auto read = [&]() -> Task<void> {
    const PeerInput input = co_await pair.far_end.ReceiveAll();
    EXPECT_EQ(input.errnum, 0);
    EXPECT_TRUE(input.bytes == expected);
    pair.far_end.Close();
  };
  Run(read());
}

// As above, with a write that is not even accepted.
TEST_P(WriteZeroCopyTest, TheLoopEndsWhileAWriteWaits) {
  Connected pair = ConnectedTcp(system());
  Watched sent(AsString(Pattern(9'000'000, 8)));
  auto main = [&]() -> Task<void> {
    auto stream = std::make_shared<TcpStream>(Adopt(std::move(pair.near_end)));
    stream->set_zero_copy_threshold(1);
    auto write = [](std::shared_ptr<TcpStream> s,
                    SharedBytes bytes) -> Task<void> {
      (co_await s->WriteZeroCopy(std::move(bytes))).IgnoreError();
    };
    Spawn(write(stream, sent.Take())).Detach();
    co_await TurnTimes(3);
  };
  Run(main());
  DestroyExecutor();
  pair.far_end.Close();
}

}  // namespace
}  // namespace ringway::net
