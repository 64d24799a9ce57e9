// SPDX-License-Identifier: Apache-2.0
//
// A shared object that runs its own tasks and a timer.

#include "ringway/ringway.h"

namespace {

ringway::Task<int> Answer() {
  const absl::Status slept = co_await ringway::Sleep(absl::Milliseconds(1));
  co_return slept.ok() ? 42 : -1;
}

}  // namespace

extern "C" int RunPlugin() {
  absl::StatusOr<std::unique_ptr<ringway::Executor>> executor =
      ringway::Executor::Create();
  if (!executor.ok()) return -1;
  return (*executor)->Run(Answer()).value_or(-1);
}
