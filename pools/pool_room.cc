// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/pool_room.h"

#include "ringway/core/schedule_point.h"

namespace ringway::internal {
namespace {

void AddThread(PoolRoom::Counts& counts) {
  ++counts.threads;
  ++counts.unsure;
  counts.starting = 1;
}

void RemoveUnsure(PoolRoom::Counts& counts) {
  --counts.threads;
  --counts.unsure;
  counts.starting = 0;
}

}  // namespace

// Returns the counts before. `change` may be called several times.
template <typename F>
PoolRoom::Counts PoolRoom::Change(F change) {
  Counts before = counts();
  Counts after;
  do {
    after = before;
    change(after);
    SchedulePoint();
  } while (!counts_.compare_exchange_weak(
      before, after, std::memory_order_acq_rel, std::memory_order_acquire));
  return before;
}

// With max_queued = 0 a job is refused unless a thread is idle or may be
// started: all of `jobs` have one then.
PoolRoom::Admission PoolRoom::Admit() {
  Admission admission = Admission::kEnded;
  Change([&](Counts& counts) {
    if (counts.ended != 0) {
      admission = Admission::kEnded;
    } else if (counts.jobs >= max_threads_ + max_queued_) {
      admission = Admission::kFull;
    } else {
      ++counts.jobs;
      // Without a thread that is sure to be there a job must bring its own.
      const bool alone = counts.sure() == 0 && counts.threads < max_threads_;
      if (alone || (counts.starting == 0 && NeedsThread(counts))) {
        admission = Admission::kNeedsThread;
        AddThread(counts);
      } else {
        admission = Admission::kAdmitted;
      }
    }
  });
  return admission;
}

void PoolRoom::RemoveJobs(uint32_t n) {
  Change([&](Counts& counts) { counts.jobs -= n; });
}

void PoolRoom::ThreadStarted() {
  Change([](Counts& counts) { --counts.unsure; });
}

void PoolRoom::NoThreadStarted() { Change(&RemoveUnsure); }

bool PoolRoom::AdmitsWithoutThread() {
  bool admitted = false;
  Change([&](Counts& counts) {
    RemoveUnsure(counts);
    admitted = counts.sure() > 0 && counts.jobs <= counts.sure() + max_queued_;
    if (!admitted) --counts.jobs;
  });
  return admitted;
}

bool PoolRoom::NextThread() {
  bool needed = false;
  Change([&](Counts& counts) {
    needed = NeedsThread(counts);
    if (needed) {
      AddThread(counts);
    } else {
      counts.starting = 0;
    }
  });
  return needed;
}

bool PoolRoom::IdleThreadEnds() {
  bool ends = false;
  Change([&](Counts& counts) {
    // Jobs rely on those that are sure.
    ends = counts.jobs < counts.sure() && counts.ended == 0;
    if (ends) --counts.threads;
  });
  return ends;
}

void PoolRoom::ThreadEnds() {
  Change([](Counts& counts) { --counts.threads; });
}

uint32_t PoolRoom::End() {
  return Change([](Counts& counts) { counts.ended = 1; }).threads;
}

}  // namespace ringway::internal
