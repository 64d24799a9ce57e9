// SPDX-License-Identifier: Apache-2.0
//
// The loop never waits for a thread of its OffloadPool. The kernel may preempt
// such a thread at any point: here it is stopped at each schedule point in turn
// while the loop starts, cancels and collects, more than the pool has places
// for.

#include <pthread.h>
#include <sys/eventfd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <semaphore>
#include <string_view>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/common/cancel_in.h"
#include "ringway/backends/common/offload_pool.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/testing/schedule_hook.h"
#include "ringway/core/unique_fd.h"

namespace ringway {
namespace {

// Counts down at the schedule points of the pool's thread, and stops it at 0.
std::atomic<int> points_left{-1};
std::binary_semaphore stopped{0};
std::binary_semaphore go_on{0};

void StopPoolThread() {
  char name[16] = "";
  pthread_getname_np(pthread_self(), name, sizeof(name));
  if (std::string_view(name) != "ringway-offload") return;
  if (points_left.fetch_sub(1) != 0) return;
  stopped.release();
  go_on.acquire();
}

struct Nop : Operation {
  Nop() : Operation(nullptr) { PrepareNop(*this); }
};

class Pool {
 public:
  void Start(Operation& op) {
    op.state = OpState::kInFlight;
    pool_.Start(op);
  }
  void Cancel(Operation& op) {
    if (pool_.Cancel(op)) op.state = OpState::kDone;
  }
  void CancelAll() {
    OperationList not_begun;
    pool_.CancelUsing(kAnyFd, not_begun);
    End(not_begun);
  }
  void Collect() {
    OperationList ended;
    pool_.Collect(ended);
    End(ended);
  }
  void CollectAll() {
    while (pool_.in_flight() > 0) {
      Collect();
      std::this_thread::yield();
    }
  }

 private:
  static void End(OperationList& list) {
    while (Operation* op = list.PopFront()) op->state = OpState::kDone;
  }

  UniqueFd doorbell_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  OffloadPool pool_{1, doorbell_.get()};
};

// What a loop does.
void UsePool(Pool& pool, std::vector<Nop>& operations) {
  for (Nop& op : operations) pool.Start(op);
  for (size_t i = 0; i < operations.size(); i += 3) pool.Cancel(operations[i]);
  pool.Collect();
  pool.CancelAll();
}

// False if a thread that runs an operation passes fewer points.
bool StopAtPoint(int point) {
  SCOPED_TRACE(point);
  Pool pool;
  Nop first;
  std::vector<Nop> operations(1'000);
  std::vector<Nop> later(1'000);
  points_left = point;
  pool.Start(first);
  for (int i = 0; i < 2'000 && points_left >= 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (points_left.exchange(-1) >= 0) {
    pool.CollectAll();
    return false;
  }
  stopped.acquire();
  std::future<void> used =
      std::async(std::launch::async, [&] { UsePool(pool, operations); });
  EXPECT_EQ(used.wait_for(std::chrono::seconds(20)), std::future_status::ready)
      << "the loop waits for the thread";
  go_on.release();
  used.wait();
  for (Nop& op : later) pool.Start(op);
  pool.CollectAll();
  for (const std::vector<Nop>* all : {&operations, &later}) {
    for (const Nop& op : *all) EXPECT_EQ(op.state, OpState::kDone);
  }
  return true;
}

TEST(OffloadStoppedThread, StopsNobodyElse) {
  internal::SetScheduleHook(&StopPoolThread);
  int n_points = 0;
  while (StopAtPoint(n_points)) ++n_points;
  internal::SetScheduleHook(nullptr);
  EXPECT_GE(n_points, 5) << "the pool has schedule points";
}

}  // namespace
}  // namespace ringway
