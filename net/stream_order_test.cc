// SPDX-License-Identifier: Apache-2.0
//
// A stream's reads in every order of arrival, collection, notice and the
// reader's own steps.
//
// Between the moment when a backend collects what the kernel has done and the
// moment when the stream is told, other tasks run, and one may be the reader.
// What it found was the kernel's state: a receive that had ended looked idle
// and was armed again, which wiped the reset that had ended it, and a pause
// that had taken effect was never noticed, so that the next one never began.
// With a reader that waits before anything arrives, as most tests have, the
// notice always comes first.

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/net/testing/scripted_backend.h"

namespace ringway::net {
namespace {

using ringway::testing::BackendConformance;
using ringway::testing::FdPair;
using ringway::testing::MakeSocketPair;
using ringway::testing::SendAll;
using testing::AsString;
using testing::ScriptedBackend;

// What the letters of a sequence stand for.
enum Step : char {
  kSend = 's',       // some bytes arrive
  kBurst = 'b',      // more deliveries than are held arrive at once
  kFailure = 'n',    // one receive ends with ENOMEM, the next one works
  kReset = 'r',      // the peer resets
  kEnd = 'e',        // the peer has sent everything
  kReceive = 'R',    // a task starts that receives once
  kRead = 'D',       // or reads once
  kCancel = 'c',     // that task is cancelled
  kCollect = 'w',    // the second half of a turn: completions become ready
  kRunReady = 'k',   // the first half of a turn: what is ready runs
  kDropStream = 'x'  // the stream goes
};

class FarEnd {
 public:
  virtual ~FarEnd() = default;
  virtual void Send(std::string_view bytes) = 0;
  virtual void End(int32_t result) = 0;
};

// One stream and what must come of it, whatever the order.
class StreamModel {
 public:
  StreamModel(Executor& executor, UniqueFd fd, FarEnd& far_end)
      : executor_(executor),
        far_end_(far_end),
        fd_(fd.get()),
        stream_(TcpStream::Adopt(executor.loop(), std::move(fd))) {}

  // False if the step makes no sense now; then nothing is done.
  bool Apply(char step) {
    switch (step) {
      case kSend:
        return Arrive(1);
      case kBurst:
        return Arrive(internal::Receiver::kMaxHeld + 1);
      case kFailure:
        return ArriveEnd(-ENOMEM);
      case kReset:
        return ArriveEnd(-ECONNRESET);
      case kEnd:
        return ArriveEnd(0);
      case kReceive:
        return StartReader(/*by_receive=*/true);
      case kRead:
        return StartReader(/*by_receive=*/false);
      case kCancel:
        if (!reading()) return false;
        reader_.Cancel();
        return true;
      case kCollect:
        executor_.loop().Wait(executor_.loop().backend().clock().Now() +
                              patience_);
        return true;
      case kRunReady:
        executor_.loop().Work();
        return true;
      case kDropStream:
        if (!stream_.valid()) return false;
        stream_ = TcpStream();
        return true;
      default:
        RINGWAY_CHECK(false, "no step: %c", step);
    }
  }

  // How long a collection may wait for the kernel.
  void SetPatience(absl::Duration patience) { patience_ = patience; }

  bool dropped() const { return !stream_.valid(); }
  // A task waits for bytes, or is about to.
  bool reading() const { return !reader_.done(); }

  // Reads to the end what is left, unless the stream was dropped, and lets
  // everything come to rest. True if all is as it must be.
  ::testing::AssertionResult Finish() {
    const MonotonicTime limit = Clock::Real().Now() + absl::Seconds(60);
    if (!ended_) ArriveEnd(0);
    for (int i = 0; !dropped() && !AtEnd(); ++i) {
      if (Clock::Real().Now() > limit) return Wrong("the end never came");
      if (!reading()) StartReader(/*by_receive=*/i % 8 != 0);
      Apply(kCollect);
      Apply(kRunReady);
    }
    const bool complete = !dropped();
    stream_ = TcpStream();
    while (reading() || executor_.loop().alive()) {
      if (Clock::Real().Now() > limit) return Wrong("something stays");
      Apply(kRunReady);
      Apply(kCollect);
    }
    if (fcntl(fd_, F_GETFD) != -1) return Wrong("the fd is open");
    if (complete && read_ != sent_) return Wrong("read and sent differ");
    if (!sent_.starts_with(read_)) return Wrong("read what was not sent");
    return ::testing::AssertionSuccess();
  }

 private:
  static constexpr std::string_view kEndMark = "$";

  ::testing::AssertionResult Wrong(const char* what) const {
    return ::testing::AssertionFailure()
           << what << "; read '" << read_ << "', sent '" << sent_ << "'";
  }

  bool AtEnd() const { return read_.ends_with(kEndMark); }

  bool Arrive(uint32_t times) {
    if (ended_ || dropped()) return false;
    for (uint32_t i = 0; i < times; ++i) {
      const std::string bytes = absl::StrCat("<", n_sent_++, ">");
      sent_ += bytes;
      far_end_.Send(bytes);
    }
    return true;
  }

