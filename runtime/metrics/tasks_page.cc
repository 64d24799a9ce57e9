// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/metrics/tasks_page.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/executor/task/executor.h"
#include "ringway/runtime/metrics/ask_each_worker.h"

namespace ringway {
namespace {

std::string TasksOfThisWorker() {
  const std::vector<TaskInfo> tasks = CurrentExecutor().Tasks();
  const size_t n_listed = std::min(tasks.size(), kMostTasksListed);
  std::string text = absl::StrCat(
      tasks.size(), " tasks\n", FormatTasks(std::span(tasks).first(n_listed)));
  if (n_listed < tasks.size()) {
    absl::StrAppend(&text, "and ", tasks.size() - n_listed,
                    " more (kMostTasksListed)\n");
  }
  return text;
}

}  // namespace

Task<std::string> TasksPage(std::vector<ExecutorHandle> workers,
                            absl::Duration patience) {
  std::vector<std::optional<std::string>> answers =
      co_await AskEachWorker(std::move(workers), &TasksOfThisWorker, patience);
  std::string page;
  for (size_t i = 0; i < answers.size(); ++i) {
    absl::StrAppend(&page, "worker ", i, ": ",
                    answers[i].has_value() ? *answers[i]
                                           : "has ended, or did not answer\n");
  }
  co_return page;
}

}  // namespace ringway
