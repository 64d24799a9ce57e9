// SPDX-License-Identifier: Apache-2.0
//
// A thousand connections echo through four lent buffers of 1 KiB: every byte
// returns to its client, no connection waits long, and nothing spins while
// all buffers are lent.
//
// RINGWAY_TEST_SCALE=16 makes it a long run.

#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <span>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/backends/testing/views.h"

namespace ringway::testing {
namespace {

constexpr size_t kStreams = 1'000;
constexpr uint32_t kBuffers = 4;
constexpr uint32_t kBufferBytes = 1'024;
// What a client sends before it has to see some of it again.
constexpr size_t kWindow = 4'096;

size_t TotalBytes() { return Scaled(uint64_t{64} << 20); }

// The bytes of all streams: one long pattern, which each begins elsewhere.
class Payload {
 public:
  Payload() {
    uint32_t state = 1;
    for (char& c : bytes_) {
      state = state * 1664525u + 1013904223u;
      c = static_cast<char>(state >> 24);
    }
    bytes_.replace(kPeriod, kWindow, bytes_, 0, kWindow);
  }

  // At most kWindow bytes of stream `number`.
  std::string_view At(size_t number, size_t offset, size_t n_bytes) const {
    return std::string_view(bytes_).substr((number * 61 + offset) % kPeriod,
                                           n_bytes);
  }

 private:
  static constexpr size_t kPeriod = 65'521;  // prime

  std::string bytes_ = std::string(kPeriod + kWindow, '\0');
};

// What all streams of a run share.
struct Echo {
  Echo(System& s, BackendDriver& d) : system(s), driver(d) {}

  System& system;
  BackendDriver& driver;
  const Payload payload;
  uint64_t turns = 0;
  uint64_t longest_gap = 0;  // turns that a stream had to wait
  size_t n_echoed = 0;       // bytes of all streams
  uint64_t sends = 0;
};

// A client, and the connection that sends everything back to it out of the
// buffers it is lent.
class EchoedStream {
 public:
  EchoedStream(Echo& echo, size_t number, size_t n_bytes)
      : echo_(echo),
        number_(number),
        n_bytes_(n_bytes),
        sockets_(echo.system.SocketPair()),
        receive_(*this),
        send_(*this) {
    PrepareRecvMultishot(receive_, sockets_.first.get());
    echo_.driver.Start(receive_);
    FillWindow();
  }

  bool done() const { return n_echoed_ == n_bytes_; }

 private:
  struct Receive : DeliveringOperation {
    explicit Receive(EchoedStream& s)
        : DeliveringOperation(&OnDelivery), stream(s) {}
    static void OnDelivery(Runnable& entry) {
      auto& notice = static_cast<DeliveringOperation::Notice&>(entry);
      static_cast<Receive*>(notice.operation)->stream.SendNext();
    }
    EchoedStream& stream;
  };

  struct Send : Operation {
    explicit Send(EchoedStream& s) : Operation(&OnDone), stream(s) {}
    static void OnDone(Runnable& entry) {
      static_cast<Send&>(entry).stream.OnSent();
    }
    EchoedStream& stream;
  };

  // The client's: as much as it may.
  void FillWindow() {
    const size_t end = std::min(n_bytes_, n_echoed_ + kWindow);
    while (n_sent_ < end) {
      const int64_t n =
          echo_.system.Send(sockets_.second.get(),
                            echo_.payload.At(number_, n_sent_, end - n_sent_));
      ASSERT_GT(n, 0);
      n_sent_ += static_cast<size_t>(n);
    }
  }

  // The server's: the next delivery, if nothing is being sent.
  void SendNext() {
    if (sending_ || !echo_.driver->TakeDelivery(receive_, event_)) return;
    sending_ = true;
    left_ = {event_.data, static_cast<size_t>(event_.result)};
    SendRest();
  }

  void SendRest() {
    PrepareSend(send_, sockets_.first.get(), left_);
    echo_.driver.Start(send_);
    ++echo_.sends;
  }

  void OnSent() {
    ASSERT_GT(send_.result, 0);
    const size_t n = static_cast<size_t>(send_.result);
    left_ = left_.subspan(n);
    Check(n);
    if (!left_.empty()) return SendRest();
    echo_.driver->ReturnBuffer(event_.buffer_id);
    sending_ = false;
    SendNext();
  }

  // The client's: checks the echoed bytes.
  void Check(size_t n_bytes) {
    const std::string echoed =
        echo_.system.Receive(sockets_.second.get(), n_bytes);
    ASSERT_TRUE(echoed == echo_.payload.At(number_, n_echoed_, n_bytes))
        << "stream " << number_ << " differs after " << n_echoed_ << " bytes";
    n_echoed_ += n_bytes;
    echo_.n_echoed += n_bytes;
    echo_.longest_gap = std::max(echo_.longest_gap, echo_.turns - last_turn_);
    last_turn_ = echo_.turns;
    FillWindow();
  }

