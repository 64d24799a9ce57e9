// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/print_tasks.h"

#include <csignal>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/runtime/metrics/tasks_page.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/signals/signal_stream.h"

namespace ringway::internal {
namespace {

// How long workers that are busy are waited for.
constexpr absl::Duration kPatience = absl::Seconds(1);

}  // namespace

Task<absl::Status> PrintTasksOnQuit() {
  if (CurrentWorker() != 0) co_return absl::OkStatus();
  absl::StatusOr<SignalStream> quits = SignalStream::Open({SIGQUIT});
  if (!quits.ok()) co_return quits.status();
  while (true) {
    absl::StatusOr<Signal> quit = co_await quits->Next();
    if (!quit.ok()) co_return quit.status();
    std::vector<ExecutorHandle> workers(CurrentWorkers().begin(),
                                        CurrentWorkers().end());
    Task<std::string> page = TasksPage(std::move(workers), kPatience);
    const std::string text = co_await std::move(page);
    fputs(text.c_str(), stderr);
  }
}

}  // namespace ringway::internal