  bool ArriveEnd(int32_t result) {
    if (ended_ || dropped()) return false;
    far_end_.End(result);
    if (result < 0) absl::StrAppend(&sent_, "!", -result);
    ended_ = result != -ENOMEM;
    if (ended_) sent_ += kEndMark;
    return true;
  }

  bool StartReader(bool by_receive) {
    if (reading() || dropped() || AtEnd()) return false;
    reader_ = executor_.Spawn(by_receive ? ReceiveOnce() : ReadOnce());
    return true;
  }

  // By the time these run the stream may have been dropped.
  Task<void> ReceiveOnce() {
    absl::StatusOr<ReceivedBuffer> received = absl::CancelledError();
    if (!dropped()) received = co_await stream_.Receive();
    Note(received.status(), received.ok() ? AsString(received->bytes()) : "");
  }

  Task<void> ReadOnce() {
    std::array<std::byte, 2> buffer;
    absl::StatusOr<size_t> n = absl::CancelledError();
    const bool with_time = n_reads_++ % 2 == 1;
    if (!dropped() && !with_time) n = co_await stream_.Read(buffer);
    if (!dropped() && with_time) {
      absl::StatusOr<TimedRead> read = co_await stream_.ReadWithTime(buffer);
      if (read.ok()) n = read->n_bytes;
      if (!read.ok()) n = read.status();
    }
    Note(n.status(), n.ok() ? AsString(std::span(buffer).first(*n)) : "");
  }

  void Note(const absl::Status& status, const std::string& bytes) {
    if (absl::IsCancelled(status)) return;
    if (!status.ok()) {
      absl::StrAppend(&read_, "!", ErrnoOf(status));
    } else if (bytes.empty()) {
      read_ += kEndMark;
    } else {
      read_ += bytes;
    }
  }

  Executor& executor_;
  FarEnd& far_end_;
  const int fd_;
  absl::Duration patience_;
  TcpStream stream_;
  JoinHandle<void> reader_;
  int n_sent_ = 0;
  int n_reads_ = 0;  // every other one is with time
  bool ended_ = false;
  std::string sent_;  // with each error, and the end, at its place
  std::string read_;  // the same, as it was read
};

// --- All orders, by script

class ScriptedFarEnd final : public FarEnd {
 public:
  explicit ScriptedFarEnd(ScriptedBackend& backend) : backend_(backend) {}
  void Send(std::string_view bytes) override { backend_.Arrive(bytes); }
  void End(int32_t result) override { backend_.ArriveEnd(result); }

 private:
  ScriptedBackend& backend_;
};

class StreamOrderTest : public ::testing::Test {
 protected:
  static ExecutorOptions ShuffledBy(uint64_t seed) {
    ExecutorOptions options;
    options.loop.shuffle_seed = seed;
    return options;
  }

  void Make(const ExecutorOptions& options = ExecutorOptions()) {
    auto backend = std::make_unique<ScriptedBackend>();
    backend_ = backend.get();
    executor_ = std::make_unique<Executor>(
        std::make_unique<Loop>(std::move(backend), options.loop), options);
  }

  // Plays those of `steps` that make sense where they stand.
  void Play(std::string_view steps) {
    ScriptedFarEnd far_end(*backend_);
    StreamModel model(*executor_, UniqueFd(dup(some_fd_.get())), far_end);
    for (const char step : steps) {
      static_cast<void>(model.Apply(step));
      if (step == kRunReady) CheckHeld(model);
    }
    EXPECT_TRUE(model.Finish()) << "after " << steps;
    EXPECT_EQ(backend_->buffers_lent(), 0u) << "after " << steps;
    backend_->Forget();
  }

  // Everything that has been told is acted upon: one delivery more than the
  // limit may be the one that was read in part.
  void CheckHeld(const StreamModel& model) {
    if (model.dropped() || !backend_->armed()) return;
    EXPECT_LE(backend_->buffers_lent(), internal::Receiver::kMaxHeld)
        << "are held and receiving goes on";
  }

  // All sequences of `length` behind `steps`.
  void PlayAll(std::string& steps, int length) {
    if (::testing::Test::HasFailure()) return;
    if (length == 0) {
      ++n_played_;
      Play(steps);
      return;
    }
    for (const char step : kSteps) {
      if (!MakesSense(steps, step)) continue;
      steps.push_back(step);
      PlayAll(steps, length - 1);
      steps.pop_back();
    }
  }

  static constexpr std::string_view kSteps = "sbnreRDcwkx";

  std::unique_ptr<Executor> executor_;
  ScriptedBackend* backend_ = nullptr;
  uint64_t n_played_ = 0;

 private:
  // False for what only repeats itself, or comes after the end.
  static bool MakesSense(std::string_view steps, char step) {
    const char last = steps.empty() ? '\0' : steps.back();
    if ((step == kCollect || step == kRunReady || step == kCancel) &&
        last == step)
      return false;
    if (steps.find(kDropStream) != std::string_view::npos)
      return step == kCollect || step == kRunReady || step == kCancel;
    const bool arrival =
        std::string_view("sbnre").find(step) != std::string_view::npos;
    if (arrival && steps.find_first_of("re") != std::string_view::npos)
      return false;
    return step != kCancel || steps.find_first_of("RD") != std::string::npos;
  }

