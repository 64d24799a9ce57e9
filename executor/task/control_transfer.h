// SPDX-License-Identifier: Apache-2.0
//
// ControlTransfer: resumes one coroutine from another without growing the
// stack.
//
// The standard provides symmetric transfer: await_suspend returns the next
// handle. clang makes it a tail call at every optimisation level. g++ 12 does
// so only at -O2 and without sanitizers (measured: a million immediate awaits
// overflow the stack otherwise). So with g++ the next handle is stored in a
// slot, and a loop at the bottom of the stack resumes it: 2-3 ns more, but
// constant stack in every build. Both are always compiled and tested; the
// alias at the end selects one.
//
// A program that mixes objects of both kinds hangs: the two compilers'
// template instances have the same names, and the linker keeps one of each.
// So every file that includes this header refers to a symbol that only the
// same compiler's build of Ringway defines. In a mixed program the linker
// reports it as undefined.

#ifndef RINGWAY_EXECUTOR_TASK_CONTROL_TRANSFER_H_
#define RINGWAY_EXECUTOR_TASK_CONTROL_TRANSFER_H_

#include <coroutine>
#include <utility>

#include "ringway/core/compiler.h"

namespace ringway::internal {

// The coroutine that the trampoline resumes next. One per task: a task runs
// on one thread and has one leaf.
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

// "Undefined reference to kRingwayCompiledBy...": the file named in the
// message was compiled by that compiler, and Ringway by the other one.
// `retain` keeps the reference when the linker drops unused sections.
#if defined(__clang__)
using ControlTransfer = SymmetricTransfer;
extern const char kRingwayCompiledByClang;
[[gnu::used, gnu::retain,
  gnu::visibility("hidden")]] inline const char* const kCompiledByClang =
    &kRingwayCompiledByClang;
#else
using ControlTransfer = TrampolineTransfer;
extern const char kRingwayCompiledByGcc;
[[gnu::used, gnu::retain,
  gnu::visibility("hidden")]] inline const char* const kCompiledByGcc =
    &kRingwayCompiledByGcc;
#endif

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_TASK_CONTROL_TRANSFER_H_
