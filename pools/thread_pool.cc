// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/core/check_option.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/containers/mpsc_queue.h"
#include "ringway/core/leak_in_child.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/schedule_point.h"
#include "ringway/core/threads/thread_semaphore.h"
#include "ringway/core/time/clock.h"
#include "ringway/pools/job_counters.h"
#include "ringway/pools/pool_room.h"
#include "ringway/pools/queue_waits.h"

namespace ringway {
namespace {

constexpr size_t kMostNameBytes = 10;  // of 15, with "/1023"

// How long an idle thread stays whose pool has a job that is about to be
// queued.
constexpr absl::Duration kShortWait = absl::Milliseconds(1);

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

// A job goes through `inbox_`, which any thread may push to, and its token is
// released. A thread that has acquired a token takes one job off the queue.
// Only these threads, and End(), ever wait for `mutex_`.
class ThreadPool::Threads final : public JobPool,
                                  public std::enable_shared_from_this<Threads> {
 public:
  explicit Threads(const ThreadPoolOptions& options)
      : options_(options), room_(options.max_threads, options.max_queued) {}
  ~Threads() override = default;

  absl::Status Start(std::shared_ptr<Job> job) override;
  bool Withdraw(Job& job) override;
  uint32_t max_threads() const override { return options_.max_threads; }
  JobPoolStats stats() const override;

  // Ends all threads and waits for them.
  void End();
  bool forked() const { return owner_.forked(); }

 private:
  using Place = Job::Place;

  // What a thread begins with, and what remains of one that has ended.
  struct Thread : MpscNode {
    std::shared_ptr<Threads> pool;
    pthread_t handle;
  };

  absl::Status Queue(std::shared_ptr<Job> job);
  absl::Status StartThread();
  static void* ThreadMain(void* argument);
  void Introduce();
  // True if the pool has ended, false if the thread was idle for long enough.
  bool ServeUntilEnd();
  void RunNext();
  void TakeOffAtOnce(Job& withdrawn);
  void DropQueued(IntrusiveList<Job>& dropped);

  // --- Those below require `mutex_`.

  void EmptyInbox() { Append(inbox_.TakeAll()); }
  void Append(MpscBatch<Job> batch);
  // `job` has left the queue. True if it was not withdrawn.
  static bool Take(Job& job) {
    return job.place_.exchange(Place::kElsewhere) == Place::kQueued;
  }

  const OwnerProcess owner_;
  const ThreadPoolOptions options_;
  internal::PoolRoom room_;
  MpscQueue<Job> inbox_;
  internal::ThreadSemaphore tokens_;  // one for each job in inbox and queue
  std::mutex mutex_;                  // guards the queue, and the inbox's end
  IntrusiveList<Job> queue_;
  internal::JobCounters counters_;
  internal::QueueWaits waits_;  // recorded under the mutex
  std::atomic<size_t> next_number_{0};

  // Once the pool has ended:
  MpscQueue<Thread> ended_;
  internal::ThreadSemaphore changes_;  // of the number of threads

  // The pool that this thread belongs to.
  static constinit thread_local const Threads* current_;
};

constinit thread_local const ThreadPool::Threads*
    ThreadPool::Threads::current_ = nullptr;

// --- For any thread.

absl::Status ThreadPool::Threads::Start(std::shared_ptr<Job> job) {
  using enum internal::PoolRoom::Admission;
  if (forked()) {
    return absl::FailedPreconditionError(
        "a ThreadPool belongs to the parent process; a forked child must make "
        "its own");
  }
  switch (room_.Admit()) {
    case kEnded:
      return absl::UnavailableError("the ThreadPool has ended");
    case kFull:
      counters_.refused.Add();
      return absl::ResourceExhaustedError(absl::StrCat(
          options_.max_queued, " jobs wait for the ", options_.max_threads,
          " threads of the pool \"", options_.name,
          "\" (ThreadPoolOptions::max_queued, max_threads)"));
    case kNeedsThread:
      if (absl::Status s = StartThread(); !s.ok()) {
        const bool admitted = room_.AdmitsWithoutThread();
        changes_.Release();
        if (!admitted) {
          counters_.refused.Add();
          return s;
        }
      }
      break;
    case kAdmitted:
      break;
  }
  return Queue(std::move(job));
}

absl::Status ThreadPool::Threads::Queue(std::shared_ptr<Job> job) {
  Job& queued = *job;
  queued.queued_at_ = Clock::Real().Now();
  queued.place_.store(Place::kQueued, std::memory_order_relaxed);
  queued.self_ = std::move(job);
  counters_.started.Add();
  // From now on it may be gone.
  if (inbox_.Push(queued) == PushResult::kClosed) {
    job = std::move(queued.self_);
    queued.place_.store(Place::kElsewhere, std::memory_order_relaxed);
    counters_.started.Subtract();
    room_.RemoveJobs();
    return absl::UnavailableError("the ThreadPool has ended");
  }
  counters_.NoteQueued();
  tokens_.Release();
  return absl::OkStatus();
}

bool ThreadPool::Threads::Withdraw(Job& job) {
  if (forked()) return false;
  Place queued = Place::kQueued;
  if (!job.place_.compare_exchange_strong(queued, Place::kWithdrawn))
    return false;
  counters_.withdrawn.Add();
  TakeOffAtOnce(job);
  return true;
}

// Unless that would mean to wait; then a thread that comes to it does so.
void ThreadPool::Threads::TakeOffAtOnce(Job& withdrawn) {
  std::shared_ptr<Job> self;
  {
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;
    EmptyInbox();
    if (withdrawn.place_.load() != Place::kWithdrawn) return;
    withdrawn.Unlink();
    Take(withdrawn);
    self = std::move(withdrawn.self_);
    internal::SchedulePoint();
    // Before a thread that may have this job's token finds the queue empty: the
    // next one would be another job's. If it has, it finds nothing; and then
    // this may be the token of a thread that is to end.
    if (tokens_.TryAcquire() && room_.counts().ended != 0) tokens_.Release();
  }
  room_.RemoveJobs();
}

JobPoolStats ThreadPool::Threads::stats() const {
  JobPoolStats stats;
  counters_.AddTo(stats, options_.max_threads);
  stats.threads = std::max<uint64_t>(room_.counts().threads, stats.running);
  stats.idle = stats.threads - stats.running;
  waits_.AddTo(stats);
  return stats;
}

// Threads: any one of which a job needs it.
absl::Status ThreadPool::Threads::StartThread() {
  auto* thread = new (std::nothrow) Thread;
  int error = ENOMEM;
  if (thread != nullptr) {
    thread->pool = shared_from_this();
    pthread_t handle;
    error = pthread_create(&handle, nullptr, &ThreadMain, thread);
  }
  if (error != 0) {
    delete thread;
    return absl::ResourceExhaustedError(absl::StrCat(
        "no thread could be started for the pool \"", options_.name,
        "\": ", std::generic_category().message(error)));
  }
  room_.ThreadStarted();
  counters_.NoteThreads(room_.counts().threads);
  return absl::OkStatus();
}

// --- For the pool's own threads.

void* ThreadPool::Threads::ThreadMain(void* argument) {
  std::unique_ptr<Thread> self(static_cast<Thread*>(argument));
  const std::shared_ptr<Threads> pool = std::move(self->pool);
  current_ = pool.get();
  pool->Introduce();
  // Before its first job, which may take long.
  if (pool->room_.NextThread() && !pool->StartThread().ok()) {
    pool->room_.NoThreadStarted();
    pool->changes_.Release();
  }
  self->handle = pthread_self();
  if (pool->ServeUntilEnd()) {
    pool->ended_.Push(*self.release());
    pool->room_.ThreadEnds();
    pool->changes_.Release();
  } else {  // nobody might come to join it
    pthread_detach(self->handle);
  }
  return nullptr;
}

void ThreadPool::Threads::Introduce() {
  const size_t number = next_number_.fetch_add(1) % kMostPoolThreads;
  pthread_setname_np(pthread_self(),
                     absl::StrCat(options_.name, "/", number).c_str());
  const sched_param none = {};
  sched_setscheduler(/*pid=*/0,  // this thread
                     options_.idle_class ? SCHED_IDLE : SCHED_BATCH, &none);
}

bool ThreadPool::Threads::ServeUntilEnd() {
  absl::Duration patience = options_.idle_time;
  while (true) {
    if (tokens_.Acquire(patience)) {
      if (room_.counts().ended != 0) return true;
      RunNext();
      patience = options_.idle_time;
    } else if (room_.IdleThreadEnds()) {
      return false;
    } else {  // a job is about to be queued
      patience = std::max(patience, kShortWait);
    }
  }
}

void ThreadPool::Threads::RunNext() {
  std::shared_ptr<Job> job;
  bool runs;
  internal::SchedulePoint();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    EmptyInbox();
    Job* next = queue_.PopFront();
    if (next == nullptr) return;  // it was withdrawn and taken off
    internal::SchedulePoint();
    job = std::move(next->self_);
    runs = Take(*next);
    if (runs) {
      counters_.begun.Add();
      waits_.Record(job->queued_at_, Clock::Real().Now());
    }
  }
  if (runs) job->Run();
  job.reset();
  // In this order: whoever sees that it has ended finds room for another.
  room_.RemoveJobs();
  if (runs) counters_.ended.Add();
}

void ThreadPool::Threads::Append(MpscBatch<Job> batch) {
  while (Job* job = batch.PopFront()) queue_.PushBack(*job);
}

// --- The end.

void ThreadPool::Threads::End() {
  RINGWAY_CHECK(current_ != this,
                "a ThreadPool was destroyed by one of its own jobs");
  IntrusiveList<Job> dropped;
  tokens_.Release(room_.End());
  DropQueued(dropped);
  while (room_.counts().threads > 0) changes_.Acquire();
  MpscBatch<Thread> ended = ended_.TakeAll();
  while (Thread* thread = ended.PopFront()) {
    pthread_join(thread->handle, nullptr);
    delete thread;
  }
  while (Job* job = dropped.PopFront()) {
    const std::shared_ptr<Job> self = std::move(job->self_);
    self->Drop();
  }
}

// Takes all jobs off the queue, and `dropped` those that were not withdrawn.
void ThreadPool::Threads::DropQueued(IntrusiveList<Job>& dropped) {
  IntrusiveList<Job> withdrawn;
  uint32_t n_jobs = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Append(inbox_.Close());
    while (Job* job = queue_.PopFront()) {
      ++n_jobs;
      const bool is_dropped = Take(*job);
      (is_dropped ? dropped : withdrawn).PushBack(*job);
      if (is_dropped) counters_.dropped.Add();
    }
  }
  room_.RemoveJobs(n_jobs);
  while (Job* job = withdrawn.PopFront())
    const std::shared_ptr<Job> released = std::move(job->self_);
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
