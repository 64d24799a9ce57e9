// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/owner_thread.h"

#include <pthread.h>

#include <mutex>
#include <utility>

#include "ringway/core/check.h"

namespace ringway {
namespace {

using internal::ThisThread;
using internal::ThreadRecord;

// Never destroyed: threads may end after static objects are destroyed.
struct Records {
  std::mutex mutex;
  ThreadRecord* free = nullptr;
};
Records& AllRecords() {
  static Records& records = *new Records;
  return records;
}

ThreadRecord* TakeRecord() {
  Records& records = AllRecords();
  std::lock_guard<std::mutex> lock(records.mutex);
  if (records.free == nullptr) return new ThreadRecord;
  ThreadRecord* record = records.free;
  records.free = std::exchange(record->next_free, nullptr);
  return record;
}

// Runs at a thread's end: its objects then have no owner.
struct AtThreadEnd {
  ~AtThreadEnd() {
    if (this_thread == nullptr) return;
    ThreadRecord* record = std::exchange(*this_thread, {}).record;
    record->id.store(0, std::memory_order_release);
    Records& records = AllRecords();
    std::lock_guard<std::mutex> lock(records.mutex);
    record->next_free = std::exchange(records.free, record);
  }
  ThisThread* this_thread = nullptr;
};

thread_local AtThreadEnd at_thread_end;

}  // namespace

constinit std::atomic<uint64_t> OwnerProcess::forks_ = 0;
constinit thread_local internal::ThisThread OwnerThread::this_thread_;
constinit std::atomic<uint64_t> OwnerThread::threads_ = 0;

void OwnerProcess::CountForks() {
  [[maybe_unused]] static const int registered = pthread_atfork(
      [] { AllRecords().mutex.lock(); }, [] { AllRecords().mutex.unlock(); },
      &OwnerThread::OnForked);
}

OwnerProcess::OwnerProcess() {
  CountForks();
  fork_generation_ = forks_.load(std::memory_order_relaxed);
}

OwnerThread::OwnerThread() {
  if (this_thread_.id == 0) [[unlikely]] {
    GiveThisThreadAnId();
  }
  id_ = this_thread_.id;
  record_ = this_thread_.record;
}

void OwnerThread::GiveThisThreadAnId() {
  OwnerProcess::CountForks();
  this_thread_.id = NewId();
  this_thread_.record = TakeRecord();
  this_thread_.record->id.store(this_thread_.id, std::memory_order_relaxed);
  // If the thread is already ending, the record is not returned.
  at_thread_end.this_thread = &this_thread_;
}

uint64_t OwnerThread::NewId() {
  const uint64_t n = threads_.fetch_add(1, std::memory_order_relaxed) + 1;
  return OwnerProcess::forks_.load(std::memory_order_relaxed) << kForkShift | n;
}

// In the child, on its only thread, which gets a new id.
void OwnerThread::OnForked() {
  AllRecords().mutex.unlock();
  OwnerProcess::forks_.fetch_add(1, std::memory_order_relaxed);
  if (this_thread_.id == 0) return;
  this_thread_.id = NewId();
  this_thread_.record->id.store(this_thread_.id, std::memory_order_relaxed);
}

bool OwnerThread::gone() const {
  return record_ == nullptr || forked() ||
         record_->id.load(std::memory_order_acquire) != id_;
}

void OwnerThread::FailUnlessGone(const char* what) const {
  if (!gone()) Fail(what);
}

void OwnerThread::BindUnlessOwned(const char* what) {
  FailUnlessGone(what);
  *this = OwnerThread();
}

void OwnerProcess::Fail(const char* what) {
  RINGWAY_CHECK(
      false,
      "%s belongs to the parent process; a forked child must make its own",
      what);
  __builtin_unreachable();
}

void OwnerThread::Fail(const char* what) const {
  if (forked()) OwnerProcess::Fail(what);
  RINGWAY_CHECK(false,
                "%s was used from a foreign thread; only the thread that made "
                "it may use it (other threads use Post() or Notify())",
                what);
  __builtin_unreachable();
}

}  // namespace ringway
