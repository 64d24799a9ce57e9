// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/simulated_pool.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ringway {

std::shared_ptr<SimulatedPool> SimulatedPool::Create(
    Loop& loop, const SimulatedPoolOptions& options) {
  return std::shared_ptr<SimulatedPool>(new SimulatedPool(loop, options));
}

SimulatedPool::SimulatedPool(Loop& loop, const SimulatedPoolOptions& options)
    : LoopDependent(loop), loop_(loop), options_(options), rng_(options.seed) {}

SimulatedPool::~SimulatedPool() {
  CheckDestroyed("a SimulatedPool");
  if (!loop_ended()) DropAll();
}

absl::Status SimulatedPool::Start(std::shared_ptr<Job> job) {
  if (loop_ended())
    return absl::UnavailableError("the loop of the SimulatedPool has ended");
  loop_.CheckThread("a SimulatedPool");
  Thread* idle = FindIdle();
  if (idle == nullptr && stats_.queued >= options_.max_queued) {
    ++stats_.refused;
    return absl::ResourceExhaustedError(absl::StrCat(
        options_.max_queued, " jobs wait (SimulatedPoolOptions::max_queued)"));
  }
  Job& queued = *job;
  queued.self_ = std::move(job);
  queued.queued_at_ = loop_.now();
  queue_.PushBack(queued);
  ++stats_.started;
  stats_.most_queued = std::max(stats_.most_queued, ++stats_.queued);
  if (idle != nullptr) Begin(*idle);
  return absl::OkStatus();
}

SimulatedPool::Thread* SimulatedPool::FindIdle() {
  for (const std::unique_ptr<Thread>& thread : threads_) {
    if (thread->job == nullptr) return thread.get();
  }
  if (threads_.size() == options_.max_threads) return nullptr;
  threads_.push_back(std::make_unique<Thread>(*this));
  stats_.most_threads = threads_.size();
  return threads_.back().get();
}

void SimulatedPool::Begin(Thread& thread) {
  thread.job = std::move(queue_.PopFront()->self_);
  waits_.Record(thread.job->queued_at_, loop_.now());
  --stats_.queued;
  ++stats_.running;
  loop_.ArmTimer(thread.timer,
                 loop_.now() + rng_.Between(options_.least_latency,
                                            options_.most_latency));
}

void SimulatedPool::Thread::OnTime(Runnable& entry) {
  Thread& self = static_cast<Thread&>(entry);
  SimulatedPool& pool = self.pool;
  // The job may drop the pool's last reference.
  const std::shared_ptr<Job> job = std::exchange(self.job, nullptr);
  --pool.stats_.running;
  ++pool.stats_.ended;
  if (!pool.queue_.empty()) pool.Begin(self);
  job->Run();
}

bool SimulatedPool::Withdraw(Job& job) {
  if (loop_ended() || !job.linked()) return false;
  loop_.CheckThread("a SimulatedPool");
  job.Unlink();
  const std::shared_ptr<Job> withdrawn = std::move(job.self_);
  --stats_.queued;
  ++stats_.withdrawn;
  return true;
}

JobPoolStats SimulatedPool::stats() const {
  JobPoolStats stats = stats_;
  stats.threads = threads_.size();
  stats.idle = stats.threads - stats.running;
  waits_.AddTo(stats);
  return stats;
}

void SimulatedPool::DropAll() {
  std::vector<std::shared_ptr<Job>> dropped;
  for (const std::unique_ptr<Thread>& thread : threads_) {
    loop_.DisarmTimer(thread->timer);
    if (thread->linked()) thread->Unlink();
    if (thread->job != nullptr) dropped.push_back(std::move(thread->job));
  }
  while (Job* job = queue_.PopFront()) dropped.push_back(std::move(job->self_));
  stats_.dropped += std::exchange(stats_.queued, 0);
  stats_.dropped += std::exchange(stats_.running, 0);
  for (const std::shared_ptr<Job>& job : dropped) job->Drop();
}

}  // namespace ringway
