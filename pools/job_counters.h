// SPDX-License-Identifier: Apache-2.0
//
// JobCounters: those of JobPoolStats, for a pool whose threads count without a
// lock.
//
// Each counts events and only grows. A job is counted as started before it is
// as begun, withdrawn or dropped, and as begun before it is as ended, so what
// is read in the opposite order adds up.

#ifndef RINGWAY_POOLS_JOB_COUNTERS_H_
#define RINGWAY_POOLS_JOB_COUNTERS_H_

#include <atomic>
#include <cstdint>

#include "ringway/pools/job_pool.h"

namespace ringway::internal {

// Threads: any.
struct JobCounters {
  class Counter {
   public:
    void Add() { n_.fetch_add(1, std::memory_order_release); }
    void Subtract() { n_.fetch_sub(1, std::memory_order_relaxed); }
    uint64_t Get() const { return n_.load(std::memory_order_acquire); }
    // Makes it at least `n`.
    void RaiseTo(uint64_t n);

   private:
    std::atomic<uint64_t> n_{0};
  };

  // A job was queued, or a thread started: for the highest numbers of them.
  void NoteQueued();
  void NoteThreads(uint64_t n) { most_threads.RaiseTo(n); }

  // All but threads, idle and the waits.
  void AddTo(JobPoolStats& stats, uint32_t max_threads) const;

  Counter started;
  Counter begun;
  Counter ended;
  Counter withdrawn;
  Counter dropped;
  Counter refused;
  Counter most_queued;
  Counter most_threads;
};

}  // namespace ringway::internal

#endif  // RINGWAY_POOLS_JOB_COUNTERS_H_
