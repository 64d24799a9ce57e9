// SPDX-License-Identifier: Apache-2.0
//
// A listener's accepts in every order of arrival, collection, notice and the
// acceptors' own steps: the sibling of stream_order_test.cc.
//
// An accept that had ended while the notice was on its way looked idle: it was
// armed again, a pause that had taken effect was never noticed, and the next
// one never began. And a task that came for a connection took one that was
// collected for those that waited already.

#include <fcntl.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/listening/listener_core.h"
#include "ringway/net/tcp_listener.h"
#include "ringway/net/testing/scripted_backend.h"

namespace ringway::net {
namespace {

using testing::ScriptedBackend;

// What the letters of a sequence stand for.
enum Step : char {
  kConnection = 's',    // a peer connects
  kBurst = 'b',         // as many as are accepted ahead, and one
  kAborted = 'a',       // a connection was gone before it was accepted
  kNoFds = 'm',         // there are no fds just now
  kFatal = 'f',         // the socket cannot be used
  kAccept = 'A',        // a task starts that accepts once
  kCancelOldest = 'c',  // of the tasks that have not ended
  kCancelNewest = 'n',
  kCollect = 'w',   // the second half of a turn: completions become ready
  kRunReady = 'k',  // the first half of a turn: what is ready runs
  kLater = 't',     // some time passes
  kCloseListener = 'x'
};

constexpr uint32_t kMaxUntaken = internal::ListenerCore::kMaxUntaken;

class ListenerModel {
 public:
  ListenerModel(Executor& executor, ScriptedBackend& backend, UniqueFd fd)
      : executor_(executor),
        backend_(backend),
        events_before_(backend.stats().deliveries),
        some_fd_(fd.get()),
        listener_(TcpListener::Adopt(executor.loop(), std::move(fd))) {}

  // False if the step makes no sense now; then nothing is done.
  bool Apply(char step) {
    switch (step) {
      case kConnection:
        return Connect(1);
      case kBurst:
        return Connect(kMaxUntaken + 1);
      case kAborted:
        return Fail(-ECONNABORTED);
      case kNoFds:
        return Fail(-EMFILE);
      case kFatal:
        return Fail(-EBADF);
      case kAccept:
        if (closed_ || acceptors_.size() >= 4) return false;
        acceptors_.push_back(executor_.Spawn(AcceptOnce()));
        return true;
      case kCancelOldest:
        if (acceptors_.empty()) return false;
        acceptors_.front().Cancel();
        return true;
      case kCancelNewest:
        if (acceptors_.size() < 2) return false;
        acceptors_.back().Cancel();
        return true;
      case kCollect:
        executor_.loop().Wait(MonotonicTime::FromNanoseconds(0));
        return true;
      case kRunReady:
        executor_.loop().Work();
        while (!acceptors_.empty() && acceptors_.front().done())
          acceptors_.pop_front();
        return true;
      case kLater:
        backend_.AdvanceTime(absl::Milliseconds(20));
        return true;
      case kCloseListener:
        if (closed_) return false;
        closed_ = true;
        listener_.Close();
        return true;
      default:
        RINGWAY_CHECK(false, "no step: %c", step);
    }
  }

  bool closed() const { return closed_; }

  // Connections accepted ahead of those that want them.
  uint64_t untaken() const {
    return backend_.stats().deliveries - events_before_ - n_taken_;
  }