  UniqueFd some_fd_{eventfd(0, EFD_CLOEXEC)};
};

constexpr std::array kCancels = {ScriptedBackend::Cancels::kBeforeArrivals,
                                 ScriptedBackend::Cancels::kAfterArrivals,
                                 ScriptedBackend::Cancels::kLate};

// The receive has ended and the task that comes for more runs before the
// notice. Arming it again wiped the reset: the task found a clean end.
TEST_F(StreamOrderTest, AResetIsNotWipedByAReceiveThatComesBeforeItsNotice) {
  Make();
  Play("RkswkRrwk");
  Play("RkswkDrwk");
}

// The same for the end of a pause, after which no pause ever began again: with
// a reader that never comes every buffer of the worker was held.
TEST_F(StreamOrderTest, APauseWhoseEndIsNotToldYetDoesNotPreventTheNextOne) {
  Make();
  backend_->SetCancels(ScriptedBackend::Cancels::kLate);
  Play("RkswkDkswkRkRwkbwkbwkbwk");
}

// What came before a reset is read before it.
TEST_F(StreamOrderTest, BytesThatCameBeforeAResetAreReadBeforeIt) {
  Make();
  Play("RkswksrwkRk");
  Play("RkswkbrwkDk");
}

TEST_F(StreamOrderTest, EveryShortOrderGivesTheBytesAndThenTheEndOnce) {
  // A step more takes ten times as long.
  const int length = ::ringway::testing::Scaled(100) >= 20 ? 4 : 3;
  // The states to begin in: new; armed, nobody reads; armed, a task waits;
  // armed, a read waits for it to stop; that read served, not stopped yet;
  // about to pause; paused.
  for (const char* begin : {"", "Rkswk", "Rkw", "RkswkDk", "RkswkDkswk",
                            "Rkswkbwk", "Rkswkbwkwk"}) {
    for (const ScriptedBackend::Cancels cancels : kCancels) {
      Make();
      backend_->SetCancels(cancels);
      std::string steps = begin;
      PlayAll(steps, length);
      if (HasFailure()) return;
    }
  }
  RecordProperty("sequences", static_cast<int>(n_played_));
  EXPECT_GT(n_played_, 10'000u);
}

TEST_F(StreamOrderTest, LongRandomOrdersDoToo) {
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 1'500; ++round) {
    const uint32_t seed = random();
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 choose(seed);
    // In every third round what is ready runs in any order.
    if (round % 3 == 0) {
      Make(ShuffledBy(seed | 1));
    } else if (round % 3 == 1) {
      Make();
    }
    backend_->SetCancels(kCancels[choose() % kCancels.size()]);
    std::string steps;
    while (steps.size() < 80) {
      // Ends are rare, and turns are what makes things happen.
      constexpr std::string_view kMix = "sssbbRRRRDDDcwwwwwwkkkkkk";
      steps += choose() % 40 == 0 ? kSteps[choose() % kSteps.size()]
                                  : kMix[choose() % kMix.size()];
    }
    Play(steps);
    if (HasFailure()) return;
  }
}

// --- Random orders, by the kernel

// One end of a pair of Unix sockets, where a reset takes nothing back that was
// sent. The other end must have sent one byte: closing with it unread is what
// makes a reset there.
class KernelFarEnd final : public FarEnd {
 public:
  explicit KernelFarEnd(UniqueFd fd) : fd_(std::move(fd)) {}
  void Send(std::string_view bytes) override { SendAll(fd_.get(), bytes); }
  void End(int32_t result) override {
    char unread;
    if (result == 0) recv(fd_.get(), &unread, 1, 0);
    fd_.Reset();
  }

 private:
  UniqueFd fd_;
};

using StreamOrderConformance = BackendConformance;

TEST_P(StreamOrderConformance, RandomOrdersGiveTheBytesAndThenTheEndOnce) {
  RINGWAY_REQUIRES_KERNEL("sockets");
  Executor executor(std::make_unique<Loop>(MakeForTest()), ExecutorOptions());
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 300; ++round) {
    const uint32_t seed = random();
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 choose(seed);
    FdPair pair = MakeSocketPair();
    SendAll(pair.first.get(), "x");
    KernelFarEnd far_end(std::move(pair.second));
    StreamModel model(executor, std::move(pair.first), far_end);
    std::string steps;
    while (steps.size() < 60) {
      constexpr std::string_view kMix = "sssbbRRRRDDDcwwwwwwkkkkkk";
      constexpr std::string_view kEnds = "rex";
      const char step = choose() % 40 == 0 ? kEnds[choose() % kEnds.size()]
                                           : kMix[choose() % kMix.size()];
      if (model.Apply(step)) steps += step;
    }
    model.SetPatience(absl::Milliseconds(1));
    ASSERT_TRUE(model.Finish()) << "after " << steps;
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StreamOrderConformance);

}  // namespace
}  // namespace ringway::net
