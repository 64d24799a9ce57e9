// SPDX-License-Identifier: Apache-2.0
//
// Strand: runs functions of any threads one after another, as under a mutex,
// but no thread ever waits for another.
//
// A function that finds the strand idle runs at once, on the thread that posts
// it. Otherwise it is left to the thread that runs the others, and Post()
// returns. So state that only a strand's functions use needs no lock, and a
// thread that is preempted in the middle of one delays the other functions, not
// the threads that post them.
//
//   struct Add : StrandNode {
//     explicit Add(int& s) : StrandNode(&Run), sum(s) {}
//     static void Run(StrandNode& node) { ++static_cast<Add&>(node).sum; }
//     int& sum;  // used on the strand only
//   };
//   strand.Post(*new Add(sum));
//
// Memory ordering. The strand is one atomic pointer to the node posted last,
// each of which points to the one before it; null means idle, and `running_`
// that a thread runs nodes and none is posted. Each change is a
// read-modify-write with acquire and release order: what was written before
// Post() is visible to the function, and what a function wrote to all later
// ones.

#ifndef RINGWAY_CORE_CONTAINERS_STRAND_H_
#define RINGWAY_CORE_CONTAINERS_STRAND_H_

#include <atomic>
#include <utility>

#include "ringway/core/check.h"
#include "ringway/core/compiler.h"
#include "ringway/core/schedule_point.h"

namespace ringway {

// Belongs to the strand from Post() until its function is called, which may
// post it again or destroy it.
class StrandNode {
 public:
  // Must not throw.
  using Function = void (*)(StrandNode&);
  explicit StrandNode(Function run) : run_(run) {}
  StrandNode(const StrandNode&) = delete;
  StrandNode& operator=(const StrandNode&) = delete;

 private:
  friend class Strand;

  const Function run_;
  StrandNode* next_ = nullptr;
};

class Strand {
 public:
  Strand() = default;
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;
  // No thread may be in Post() (checked).
  ~Strand() {
    RINGWAY_CHECK(last_.load(std::memory_order_acquire) == nullptr,
                  "a Strand was destroyed while it runs");
  }

  // Runs `node`, or leaves it to the thread that runs others. Functions that
  // one thread posts run in that order. One that is posted by a function of
  // this strand runs later. The strand must outlive this call.
  //
  // Threads: any.
  // Cost:    one compare-and-swap, repeated when threads collide, if another
  //          thread runs. Otherwise this function, and those that others post
  //          meanwhile.
  void Post(StrandNode& node) {
    StrandNode* last = last_.load(std::memory_order_relaxed);
    do {
      node.next_ = last;
      internal::SchedulePoint();
    } while (!last_.compare_exchange_weak(
        last, &node, std::memory_order_acq_rel, std::memory_order_relaxed));
    if (last == nullptr) RunPosted();
  }

 private:
  void RunPosted() {
    StrandNode* last = nullptr;
    do {
      internal::SchedulePoint();
      RunEach(last_.exchange(&running_, std::memory_order_acq_rel));
      internal::SchedulePoint();
      last = &running_;
    } while (!last_.compare_exchange_strong(
        last, nullptr, std::memory_order_acq_rel, std::memory_order_relaxed));
  }

  // From the one posted first to `last`.
  void RunEach(StrandNode* last) {
    StrandNode* first = nullptr;
    while (last != nullptr && last != &running_) {
      StrandNode* before = std::exchange(last->next_, first);
      first = std::exchange(last, before);
    }
    while (first != nullptr) {
      StrandNode& node = *std::exchange(first, first->next_);
      internal::SchedulePoint();
      node.run_(node);
    }
  }

  std::atomic<StrandNode*> last_ = nullptr;
  StrandNode running_{nullptr};
};

}  // namespace ringway

#endif  // RINGWAY_CORE_CONTAINERS_STRAND_H_