  // Takes every connection that is left, unless the listener was closed, and
  // lets everything come to rest. True if all is as it must be.
  ::testing::AssertionResult Finish() {
    for (int i = 0; !closed_ && n_taken_ < n_connected_; ++i) {
      if (i > 1'000) return Wrong("a connection never came");
      Apply(kAccept);
      Apply(kCollect);
      Apply(kRunReady);
      Apply(kLater);
    }
    Apply(kCloseListener);
    for (int i = 0; !acceptors_.empty() || executor_.loop().alive(); ++i) {
      if (i > 1'000) return Wrong("something stays");
      Apply(kRunReady);
      Apply(kCollect);
    }
    if (wrong_ != nullptr) return Wrong(wrong_);
    if (!InOrder()) return Wrong("one was overtaken");
    if (fcntl(some_fd_, F_GETFD) != -1) return Wrong("the listener is open");
    return ::testing::AssertionSuccess();
  }

 private:
  ::testing::AssertionResult Wrong(const char* what) const {
    return ::testing::AssertionFailure()
           << what << "; " << n_connected_ << " connections, " << n_taken_
           << " taken";
  }

  // The tasks got the connections in the order in which both came.
  bool InOrder() const {
    int last = -1;
    for (const auto& [ticket, number] : number_of_ticket_) {
      if (std::exchange(last, number) >= number) return false;
    }
    return true;
  }

  bool Connect(uint32_t times) {
    if (closed_) return false;
    for (uint32_t i = 0; i < times; ++i) {
      const int fd = fcntl(some_fd_, F_DUPFD_CLOEXEC, 0);
      RINGWAY_CHECK(fd >= 0, "dup: errno %d", errno);
      number_of_fd_[fd] = n_connected_++;
      backend_.ArriveConnection(fd);
    }
    return true;
  }

  bool Fail(int32_t result) {
    if (closed_) return false;
    backend_.ArriveEnd(result);
    may_fail_ |= result == -EBADF;
    return true;
  }

  Task<void> AcceptOnce() {
    const int ticket = next_ticket_++;
    absl::StatusOr<TcpStream> stream = co_await listener_.Accept();
    if (stream.ok()) {
      ++n_taken_;
      number_of_ticket_[ticket] = number_of_fd_.at(stream->fd());
    } else if (!absl::IsCancelled(stream.status())) {
      const bool fatal = may_fail_ && ErrnoOf(stream.status()) == EBADF;
      if (!fatal) wrong_ = "an error that nobody made";
    }
  }

  Executor& executor_;
  ScriptedBackend& backend_;
  const uint64_t events_before_;
  const int some_fd_;
  TcpListener listener_;
  bool closed_ = false;
  std::deque<JoinHandle<void>> acceptors_;  // that have not ended, by age
  std::map<int, int> number_of_fd_;
  uint64_t n_connected_ = 0;
  uint64_t n_taken_ = 0;
  int next_ticket_ = 0;
  std::map<int, int> number_of_ticket_;
  bool may_fail_ = false;
  const char* wrong_ = nullptr;
};

constexpr std::array kCancels = {ScriptedBackend::Cancels::kBeforeArrivals,
                                 ScriptedBackend::Cancels::kAfterArrivals,
                                 ScriptedBackend::Cancels::kLate};

class ListenerOrderTest : public ::testing::Test {
 protected:
  void Make(ScriptedBackend::Cancels cancels) {
    auto backend = std::make_unique<ScriptedBackend>();
    backend_ = backend.get();
    backend_->SetCancels(cancels);
    executor_ = std::make_unique<Executor>(
        std::make_unique<Loop>(std::move(backend)), ExecutorOptions());
  }

  // Plays those of `steps` that make sense where they stand.
  void Play(std::string_view steps) {
    ListenerModel model(*executor_, *backend_, UniqueFd(dup(some_fd_.get())));
    for (const char step : steps) {
      static_cast<void>(model.Apply(step));
      if (step == kRunReady && backend_->armed() && !model.closed()) {
        EXPECT_LT(model.untaken(), kMaxUntaken)
            << "are untaken and accepting goes on";
      }
    }
    EXPECT_TRUE(model.Finish()) << "after " << steps;
    backend_->Forget();
  }

  // All sequences of `length` behind `steps`.
  void PlayAll(std::string& steps, int length) {
    if (::testing::Test::HasFailure()) return;
    if (length == 0) {
      ++n_played_;
      Play(steps);
      return;
    }
    for (const char step : std::string_view("samfAcnwktx")) {
      if (!MakesSense(steps, step)) continue;
      steps.push_back(step);
      PlayAll(steps, length - 1);
      steps.pop_back();
    }
  }

  std::unique_ptr<Executor> executor_;
  ScriptedBackend* backend_ = nullptr;
  uint64_t n_played_ = 0;
  UniqueFd some_fd_{eventfd(0, EFD_CLOEXEC)};

 private:
  // False for what only repeats itself, or comes after the end.
  static bool MakesSense(std::string_view steps, char step) {
    constexpr std::string_view kIdempotent = "wkcnt";
    if (!steps.empty() && steps.back() == step &&
        kIdempotent.find(step) != std::string_view::npos)
      return false;
    return steps.find(kCloseListener) == std::string_view::npos ||
           kIdempotent.find(step) != std::string_view::npos;
  }
};

TEST_F(ListenerOrderTest, ATaskThatComesLaterDoesNotOvertakeThoseThatWait) {
  Make(ScriptedBackend::Cancels::kBeforeArrivals);
  Play("AkwAswksw");
}

// A pause has taken effect, its notice is on the way, and a task comes for
// more connections than there are.
TEST_F(ListenerOrderTest, APauseWhoseEndIsNotToldYetDoesNotPreventTheNextOne) {
  Make(ScriptedBackend::Cancels::kLate);
  std::string steps = "Akswkbwk";
  for (uint32_t i = 0; i < kMaxUntaken + 1; ++i) steps += "Ak";
  Play(steps + "wAwkbwkbwkbwk");
}

// What ends an accept and is about one connection is no reason to wait; what
// others have to give back first is.
TEST_F(ListenerOrderTest, AnErrorOfOneConnectionDoesNotDelayTheNext) {
  for (const auto& [error, armed_at_once] :
       {std::pair(-ECONNABORTED, true), std::pair(-EINTR, true),
        std::pair(-EPROTO, true), std::pair(-EMFILE, false)}) {
    SCOPED_TRACE(error);
    Make(ScriptedBackend::Cancels::kBeforeArrivals);
    TcpListener listener =
        TcpListener::Adopt(executor_->loop(), UniqueFd(dup(some_fd_.get())));
    JoinHandle<void> acceptor =
        executor_->Spawn([](TcpListener& from) -> Task<void> {
          (co_await from.Accept()).status().IgnoreError();
        }(listener));
    executor_->loop().Work();
    backend_->ArriveEnd(error);
    const auto turn = [&] {
      executor_->loop().Wait(MonotonicTime::FromNanoseconds(0));
      executor_->loop().Work();
    };
    turn();
    turn();
    EXPECT_EQ(backend_->armed(), armed_at_once);
    backend_->AdvanceTime(absl::Milliseconds(20));
    turn();
    turn();
    EXPECT_TRUE(backend_->armed());
    listener.Close();
    while (!acceptor.done() || executor_->loop().alive()) turn();
  }
}

TEST_F(ListenerOrderTest, EveryShortOrderServesAllInTheirOrder) {
  // The states to begin in: new; armed, nobody waits; armed, two wait; about
  // to pause; paused; without fds.
  for (const char* begin :
       {"", "Akwswk", "AkAkw", "Akwswkbwk", "Akwswkbwkwk", "Akwmwk"}) {
    for (const ScriptedBackend::Cancels cancels : kCancels) {
      Make(cancels);
      std::string steps = begin;
      PlayAll(steps,
              begin[0] != '\0' && steps.find(kBurst) != steps.npos ? 2 : 4);
      if (HasFailure()) return;
    }
  }
  RecordProperty("sequences", static_cast<int>(n_played_));
  EXPECT_GT(n_played_, 10'000u);
}

TEST_F(ListenerOrderTest, LongRandomOrdersDoToo) {
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < 500; ++round) {
    const uint32_t seed = random();
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 choose(seed);
    Make(kCancels[choose() % kCancels.size()]);
    std::string steps;
    while (steps.size() < 100) {
      // Ends are rare, and turns are what makes things happen.
      constexpr std::string_view kMix = "ssssAAAAAcnwwwwwwkkkkkkt";
      constexpr std::string_view kRare = "bbamfx";
      steps += choose() % 30 == 0 ? kRare[choose() % kRare.size()]
                                  : kMix[choose() % kMix.size()];
    }
    Play(steps);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace ringway::net
