// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/core/check_option.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/leak_in_child.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/time/clock.h"
#include "ringway/pools/queue_waits.h"

namespace ringway {
namespace {

constexpr size_t kMostNameBytes = 10;  // of 15, with "/1023"

}  // namespace

absl::Status CheckThreadPoolOptions(const ThreadPoolOptions& options) {
  for (const absl::Status& status : {
           CheckOption("ThreadPoolOptions::name's length", options.name.size(),
                       1, kMostNameBytes),
           CheckOption("ThreadPoolOptions::max_threads", options.max_threads, 1,
                       kMostPoolThreads),
           CheckOption("ThreadPoolOptions::max_queued", options.max_queued, 0,
                       kMostQueuedJobs),
           CheckOption("ThreadPoolOptions::idle_time", options.idle_time,
                       absl::ZeroDuration(), absl::InfiniteDuration()),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

class ThreadPool::Threads final : public JobPool,
                                  public std::enable_shared_from_this<Threads> {
 public:
  explicit Threads(const ThreadPoolOptions& options) : options_(options) {}
  ~Threads() override = default;

  absl::Status Start(std::shared_ptr<Job> job) override;
  bool Withdraw(Job& job) override;
  uint32_t max_threads() const override { return options_.max_threads; }
  JobPoolStats stats() const override;

  // Ends all threads and waits for them.
  void End();
  bool forked() const { return owner_.forked(); }

 private:
  using ThreadList = std::list<std::thread>;

  absl::Status CheckRoom();
  absl::Status StartThread();
  void ThreadMain(ThreadList::iterator self, size_t number);
  // Requires `lock`. Releases it meanwhile.
  void RunNext(std::unique_lock<std::mutex>& lock);
  bool WaitForJob(std::unique_lock<std::mutex>& lock);
  const OwnerProcess owner_;
  const ThreadPoolOptions options_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable work_or_end_;
  IntrusiveList<Job> queue_;
  ThreadList threads_;  // that may run a job
  ThreadList ended_;    // by End(), which joins them
  size_t n_idle_ = 0;
  size_t next_number_ = 0;
  bool ending_ = false;
  JobPoolStats stats_;
  internal::QueueWaits waits_;
};

absl::Status ThreadPool::Threads::Start(std::shared_ptr<Job> job) {
  if (forked()) {
    return absl::FailedPreconditionError(
        "a ThreadPool belongs to the parent process; a forked child must make "
        "its own");
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (ending_) return absl::UnavailableError("the ThreadPool has ended");
    if (absl::Status s = CheckRoom(); !s.ok()) {
      ++stats_.refused;
      return s;
    }
    Job& queued = *job;
    queued.self_ = std::move(job);
    queued.queued_at_ = Clock::Real().Now();
    queue_.PushBack(queued);
    ++stats_.started;
    stats_.most_queued = std::max(stats_.most_queued, ++stats_.queued);
  }
  work_or_end_.notify_one();
  return absl::OkStatus();
}

// Makes sure that there is a thread for one more job, or room for it to wait.
absl::Status ThreadPool::Threads::CheckRoom() {
  if (stats_.queued < n_idle_) return absl::OkStatus();
  if (threads_.size() < options_.max_threads) {
    absl::Status started = StartThread();
    // Those that there are will do.
    if (started.ok() || threads_.empty()) return started;
  }
  if (stats_.queued - n_idle_ < options_.max_queued) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      options_.max_queued, " jobs wait for the ", options_.max_threads,
      " threads of the pool \"", options_.name,
      "\" (ThreadPoolOptions::max_queued, max_threads)"));
}

absl::Status ThreadPool::Threads::StartThread() {
  try {
    threads_.emplace_back();
    const auto self = std::prev(threads_.end());
    try {
      *self = std::thread(&Threads::ThreadMain, shared_from_this(), self,
                          next_number_);
    } catch (...) {
      threads_.pop_back();
      throw;
    }
  } catch (const std::exception& e) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no thread could be started for the pool \"",
                     options_.name, "\": ", e.what()));
  }
  next_number_ = (next_number_ + 1) % kMostPoolThreads;
  // It counts as idle until it takes a job.
  ++n_idle_;
  stats_.most_threads =
      std::max<uint64_t>(stats_.most_threads, threads_.size());
  return absl::OkStatus();
}

