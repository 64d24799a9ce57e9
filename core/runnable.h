// SPDX-License-Identifier: Apache-2.0
//
// Runnable: an entry of a loop's ready queue: a list node and a function to
// call.
//
// A completed operation, a fired timer, a yielding task and a message from
// another thread are all Runnables, so a loop has one queue, one order and
// one place to bound or shuffle it. It uses a function pointer instead of a
// virtual call, because entries are plain data inside coroutine frames.

#ifndef RINGWAY_CORE_RUNNABLE_H_
#define RINGWAY_CORE_RUNNABLE_H_

#include "ringway/core/containers/intrusive_list.h"

namespace ringway {

class Runnable : public ListNode {
 public:
  using Function = void (*)(Runnable&);

  explicit Runnable(Function run) : run_(run) {}

  // Called with the entry already unlinked; the callee may destroy it.
  void Run() { run_(*this); }

  // Which kind of entry this is.
  Function function() const { return run_; }

 private:
  Function run_;
};

using RunnableList = IntrusiveList<Runnable>;

}  // namespace ringway

#endif  // RINGWAY_CORE_RUNNABLE_H_