  Echo& echo_;
  const size_t number_;
  const size_t n_bytes_;
  TestFdPair sockets_;
  Receive receive_;
  Send send_;
  Delivery event_;
  bool sending_ = false;  // until OnSent() has run
  std::span<const std::byte> left_;
  size_t n_sent_ = 0;
  size_t n_echoed_ = 0;
  uint64_t last_turn_ = 0;
};

class FewBuffersConformance : public BackendConformance {
 protected:
  static BackendOptions FewBuffers() {
    BackendOptions options = Options();
    options.receive_buffer_count = kBuffers;
    options.receive_buffer_bytes = kBufferBytes;
    return options;
  }

  // Every stream echoes its share of `n_bytes`, to the end.
  void EchoThrough(const BackendOptions& options, size_t n_bytes) {
    const size_t n_each = std::max<size_t>(n_bytes / kStreams, kWindow);
    std::deque<EchoedStream> streams;  // outlive what is in flight
    BackendDriver driver(MakeForTest(options));
    Echo echo(system(), driver);
    for (size_t i = 0; i < kStreams; ++i) streams.emplace_back(echo, i, n_each);
    TurnUntilEchoed(echo, kStreams * n_each);
    ASSERT_FALSE(HasFailure());
    EXPECT_TRUE(std::all_of(streams.begin(), streams.end(),
                            [](const EchoedStream& s) { return s.done(); }));
    stats_ = driver->stats();
    longest_gap_ = echo.longest_gap;
    ExpectNoSpin(echo);
    Print(echo);
  }

  // Backend's, of the whole run; and the turns that a stream had to wait.
  BackendStats stats_;
  uint64_t longest_gap_ = 0;

 private:
  // Or until nothing comes of it for a long time.
  static void TurnUntilEchoed(Echo& echo, size_t n_bytes) {
    const size_t step = n_bytes / 64 + 1;
    bool advanced = true;
    while (echo.n_echoed < n_bytes && advanced && !HasFailure()) {
      const size_t next = std::min(n_bytes, echo.n_echoed + step);
      advanced = echo.driver.RunUntil([&] {
        ++echo.turns;
        return echo.n_echoed >= next || HasFailure();
      });
    }
  }

  void ExpectNoSpin(const Echo& echo) {
    // Each re-arming takes a buffer's worth or ends the turn's supply; each
    // turn delivers, or sends.
    EXPECT_LE(stats_.rearms, 2 * stats_.deliveries + kStreams);
    EXPECT_LE(echo.turns, stats_.deliveries + echo.sends + kStreams);
    EXPECT_LE(stats_.system_calls,
              3 * (stats_.deliveries + echo.sends) + 2 * kStreams);
  }

  void Print(const Echo& echo) {
    printf(
        "%zu bytes: %llu turns, %llu system calls, %llu deliveries, %llu "
        "copied, %llu re-armings; the longest wait took %llu turns\n",
        echo.n_echoed, static_cast<unsigned long long>(echo.turns),
        static_cast<unsigned long long>(stats_.system_calls),
        static_cast<unsigned long long>(stats_.deliveries),
        static_cast<unsigned long long>(stats_.buffers_copied),
        static_cast<unsigned long long>(stats_.rearms),
        static_cast<unsigned long long>(echo.longest_gap));
  }
};

TEST_P(FewBuffersConformance, AThousandStreamsAdvanceTogether) {
  EchoThrough(FewBuffers(), TotalBytes());
  // However long the run: each of the others a few times.
  EXPECT_LE(longest_gap_, 10 * kStreams) << "a stream starved";
  EXPECT_GE(stats_.buffer_starved + stats_.buffers_copied, kStreams)
      << "buffers were never short";
}

TEST_P(FewBuffersConformance, WithoutCopiesNoByteIsLostAndNothingSpins) {
  BackendOptions options = FewBuffers();
  options.receive_copy_bytes = 0;
  options.receive_own_bytes = 0;  // receives have to wait for a buffer
  EchoThrough(options, TotalBytes() / 8);
  EXPECT_GE(stats_.buffer_starved, kStreams) << "buffers were never short";
  EXPECT_EQ(stats_.buffers_copied, 0u);
}

TEST_P(FewBuffersConformance, WithMemoryOfTheirOwnReceivesDoNotWait) {
  BackendOptions options = FewBuffers();
  options.receive_copy_bytes = 0;
  EchoThrough(options, TotalBytes() / 8);
  EXPECT_GE(stats_.own_memory, kStreams / 2) << "buffers were never short";
  EXPECT_LE(longest_gap_, kStreams) << "a stream starved";
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(FewBuffersConformance);

}  // namespace
}  // namespace ringway::testing