void ThreadPool::Threads::ThreadMain(ThreadList::iterator self, size_t number) {
  pthread_setname_np(pthread_self(),
                     absl::StrCat(options_.name, "/", number).c_str());
  if (options_.idle_class) {
    const sched_param none = {};
    pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
  }
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    if (!queue_.empty()) {
      RunNext(lock);
    } else if (ending_ || !WaitForJob(lock)) {
      break;
    }
  }
  --n_idle_;
  if (ending_) {
    ended_.splice(ended_.end(), threads_, self);
  } else {  // nobody might come to join it
    self->detach();
    threads_.erase(self);
  }
  work_or_end_.notify_all();
}

void ThreadPool::Threads::RunNext(std::unique_lock<std::mutex>& lock) {
  std::shared_ptr<Job> job = std::move(queue_.PopFront()->self_);
  waits_.Record(job->queued_at_, Clock::Real().Now());
  --n_idle_;
  --stats_.queued;
  ++stats_.running;
  lock.unlock();
  job->Run();
  job.reset();
  lock.lock();
  ++n_idle_;
  --stats_.running;
  ++stats_.ended;
}

// False if the thread has been idle for long enough.
bool ThreadPool::Threads::WaitForJob(std::unique_lock<std::mutex>& lock) {
  const auto is_over = [this] { return !queue_.empty() || ending_; };
  if (options_.idle_time == absl::InfiniteDuration()) {
    work_or_end_.wait(lock, is_over);
    return true;
  }
  return work_or_end_.wait_for(
      lock, absl::ToChronoNanoseconds(options_.idle_time), is_over);
}

bool ThreadPool::Threads::Withdraw(Job& job) {
  if (forked()) return false;
  std::shared_ptr<Job> withdrawn;
  std::lock_guard<std::mutex> lock(mutex_);
  if (!job.linked()) return false;
  job.Unlink();
  withdrawn = std::move(job.self_);
  --stats_.queued;
  ++stats_.withdrawn;
  return true;
}

JobPoolStats ThreadPool::Threads::stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  JobPoolStats stats = stats_;
  stats.threads = threads_.size();
  stats.idle = n_idle_;
  waits_.AddTo(stats);
  return stats;
}

void ThreadPool::Threads::End() {
  IntrusiveList<Job> dropped;
  ThreadList ended;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    for (const std::thread& thread : threads_) {
      RINGWAY_CHECK(thread.get_id() != std::this_thread::get_id(),
                    "a ThreadPool was destroyed by one of its own jobs");
    }
    ending_ = true;
    dropped.Append(queue_);
    stats_.dropped += std::exchange(stats_.queued, 0);
    work_or_end_.notify_all();
    work_or_end_.wait(lock, [this] { return threads_.empty(); });
    ended.swap(ended_);
  }
  for (std::thread& thread : ended) thread.join();
  while (Job* job = dropped.PopFront()) {
    const std::shared_ptr<Job> self = std::move(job->self_);
    self->Drop();
  }
}

absl::StatusOr<std::unique_ptr<ThreadPool>> ThreadPool::Create(
    const ThreadPoolOptions& options) {
  if (absl::Status s = CheckThreadPoolOptions(options); !s.ok()) return s;
  return std::unique_ptr<ThreadPool>(
      new ThreadPool(std::make_shared<Threads>(options)));
}

ThreadPool::ThreadPool(std::shared_ptr<Threads> threads)
    : threads_(threads), jobs_(std::move(threads)) {}

ThreadPool::~ThreadPool() {
  if (threads_->forked()) {
    LeakInChild(jobs_);
  } else {
    threads_->End();
  }
}

}  // namespace ringway
