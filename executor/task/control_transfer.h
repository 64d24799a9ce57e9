// SPDX-License-Identifier: Apache-2.0
//
// ControlTransfer: how one coroutine hands the thread to another without
// growing the stack.
//
// The standard's way is symmetric transfer: await_suspend returns the next
// handle. clang makes it a tail call at every optimisation level. g++ 12 does
// so only at -O2 and without sanitizers (measured: a million immediate awaits
// overflow the stack otherwise), so there the next handle is left in a slot
// that a loop at the bottom of the stack resumes from: 2-3 ns more, constant
// stack everywhere. Both are always compiled and tested; the alias at the end
// picks.

#ifndef RINGWAY_EXECUTOR_TASK_CONTROL_TRANSFER_H_
#define RINGWAY_EXECUTOR_TASK_CONTROL_TRANSFER_H_

#include <coroutine>
#include <utility>

namespace ringway::internal {

// Where the trampoline finds what to resume next. One per task: a task runs on
// one thread and has one leaf.
using TransferSlot = std::coroutine_handle<>;

struct SymmetricTransfer {
  using Result = std::coroutine_handle<>;
  static Result To(TransferSlot&, std::coroutine_handle<> next) noexcept {
    return next;
  }
  static Result ToNobody() noexcept { return std::noop_coroutine(); }
  static void Run(TransferSlot&, std::coroutine_handle<> first) {
    first.resume();
  }
};

struct TrampolineTransfer {
  using Result = void;
  static Result To(TransferSlot& slot, std::coroutine_handle<> next) noexcept {
    slot = next;
  }
  static Result ToNobody() noexcept {}
  static void Run(TransferSlot& slot, std::coroutine_handle<> first) {
    slot = first;
    while (slot) std::exchange(slot, nullptr).resume();
  }
};

#if defined(__clang__)
using ControlTransfer = SymmetricTransfer;
#else
using ControlTransfer = TrampolineTransfer;
#endif

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_TASK_CONTROL_TRANSFER_H_
