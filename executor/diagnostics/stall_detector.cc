// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/stall_detector.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/core/check_option.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/leak_in_child.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/diagnostics/stall_timer.h"
#include "ringway/executor/diagnostics/thread_stack.h"

namespace ringway {
namespace {

// How often a loop is observed in the time of a budget.
constexpr int kObservations = 4;

// How long a stalled thread may take to answer. One that runs answers within
// microseconds, and one that waits for a processor when it gets one.
constexpr absl::Duration kPatience = absl::Milliseconds(250);

}  // namespace

absl::Status CheckStallDetectorOptions(const StallDetectorOptions& options) {
  for (const absl::Status& status : {
           CheckOption("StallDetectorOptions::budget", options.budget,
                       absl::Milliseconds(1), absl::Hours(1)),
           CheckOption("StallDetectorOptions::signal",
                       static_cast<uint64_t>(options.signal), 1, NSIG - 1),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string FormatStall(const StallReport& report) {
  return absl::StrCat(
      "ringway: \"", report.loop, "\" has been in one turn for ",
      absl::FormatDuration(absl::Trunc(report.duration, absl::Milliseconds(1))),
      report.task.empty() ? ""
                          : absl::StrCat(", in the task \"", report.task, "\""),
      report.stack.empty() ? "; its stack could not be taken\n" : ":\n",
      report.stack);
}

// --- A watched loop

class StallDetector::Watch::Impl final : public ListNode,
                                         private internal::ThreadStack::Noter {
 public:
  Impl(StallDetector::Impl& of, Loop& loop, Executor* executor,
       std::string name, int signal)
      : Noter{&Note},
        detector(of),
        loop_(loop),
        executor_(executor),
        name_(std::move(name)),
        stack_(signal, *this) {}

  void CheckThread() const { loop_.CheckThread("a StallDetector's loop"); }

  // The detector's side: a report if there is a new stall.
  std::optional<StallReport> Observe(absl::Duration budget) {
    const Clock& clock = Clock::Real();
    activity_ = loop_.activity();
    if (!timer_.Observe(activity_, clock.Now(), budget)) return std::nullopt;
    StallReport report;
    report.loop = name_;
    if (stack_.Take(kPatience)) {
      report.task = stack_.note();
      report.stack = stack_.Symbolized();
    }
    report.duration = clock.Now() - timer_.since();
    return report;
  }

  StallDetector::Impl& detector;

 private:
  // In the handler, so it is the loop's thread that reads the executor.
  static bool Note(Noter& noter, char* text) {
    const Impl& self = static_cast<Impl&>(noter);
    if (self.loop_.activity() != self.activity_) return false;  // it has ended
    text[0] = '\0';
    if (self.executor_ == nullptr) return true;
    strncpy(text, self.executor_->RunningTaskName(),
            internal::ThreadStack::kMaxNote);
    text[internal::ThreadStack::kMaxNote] = '\0';
    return true;
  }

  Loop& loop_;
  Executor* const executor_;
  const std::string name_;
  StallTimer timer_;
  uint64_t activity_ = 0;  // as last observed
  internal::ThreadStack stack_;
};

// --- The detector

class StallDetector::Impl {
 public:
  explicit Impl(const StallDetectorOptions& options) : options_(options) {}

  absl::Status Start() {
    if (absl::Status s = internal::StackSignal::Use(options_.signal); !s.ok()) {
      return absl::Status(
          s.code(),
          absl::StrCat("StallDetectorOptions::signal: ", s.message()));
    }
    try {
      thread_ = std::thread([this] { ThreadMain(); });
    } catch (const std::exception& e) {
      internal::StackSignal::Release(options_.signal);
      return absl::ResourceExhaustedError(absl::StrCat(
          "no thread could be started for a StallDetector: ", e.what()));
    }
    return absl::OkStatus();
  }

  void End() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      RINGWAY_CHECK(watched_.empty(),
                    "a StallDetector was destroyed while it watches a loop");
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
    internal::StackSignal::Release(options_.signal);
  }

  std::unique_ptr<Watch::Impl> Attach(Loop& loop, Executor* executor,
                                      std::string name) {
    owner_.Check("a StallDetector");
    loop.CheckThread("a StallDetector's loop");
    auto watch = std::make_unique<Watch::Impl>(
        *this, loop, executor, std::move(name), options_.signal);
    const std::lock_guard<std::mutex> lock(mutex_);
    watched_.PushBack(*watch);
    changed_.notify_all();
    return watch;
  }

  void Detach(Watch::Impl& watch) {
    if (owner_.forked()) {
      watch.Unlink();  // no other thread is left, and the lock may be held
      return;
    }
    watch.CheckThread();
    const std::lock_guard<std::mutex> lock(mutex_);
    watch.Unlink();
  }

  bool forked() const { return owner_.forked(); }

  uint64_t stalls() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stalls_;
  }

 private:
  void ThreadMain() {
    // The program's signals are for the program's threads.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    pthread_setname_np(pthread_self(), "stall-detector");
    std::unique_lock<std::mutex> lock(mutex_);
    while (!ending_) {
      if (watched_.empty()) {
        changed_.wait(lock);
        continue;
      }
      changed_.wait_for(
          lock, absl::ToChronoNanoseconds(options_.budget / kObservations),
          [this] { return ending_; });
      std::vector<StallReport> reports = Observe();
      lock.unlock();
      for (const StallReport& report : reports) Report(report);
      lock.lock();
    }
  }

  std::vector<StallReport> Observe() {
    std::vector<StallReport> reports;
    for (Watch::Impl* watch = watched_.front(); watch != nullptr;
         watch = watched_.Next(*watch)) {
      std::optional<StallReport> report = watch->Observe(options_.budget);
      if (report.has_value()) reports.push_back(*std::move(report));
    }
    stalls_ += reports.size();
    return reports;
  }

  void Report(const StallReport& report) const {
    if (options_.on_stall) {
      options_.on_stall(report);
    } else {
      fputs(FormatStall(report).c_str(), stderr);
    }
  }

  const OwnerProcess owner_;
  const StallDetectorOptions options_;
  std::thread thread_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  IntrusiveList<Watch::Impl> watched_;
  bool ending_ = false;
  uint64_t stalls_ = 0;
};

StallDetector::Watch::Watch(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}
StallDetector::Watch::Watch() = default;
StallDetector::Watch::Watch(Watch&& other) noexcept = default;

StallDetector::Watch& StallDetector::Watch::operator=(Watch&& other) noexcept {
  Watch taken(std::move(other));
  std::swap(impl_, taken.impl_);
  return *this;
}

StallDetector::Watch::~Watch() {
  if (impl_ != nullptr) impl_->detector.Detach(*impl_);
}

absl::StatusOr<std::unique_ptr<StallDetector>> StallDetector::Create(
    const StallDetectorOptions& options) {
  if (absl::Status s = CheckStallDetectorOptions(options); !s.ok()) return s;
  auto impl = std::make_unique<Impl>(options);
  if (absl::Status s = impl->Start(); !s.ok()) return s;
  return std::unique_ptr<StallDetector>(new StallDetector(std::move(impl)));
}

StallDetector::StallDetector(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

StallDetector::~StallDetector() {
  if (impl_->forked()) {
    LeakInChild(std::move(impl_));
  } else {
    impl_->End();
  }
}

StallDetector::Watch StallDetector::Attach(Executor& executor,
                                           std::string name) {
  return Watch(impl_->Attach(executor.loop(), &executor, std::move(name)));
}

StallDetector::Watch StallDetector::Attach(Loop& loop, std::string name) {
  return Watch(impl_->Attach(loop, nullptr, std::move(name)));
}

uint64_t StallDetector::stalls() const { return impl_->stalls(); }

}  // namespace ringway
